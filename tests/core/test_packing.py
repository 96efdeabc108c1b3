"""Packing: where goods stand in the hall, and into how many crates an order went."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from commensal.base.errors import Conflict, Invalid
from commensal.base.units.facets import Zone, zone_of
from commensal.orders.fulfil import hand_order_over
from commensal.parts.distribution.packing import pack_into, shelves_of_session
from commensal.products.tables import supplied_product

from .test_orders import Market, market

__all__ = ["market"]  # a fixture


@pytest.mark.parametrize(
    ("kind", "handling", "zone"),
    [
        ("natural-yogurt", (), Zone.CHILLED),
        ("frozen-meat", (), Zone.FROZEN),
        ("egg", (), Zone.FRAGILE),
        ("milk", ("Ambient",), Zone.DRY),
        ("bread", (), Zone.DRY),
        ("bread", ("Fragile", "Frozen"), Zone.FROZEN),
    ],
)
def test_goods_stand_where_their_producer_says_or_else_where_their_kind_stands(
    kind: str, handling: tuple[str, ...], zone: Zone
) -> None:
    assert zone_of(kind, handling) is zone


def test_the_zones_of_a_session_are_those_of_its_goods(market: Market) -> None:
    order = market.place({market.small: 1, market.eggs: 1})
    by_name = {line.name: line.product_id for line in order.lines}
    with market.store.write() as tx:
        frozen = update(supplied_product).where(supplied_product.c.id == by_name["Œufs par 6"])
        tx.execute(frozen.values(handling=["Frozen"]))
        shelves = shelves_of_session(tx, "shop", "shop-session")
    assert {shelf.supplier for shelf in shelves.values()} == {"shop"}
    assert {product: shelf.zone for product, shelf in shelves.items()} == {
        by_name["Œufs par 6"]: Zone.FROZEN,
        by_name["Pommes de terre 1 kg"]: Zone.DRY,
    }


def test_crates_of_an_order_are_counted_until_it_is_handed_over(market: Market) -> None:
    order = market.place({market.small: 1})
    assert order.crates is None
    packed = market.hub(order, lambda tx, old: pack_into(tx, old, 2))
    assert packed.crates == 2
    assert market.hub(order, lambda tx, old: pack_into(tx, old, 2)).version == packed.version
    for number in (0, 100):
        with pytest.raises(Invalid, match="1 to 99"):
            market.hub(order, lambda tx, old, number=number: pack_into(tx, old, number))  # type: ignore[misc]
    market.hub(order, hand_order_over)
    with pytest.raises(Conflict):
        market.hub(order, lambda tx, old: pack_into(tx, old, None))
