"""Empties that come back: credited on the order, corrected by opposite rows, and due to suppliers no more."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commensal.base.errors import Conflict, Invalid
from commensal.orders.change import change_order
from commensal.orders.fulfil import hand_order_over, undo_hand_over_of
from commensal.orders.tables import container_return
from commensal.orders.values import Order
from commensal.parts.order_corrections.returns import (
    Returned,
    count_returned,
    deposit_kinds,
    returned_of,
    undo_returned,
)

from .test_orders import Market, market

__all__ = ["market"]  # a fixture, which ends with a check of all invariants


def bring_back(market: Market, order: Order, pieces: int, *, deposit: int = 20) -> Order:
    returned = [Returned(supplier_id="shop", deposit=deposit, pieces=pieces)]
    return market.hub(order, lambda tx, old: count_returned(tx, old, returned, by="max"))


def rows(market: Market) -> list[int]:
    with market.store.read() as tx:
        return [row["pieces"] for row in tx.all(select(container_return.c.pieces).order_by(container_return.c.id))]


def test_an_order_costs_less_by_the_empties_that_came_back(market: Market) -> None:
    order = market.place({market.eggs: 3})
    credited = bring_back(market, order, 5)
    assert (order.total, credited.total, credited.vat_total) == (657, 557, order.vat_total)
    (credit,) = credited.adjustments
    assert (credit.label, credit.amount, credit.vat_rate) == ("5 contenants rendus", -100, None)
    assert bring_back(market, order, 5).version == credited.version


def test_a_wrong_count_is_corrected_by_an_opposite_row(market: Market) -> None:
    order = market.place({market.eggs: 3})
    bring_back(market, order, 5)
    assert bring_back(market, order, 2).total == order.total - 40
    assert bring_back(market, order, 0).total == order.total
    assert rows(market) == [5, -3, -2]


def test_a_change_of_the_order_keeps_the_empties(market: Market) -> None:
    order = market.place({market.eggs: 3})
    bring_back(market, order, 5)
    more = {market.eggs: 3, market.small: 1}
    assert market.hub(order, lambda tx, old: change_order(tx, market.hooks, old, items=more, by_hub=True)).total == 777
    less = {market.eggs: 1}
    assert market.hub(order, lambda tx, old: change_order(tx, market.hooks, old, items=less, by_hub=True)).total == 119


def test_no_more_is_credited_than_the_order_costs(market: Market) -> None:
    order = market.place({market.eggs: 1})
    with pytest.raises(Conflict, match=r"2\.19"):
        bring_back(market, order, 11)
    assert bring_back(market, order, 10).total == 19


@pytest.mark.parametrize(("pieces", "deposit"), [(1, 25), (-1, 20), (101, 20)])
def test_containers_of_nothing_that_is_sold_here_are_refused(market: Market, pieces: int, deposit: int) -> None:
    order = market.place({market.small: 1})
    with pytest.raises(Invalid):
        bring_back(market, order, pieces, deposit=deposit)
    assert rows(market) == []


def test_undoing_a_hand_over_takes_back_what_was_counted_with_it(market: Market) -> None:
    order = market.place({market.eggs: 3})
    bring_back(market, order, 1)
    market.hub(order, lambda tx, old: hand_order_over(tx, old))
    with market.store.read() as tx:
        (kind,) = deposit_kinds(tx, "shop", "EUR")
        assert (kind.supplier, kind.deposit) == ("shop", 20)
        assert [each.pieces for each in returned_of(tx, order.id)] == [1]
    undone = market.hub(order, lambda tx, old: undo_hand_over_of(tx, undo_returned(tx, old)))
    assert undone.total == order.total
