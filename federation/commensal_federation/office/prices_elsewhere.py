"""Prices from elsewhere that wait for the hub's people: both prices, what follows from them, and yes or no."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from starlette.responses import Response

from commensal import (
    Enterprise,
    NotFound,
    PageLine,
    Refused,
    Screen,
    Stale,
    Transaction,
    demand,
    enterprise_by_id,
    read_whole,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..allowance.budget import allowance_settings
from ..catalogue.asked_prices import AskedPrice, accept_price, asked_prices, keep_off
from ..runtime import federation_of

PATH = "producers/prices"


def prices_page(visit: Visit, hub: Enterprise) -> Screen:
    return _page(visit, hub)


def _page(visit: Visit, hub: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
    with visit.read() as tx:
        prices = asked_prices(tx, hub.id)
        producers = {id: enterprise_by_id(tx, id).name for id in {each.producer_id for each in prices}}
        percent = allowance_settings(tx, federation_of(visit.instance), hub.id).allowance_percent
    context = {
        "hub": hub,
        "here": f"/office/{hub.id}/{PATH}",
        "asked": [(each, producers[each.producer_id], _change(each)) for each in prices],
        "percent": percent,
        "mistakes": errors,
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/prices.html", context=context, status=status)


def _change(price: AskedPrice) -> Decimal | None:
    """By how many percent the price is another one; None where nothing was asked before."""
    if not price.accepted:
        return None
    return (Decimal(100 * (price.asked - price.accepted)) / price.accepted).quantize(Decimal(1), ROUND_HALF_UP)


def prices_now(visit: Visit, hub: Enterprise) -> Screen | Response:
    """Accepts the price of one product, or keeps it off sale. Raises `NotFound` for another product."""
    action, product_id = visit.query.get("then", ""), visit.form.get("product", "")
    try:
        price = read_whole(visit.form.get("price", ""), 15)
        if price is None:
            raise Stale
        with visit.write() as tx:
            demand(tx, visit.actor, "catalogs:write", hub.id)
            if action == "accept":
                accept_price(tx, hub.id, product_id, price=price)
            elif action == "keep-off":
                keep_off(tx, hub.id, product_id, price=price)
            else:
                raise NotFound
    except NotFound:
        raise
    except Refused as error:
        return _page(visit, hub, mistakes(visit, error), status_of(error))
    return visit.redirect(f"/office/{hub.id}/{PATH}?done={action}")


def price_lines(tx: Transaction, hub_id: str, language: str) -> list[PageLine]:
    """What waits for an answer of the hub's people, for their week."""
    text = translate(language, "{name} is off sale: its producer asks another price")
    url, action = f"/office/{hub_id}/{PATH}", translate(language, "Look at it")
    waiting = [each for each in asked_prices(tx, hub_id) if not each.kept_off]
    return [PageLine(text=text.format(name=each.name), url=url, action=action) for each in waiting]
