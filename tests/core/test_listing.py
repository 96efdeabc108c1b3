"""Listing many products at once follows the same rules as listing one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, event

from commensal.base.errors import Conflict, Invalid, NotFound
from commensal.catalogs.catalogs import create_catalog
from commensal.catalogs.items import items_of
from commensal.catalogs.product_listing import Listing, list_products
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.tables import enterprise_grant
from commensal.storage.database import Store


def products(village: Any, producer: str, count: int) -> list[str]:
    return [f"{item}-product" for item in village.items("hub", producer, count)]


def test_a_range_is_listed_in_order_with_its_prices_by_constant_statements(store: Store, village: Any) -> None:
    ids = products(village, "farm", 30)
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.write() as tx:
        catalog = create_catalog(tx, enterprise_id="hub", name="Autre").id
        group = create_category(tx, "hub", name="Adhérents").id
        list_products(tx, "hub", catalog, [Listing(product_id=ids[0], price=100)])
        statements_for_one = len(statements)
        prices = [Listing(product_id=product_id, price=200, category_prices={group: 150}) for product_id in ids[1:]]
        item_ids = list_products(tx, "hub", catalog, prices)
        assert len(statements) - statements_for_one <= 10
        items = items_of(tx, "hub", catalog)
    assert [item.position for item in items] == list(range(1, 31))
    assert [item.id for item in items[1:]] == item_ids
    assert {(offer.category_id, offer.price) for offer in items[1].offers} == {(None, 200), (group, 150)}
    assert [offer.price for offer in items[0].offers] == [100]


def test_what_may_not_be_listed_is_named_and_nothing_is(store: Store, village: Any) -> None:
    (good, foreign) = products(village, "farm", 1) + products(village, "stranger", 1)
    with store.write() as tx:
        catalog = create_catalog(tx, enterprise_id="hub", name="Autre").id
        with pytest.raises(Invalid) as error:
            list_products(
                tx,
                "hub",
                catalog,
                [
                    Listing(product_id=good, price=-1),
                    Listing(product_id=foreign, price=1),
                    Listing(product_id=good, price=1, category_prices={"nobody": 1}),
                ],
            )
        assert [problem.code for problem in error.value.problems] == ["price", "no_product", "no_category"]
        with pytest.raises(Conflict):
            list_products(tx, "hub", catalog, [Listing(product_id=good, price=1)] * 2)
        with pytest.raises(NotFound):
            list_products(tx, "farm", catalog, [])
        assert items_of(tx, "hub", catalog) == []
        tx.execute(delete(enterprise_grant))
        with pytest.raises(Invalid):
            list_products(tx, "hub", catalog, [Listing(product_id=good, price=1)])
