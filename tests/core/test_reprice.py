"""A wrong price that was corrected: which orders hold it, what each pays with the right one, and what is told."""

from __future__ import annotations

import pytest

from commensal.base.errors import Conflict
from commensal.catalogs.offers import set_prices
from commensal.orders.rewrite import changes_of
from commensal.parts.order_corrections.reprice import orders_at_other_prices, reprice_order

from .test_orders import Market, market

__all__ = ["market"]  # a fixture, which ends with a check of all invariants


def test_an_order_gets_the_price_of_today_and_a_dearer_one_only_if_its_customer_agreed(market: Market) -> None:
    order = market.place({market.small: 2, market.eggs: 1})
    with market.store.write() as tx:
        assert orders_at_other_prices(tx, "shop") == []
        set_prices(tx, "shop", {market.small: 100})
    with market.store.read() as tx:
        (other,) = orders_at_other_prices(tx, "shop", [market.small])
    assert (other.number, other.pieces, other.price, other.today) == (1, 2, order.lines[0].price, 100)
    cheaper = market.hub(order, lambda tx, old: reprice_order(tx, market.hooks, old, market.small))
    assert order.total - cheaper.total == 2 * (other.price - 100)
    with market.store.write() as tx:
        set_prices(tx, "shop", {market.small: 130})
    with pytest.raises(Conflict, match="ask its customer first"):
        market.hub(order, lambda tx, old: reprice_order(tx, market.hooks, old, market.small))
    dearer = market.hub(order, lambda tx, old: reprice_order(tx, market.hooks, old, market.small, agreed=True))
    assert dearer.total - cheaper.total == 60
    with market.store.read() as tx:
        assert orders_at_other_prices(tx, "shop") == []
        assert changes_of(tx, order.id) == [], "the pieces are the same"
