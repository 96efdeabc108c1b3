"""Prices from elsewhere that wait for the hub's people: both prices, what follows from them, and yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

from starlette.responses import Response

from commensal import (
    ActKind,
    ActWords,
    Enterprise,
    Instance,
    Invalid,
    NotFound,
    PageLine,
    Problem,
    ProposedAct,
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
from commensal.pages import Visit, on_refusal
from commensal.products import products_by_id

from ..allowance.budget import allowance_settings
from ..catalogue.asked_prices import AskedPrice, accept_price, asked_prices, keep_off
from ..runtime import federation_of

PATH = "producers/prices"
PRICE = "federation.price"


def prices_page(visit: Visit, hub: Enterprise) -> Screen:
    with visit.read() as tx:
        prices = asked_prices(tx, hub.id)
        producers = {id: enterprise_by_id(tx, id).name for id in {each.producer_id for each in prices}}
        percent = allowance_settings(tx, federation_of(visit.instance), hub.id).allowance_percent
    new = _new_by_producer(prices)
    together = {each.product_id for goods in new.values() for each in goods}
    context = {
        "hub": hub,
        "here": f"/office/{hub.id}/{PATH}",
        "new": [(producers[id], goods) for id, goods in new.items()],
        "asked": [
            (each, producers[each.producer_id], _change(each)) for each in prices if each.product_id not in together
        ],
        "percent": percent,
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/prices.html", context=context)


def _new_by_producer(prices: list[AskedPrice]) -> dict[str, list[AskedPrice]]:
    """New goods that wait, by the producer's id, where there are several of one: people answer for them together."""
    waiting = sorted(
        (each for each in prices if each.reason == "first" and not each.kept_off),
        key=lambda each: (each.producer_id, each.name, each.product_id),
    )
    by_producer = {id: list(goods) for id, goods in groupby(waiting, lambda each: each.producer_id)}
    return {id: goods for id, goods in by_producer.items() if len(goods) > 1}


def _change(price: AskedPrice) -> Decimal | None:
    """By how many percent the price is another one; None where nothing was asked before."""
    if not price.accepted:
        return None
    return (Decimal(100 * (price.asked - price.accepted)) / price.accepted).quantize(Decimal(1), ROUND_HALF_UP)


@on_refusal(prices_page)
def post_prices(visit: Visit, hub: Enterprise) -> Screen | Response:
    """Accepts prices, or keeps products off sale: all of them or none. Raises `NotFound` for another product."""
    action = visit.query.get("then", "")
    prices = _answered(visit)
    with visit.write() as tx:
        demand(tx, visit.actor, "catalogs:write", hub.id)
        if action == "accept" and needs_second_person(tx, hub.id):
            action = "asked"
            _ask(visit, tx, hub, prices)
        elif action == "accept":
            for product_id, price in prices.items():
                accept_price(tx, hub.id, product_id, price=price)
        elif action == "keep-off":
            for product_id, price in prices.items():
                keep_off(tx, hub.id, product_id, price=price)
        else:
            raise NotFound
    return visit.redirect(f"/office/{hub.id}/{PATH}?done={action}")


def _answered(visit: Visit) -> dict[str, int]:
    """The prices that the person was shown, by product: of one, or of those ticked. Raises `Invalid`, `Stale`."""
    shown = {name.removeprefix("tick/"): value for name, value in visit.form.items() if name.startswith("tick/")}
    if not shown and "product" in visit.form:
        shown = {visit.form["product"]: visit.form.get("price", "")}
    if not shown:
        raise Invalid([Problem("none", "Tick the products that you mean.")])
    prices = {id: read_whole(value, 15) for id, value in shown.items()}
    shown_prices = {id: price for id, price in prices.items() if price is not None}
    if len(shown_prices) < len(prices):
        raise Stale
    return shown_prices


def _ask(visit: Visit, tx: Transaction, hub: Enterprise, prices: Mapping[str, int]) -> None:
    """Asks a second person to accept prices. Raises `NotFound`, `Stale`."""
    questions = {each.product_id: each for each in asked_prices(tx, hub.id)}
    for product_id, price in prices.items():
        question = questions.get(product_id)
        if question is None:
            raise NotFound
        if question.asked != price:
            raise Stale
        content = {"before": question.accepted, "asked": question.asked, "sells_for": question.would_sell_for}
        propose(tx, hub.id, PRICE, product_id, content, actor=visit.actor)


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
    """What waits for an answer of the hub's people, for their week: a line for each product, one for all new goods of
    a producer."""
    url, action = f"/office/{hub_id}/{PATH}", translate(language, "Look at it")
    waiting = [each for each in asked_prices(tx, hub_id) if not each.kept_off]
    new = _new_by_producer(waiting)
    together = {each.product_id for goods in new.values() for each in goods}
    changed_price = translate(language, "{name} is off sale: its producer asks another price")
    first_price = translate(language, "{name} is new and not on sale yet: look at its price")
    new_goods = translate(language, "{count} new goods of {producer} are not on sale yet: look at their prices")
    texts = [new_goods.format(count=len(goods), producer=enterprise_by_id(tx, id).name) for id, goods in new.items()]
    texts += [
        (first_price if each.reason == "first" else changed_price).format(name=each.name)
        for each in waiting
        if each.product_id not in together
    ]
    return [PageLine(text=text, url=url, action=action) for text in texts]
