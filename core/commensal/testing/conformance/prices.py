"""Checks price rules: the same order has the same price again, and a cancellation gives back what it used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..shop import Shop
from .check import Subject, check, demand
from .shipping import ADDRESS

_BASKETS: tuple[Mapping[str, int], ...] = ({"carrots": 4}, {"juice": 3, "soap": 1}, {"chicken": 2, "carrots": 1})


@check("price_adjustments")
def a_price_asked_twice_is_the_same(subject: Subject) -> None:
    with subject.shop() as shop:
        for goods in _BASKETS:
            first, second = (_asked(shop, goods) for _ in range(2))
            demand(first == second, f"{goods} was quoted as {first}, and then as {second}")


@check("price_adjustments")
def an_order_costs_what_was_quoted(subject: Subject) -> None:
    """For who is known and for a guest; and labels say what is charged in the reader's language."""
    with subject.shop() as shop:
        ada = shop.somebody()
        for person in (None, ada):
            for goods in _BASKETS:
                chosen = first_choices(shop)
                quoted = shop.quote(goods, person=person, **chosen)
                order = shop.order(goods, person=person, **chosen)
                difference = f"{goods} was quoted at {quoted.totals.total}, and ordered at {order.total}"
                demand(quoted.totals.total == order.total, difference)
                labels = [adjustment.label for adjustment in order.adjustments]
                demand(all(label.strip() for label in labels), f"an adjustment has no label: {labels}")
                shop.cancel()


@check("price_adjustments", "settle_adjustments")
def what_an_order_used_up_comes_back_with_its_cancellation(subject: Subject) -> None:
    """The next order costs the same as the one that was cancelled, after a change and after weighing too."""
    with subject.shop() as shop:
        ada = shop.somebody()
        for goods in _BASKETS:
            chosen = first_choices(shop)
            first = shop.order(goods, person=ada, **chosen)
            shop.change({name: pieces + 1 for name, pieces in goods.items()})
            shop.change(goods)
            back = shop.see()
            demand(back.total == first.total, f"changed and changed back, {first.total} became {back.total}")
            if "chicken" in goods:
                shop.weigh({"chicken": "3.7"})
            shop.cancel()
            again = shop.order(goods, person=ada, **chosen)
            demand(again.total == first.total, f"after a cancellation, {first.total} became {again.total}")
            shop.cancel()


def _asked(shop: Shop, goods: Mapping[str, int]) -> tuple[int, list[tuple[str, str, int]]]:
    """The total and the adjustments of a quote, without ids, which differ in each quote."""
    quote = shop.quote(goods, **first_choices(shop))
    return quote.totals.total, sorted(
        (adjustment.kind, adjustment.label, adjustment.amount) for adjustment in quote.draft.adjustments
    )


def first_choices(shop: Shop) -> dict[str, Any]:
    """The first shipping option of the plugin that has room, if there is one."""
    options = shop.shipping_options(address=ADDRESS)
    free = [name for name, option in options.items() if option.left is None or option.left > 0]
    return {"shipping": free[0], "address": ADDRESS} if free else {}
