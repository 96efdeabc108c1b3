"""Prices from elsewhere that wait for the hub's people: both prices, what follows from them, and yes or no."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from starlette.responses import Response

from commensal import (
    ActKind,
    ActWords,
    Enterprise,
    Instance,
    NotFound,
    PageLine,
    ProposedAct,
    Refused,
    Screen,
    Stale,
    Transaction,
    demand,
    enterprise_by_id,
    format_money,
    hookimpl,
    needs_second_person,
    propose,
    read_whole,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.products import products_by_id

from ..allowance.budget import allowance_settings
from ..catalogue.asked_prices import AskedPrice, accept_price, asked_prices, keep_off
from ..runtime import federation_of

PATH = "producers/prices"
PRICE = "federation.price"


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


def post_prices(visit: Visit, hub: Enterprise) -> Screen | Response:
    """Accepts the price of one product, or keeps it off sale. Raises `NotFound` for another product."""
    action, product_id = visit.query.get("then", ""), visit.form.get("product", "")
    try:
        price = read_whole(visit.form.get("price", ""), 15)
        if price is None:
            raise Stale
        with visit.write() as tx:
            demand(tx, visit.actor, "catalogs:write", hub.id)
            if action == "accept" and needs_second_person(tx, hub.id):
                action = _ask(visit, tx, hub, product_id, price)
            elif action == "accept":
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


def _ask(visit: Visit, tx: Transaction, hub: Enterprise, product_id: str, price: int) -> str:
    """Asks a second person to accept a price. Raises `NotFound`, `Stale`."""
    question = next((each for each in asked_prices(tx, hub.id) if each.product_id == product_id), None)
    if question is None:
        raise NotFound
    if question.asked != price:
        raise Stale
    content = {"before": question.accepted, "asked": question.asked, "sells_for": question.would_sell_for}
    propose(tx, hub.id, PRICE, product_id, content, actor=visit.actor)
    return "asked"


@hookimpl
def act_kinds() -> list[ActKind]:
    return [ActKind(name=PRICE, scope="catalogs:write", describe=_describe, perform=_accept)]


def _describe(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    currency = enterprise_by_id(tx, act.enterprise_id).currency
    name = products_by_id(tx, [act.subject])[act.subject].name
    labels = {
        "before": translate(language, "You have accepted to pay"),
        "asked": translate(language, "The producer asks"),
        "sells_for": translate(language, "With your margin you would sell it for"),
    }
    lines = [
        (label, format_money(act.content[each], currency, language))
        for each, label in labels.items()
        if act.content[each] is not None
    ]
    return ActWords(title=translate(language, "Another price of {name}").format(name=name), lines=lines)


def _accept(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    accept_price(tx, act.enterprise_id, act.subject, price=act.content["asked"])


def price_lines(tx: Transaction, hub_id: str, language: str) -> list[PageLine]:
    """What waits for an answer of the hub's people, for their week."""
    text = translate(language, "{name} is off sale: its producer asks another price")
    url, action = f"/office/{hub_id}/{PATH}", translate(language, "Look at it")
    waiting = [each for each in asked_prices(tx, hub_id) if not each.kept_off]
    new = translate(language, "{name} is new and not on sale yet: look at its price")
    return [
        PageLine(text=(new if each.reason == "first" else text).format(name=each.name), url=url, action=action)
        for each in waiting
    ]
