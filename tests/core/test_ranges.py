"""A producer's whole range in a hub's catalog by one call: at its prices with a margin, and only what may be sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, update

from commensal.base.errors import Invalid, NotFound
from commensal.base.hidden_fields import without
from commensal.catalogs.catalogs import create_catalog
from commensal.catalogs.items import items_of
from commensal.catalogs.offers import PurchaseTerms, purchase_terms_of
from commensal.catalogs.product_listing import Listing, list_products
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.grants import revoke
from commensal.enterprises.tables import enterprise
from commensal.parts.supply.ranges import PRICE_STEPS, list_range, plan_range, with_margin
from commensal.products.tables import product_vat
from commensal.storage.database import Store


@pytest.fixture
def range_of_farm(store: Store, village: Any) -> tuple[str, list[str]]:
    """An empty catalog of the hub, and products of the farm: the first two cost 8.00 and 1.23, the third has a price
    for a group only."""
    ids = [f"{item}-product" for item in village.items("hub", "farm", 3)]
    with store.write() as tx:
        own = create_catalog(tx, enterprise_id="farm", name="Prix").id
        group = create_category(tx, "farm", name="Voisins").id
        items = list_products(
            tx,
            "farm",
            own,
            [Listing(product_id=id, price=price) for id, price in zip(ids, (800, 123, 500), strict=True)],
        )
        list_at = create_catalog(tx, enterprise_id="hub", name="Autre").id
        tx.execute(update(catalog_item).where(catalog_item.c.id == items[2]).values(hidden=True))
        assert group
    return list_at, ids


def test_a_range_is_listed_with_margin_and_rounding_and_what_is_paid_for_it(
    store: Store, range_of_farm: tuple[str, list[str]]
) -> None:
    catalog, ids = range_of_farm
    with store.write() as tx:
        planned = {line.product.id: line for line in plan_range(tx, "hub", catalog, "farm", margin=Decimal(20), step=5)}
        assert items_of(tx, "hub", catalog) == []
        new = list_range(tx, "hub", catalog, "farm", margin=Decimal(20), step=5)
        items = items_of(tx, "hub", catalog)
        terms = purchase_terms_of(tx, "hub", catalog)
    assert [(planned[id].purchase_price, planned[id].price) for id in ids] == [(800, 1000), (123, 155), (None, None)]
    assert {line.product.id for line in new} == set(ids[:2])
    assert {item.product_id: item.offers[0].price for item in items} == {ids[0]: 1000, ids[1]: 155}
    assert sorted(terms.values(), key=str) == [PurchaseTerms(price=123), PurchaseTerms(price=800)]


def test_a_packer_learns_no_purchase_price_from_a_proposed_price(
    store: Store, range_of_farm: tuple[str, list[str]]
) -> None:
    with store.read() as tx:
        planned = plan_range(tx, "hub", range_of_farm[0], "farm", margin=Decimal(0))
    lines: Any = without(planned, frozenset({"money"}))
    assert {line.price for line in planned} == {800, 123, None}
    assert [(line["purchase_price"], line["price"]) for line in lines] == [(None, None)] * len(planned)


def test_what_is_listed_keeps_its_price_and_a_second_call_adds_nothing(
    store: Store, range_of_farm: tuple[str, list[str]]
) -> None:
    catalog, ids = range_of_farm
    with store.write() as tx:
        list_products(tx, "hub", catalog, [Listing(product_id=ids[0], price=950)])
        list_range(tx, "hub", catalog, "farm", margin=Decimal(20))
        assert list_range(tx, "hub", catalog, "farm", margin=Decimal(50)) == []
        prices = {item.product_id: item.offers[0].price for item in items_of(tx, "hub", catalog)}
    assert prices == {ids[0]: 950, ids[1]: 154}


def test_prices_follow_whether_the_hub_counts_with_vat(store: Store, range_of_farm: tuple[str, list[str]]) -> None:
    catalog, ids = range_of_farm
    with store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "farm").values(prices_include_vat=False))
        tx.execute(
            insert(product_vat), [{"product_id": id, "valid_from": "2020-01-01", "rate": Decimal(20)} for id in ids]
        )
        lines = {line.product.id: line for line in plan_range(tx, "hub", catalog, "farm", margin=Decimal(0))}
    assert lines[ids[0]].price == 960


def test_only_what_the_producer_lets_be_sold_is_listed(store: Store, range_of_farm: tuple[str, list[str]]) -> None:
    catalog, _ = range_of_farm
    with store.write() as tx:
        for producer in ("stranger", "nobody"):
            with pytest.raises(NotFound):
                list_range(tx, "hub", catalog, producer, margin=Decimal(20))
        with pytest.raises(NotFound):
            list_range(tx, "dairy", catalog, "farm", margin=Decimal(20))
        revoke(tx, "farm", "hub", "WriteOrders")
        with pytest.raises(NotFound):
            list_range(tx, "hub", catalog, "farm", margin=Decimal(20))
        assert items_of(tx, "hub", catalog) == []


@pytest.mark.parametrize(("margin", "step"), [("-1", 1), ("96", 1), ("NaN", 1), ("20", 3), ("20", 0)])
def test_a_rule_that_makes_no_price_is_refused(
    store: Store, range_of_farm: tuple[str, list[str]], margin: str, step: int
) -> None:
    with store.write() as tx, pytest.raises(Invalid):
        list_range(tx, "hub", range_of_farm[0], "farm", margin=Decimal(margin), step=step)


def test_the_number_of_statements_does_not_grow_with_the_range(store: Store, village: Any) -> None:
    counts = []
    for producer, size in (("dairy", 1), ("farm", 30)):
        ids = [f"{item}-product" for item in village.items("hub", producer, size)]
        with store.write() as tx:
            own = create_catalog(tx, enterprise_id=producer, name="Prix").id
            list_products(tx, producer, own, [Listing(product_id=id, price=100) for id in ids])
            catalog = create_catalog(tx, enterprise_id="hub", name=producer).id
            statements: list[str] = []

            def note(*args: Any, statements: list[str] = statements) -> None:
                statements.append(args[2])

            event.listen(store.engine, "before_cursor_execute", note)
            assert len(list_range(tx, "hub", catalog, producer, margin=Decimal(20))) >= size
            event.remove(store.engine, "before_cursor_execute", note)
            counts.append(len(statements))
    assert counts[1] <= counts[0] + 2


@given(price=st.integers(0, 10**6), margin=st.decimals(0, 95, places=2), step=st.sampled_from(PRICE_STEPS))
def test_a_margin_is_never_less_than_wanted(price: int, margin: Decimal, step: int) -> None:
    sold = with_margin(price, margin, step)
    assert sold % step == 0
    assert sold - price >= sold * margin / 100 - Decimal("0.000001")
    assert (sold - step) * (100 - margin) < price * 100 or sold == 0
