"""Catalogs: what an enterprise may list, how it describes items, and their prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert

from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from commensal.base.money import LARGEST
from commensal.catalogs.catalogs import (
    SELLING,
    catalog_by_id,
    catalogs_of,
    change_catalog,
    create_catalog,
    first_catalog,
    remove_catalog,
    sellable_products,
)
from commensal.catalogs.items import add_item, change_item, item_by_id, items_of, items_of_category, remove_item
from commensal.catalogs.offers import remove_price, set_category_prices, set_price, set_prices
from commensal.catalogs.values import Catalog
from commensal.enterprises.tables import customer_category
from commensal.products.products import archive_product, create_product
from commensal.sale_sessions.tables import session_item
from commensal.storage.database import Store, Transaction


@pytest.fixture
def hub(store: Store, hamlet: Any) -> Catalog:
    """The catalog of a hub: the farm lets it sell, the dairy only read, the stranger nothing."""
    for name in ("hub", "farm", "dairy", "stranger"):
        hamlet.enterprise(name)
    hamlet.grant("farm", "hub", *SELLING)
    hamlet.grant("dairy", "hub", "ReadProducts")
    with store.write() as tx:
        for category_id, enterprise_id in (("staff", "hub"), ("school", "hub"), ("theirs", "farm")):
            tx.execute(
                insert(customer_category).values(
                    id=category_id, enterprise_id=enterprise_id, name=category_id, version=1
                )
            )
        return create_catalog(tx, enterprise_id="hub", name="Épicerie")


def product(tx: Transaction, producer: str = "farm", name: str = "Pommes") -> str:
    return create_product(
        tx,
        enterprise_id=producer,
        name=name,
        product_type="apples",
        quantity=Decimal(1),
        unit="Kilogram",
        vat_rate=Decimal("5.5"),
        on_hand=Decimal(10),
    ).id


def mistakes(error: Invalid) -> list[tuple[str, str]]:
    return [(problem.where, problem.code) for problem in error.problems]


def test_a_catalog_is_made_renamed_and_removed_while_it_is_empty(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        assert catalog_by_id(tx, "hub", hub.id) == hub
        renamed = change_catalog(tx, "hub", hub.id, 1, name=" Marché ")
        assert (renamed.name, renamed.version) == ("Marché", 2)
        with pytest.raises(Stale):
            change_catalog(tx, "hub", hub.id, 1, name="Boutique")
        with pytest.raises(Invalid, match="Catalogue"):  # the hamlet's own
            change_catalog(tx, "hub", hub.id, 2, name="Catalogue")
        with pytest.raises(Invalid):
            create_catalog(tx, enterprise_id="hub", name="Marché")
        with pytest.raises(Invalid):
            create_catalog(tx, enterprise_id="hub", name="\n")
        create_catalog(tx, enterprise_id="farm", name="Marché")
        add_item(tx, "hub", hub.id, product(tx))
        with pytest.raises(Conflict, match="has items"):
            remove_catalog(tx, "hub", hub.id)
        other = create_catalog(tx, enterprise_id="hub", name="Autre")
        assert {catalog.name for catalog in catalogs_of(tx, "hub")} == {"Catalogue", "Marché", "Autre"}
        remove_catalog(tx, "hub", other.id)
        assert {catalog.name for catalog in catalogs_of(tx, "hub")} == {"Catalogue", "Marché"}
        assert len(catalogs_of(tx, "hub", after=catalogs_of(tx, "hub", limit=1)[0].id)) == 1


def test_an_enterprise_without_a_catalog_is_given_one_that_it_keeps(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        for catalog in catalogs_of(tx, "dairy"):
            remove_catalog(tx, "dairy", catalog.id)
        first = first_catalog(tx, "dairy")
        assert (first.enterprise_id, first.name) == ("dairy", "Catalogue")
        assert (first_catalog(tx, "dairy"), catalogs_of(tx, "dairy")) == (first, [first])


def test_somebody_elses_catalog_and_items_are_not_found(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item = add_item(tx, "hub", hub.id, product(tx))
        for attempt in (
            lambda: catalog_by_id(tx, "farm", hub.id),
            lambda: change_catalog(tx, "farm", hub.id, 1, name="Mine"),
            lambda: remove_catalog(tx, "farm", hub.id),
            lambda: add_item(tx, "farm", hub.id, product(tx)),
            lambda: item_by_id(tx, "farm", item.id),
            lambda: change_item(tx, "farm", item.id, 1, hidden=True),
            lambda: remove_item(tx, "farm", item.id),
            lambda: set_price(tx, "farm", item.id, 100),
            lambda: remove_price(tx, "farm", item.id),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert items_of(tx, "farm", hub.id) == []
        assert item_by_id(tx, "hub", item.id) == item


def test_a_hub_lists_its_own_products_and_those_it_may_sell(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        own_product, granted_product = product(tx, "hub"), product(tx, "farm")
        items = [add_item(tx, "hub", hub.id, product_id) for product_id in (own_product, granted_product)]
        assert [(item.producer_id, item.position, item.hidden, item.offers) for item in items] == [
            ("hub", 1, False, ()),
            ("farm", 2, False, ()),
        ]
        with pytest.raises(Conflict, match="already"):
            add_item(tx, "hub", hub.id, own_product)
        with pytest.raises(Forbidden, match="does not let"):
            add_item(tx, "hub", hub.id, product(tx, "dairy"))
        with pytest.raises(NotFound):
            add_item(tx, "hub", hub.id, product(tx, "stranger"))
        with pytest.raises(NotFound):
            add_item(tx, "hub", hub.id, "unknown")
        archive_product(tx, "farm", granted_product, 1)
        other = create_catalog(tx, enterprise_id="hub", name="Autre")
        with pytest.raises(NotFound):
            add_item(tx, "hub", other.id, granted_product)


def test_a_grant_goes_one_way(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        catalog = create_catalog(tx, enterprise_id="farm", name="Ferme")
        with pytest.raises(NotFound):
            add_item(tx, "farm", catalog.id, product(tx, "hub"))


def test_products_that_may_be_listed_are_those_that_can_be_added(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        names = ("hub", "farm", "dairy", "stranger")
        product_ids = {producer: product(tx, producer, f"Pommes de {producer}") for producer in names}
        archived = product(tx, "farm", "Poires")
        archive_product(tx, "farm", archived, 1)
        assert {entry.product.id for entry in sellable_products(tx, "hub")} == {product_ids["hub"], product_ids["farm"]}
        assert [entry.product.id for entry in sellable_products(tx, "hub", producer_id="farm")] == [product_ids["farm"]]
        assert [entry.product.id for entry in sellable_products(tx, "hub", search="POMMES hub")] == [product_ids["hub"]]
        assert sellable_products(tx, "hub", producer_id="dairy") == []


def test_what_is_said_of_an_item_can_be_changed(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item = add_item(
            tx, "hub", hub.id, product(tx), name="Reinettes", position=7, hidden=True, shown_to=["staff", "staff"]
        )
        assert (item.name, item.position, item.hidden, item.shown_to) == ("Reinettes", 7, True, ("staff",))
        changed = change_item(tx, "hub", item.id, 1, name=None, hidden=False, shown_to=["school", "staff"])
        assert (changed.name, changed.position, changed.hidden) == (None, 7, False)
        assert (changed.shown_to, changed.version) == (("school", "staff"), 2)
        assert change_item(tx, "hub", item.id, 2, position=1).shown_to == ("school", "staff")
        assert change_item(tx, "hub", item.id, 3, shown_to=[]).shown_to == ()
        with pytest.raises(Stale):
            change_item(tx, "hub", item.id, 3, hidden=True)
        with pytest.raises(Invalid) as error:
            change_item(tx, "hub", item.id, 4, name="x" * 201, position=-1, shown_to=["staff", "theirs"])
        assert mistakes(error.value) == [
            ("/name", "too_long"),
            ("/position", "position"),
            ("/shown_to/1", "no_category"),
        ]


def test_an_item_that_was_never_on_sale_can_go_and_another_cannot(store: Store, hub: Catalog, hamlet: Any) -> None:
    with store.write() as tx:
        unsold_item = add_item(tx, "hub", hub.id, product(tx), shown_to=["staff"])
        sold_item = add_item(tx, "hub", hub.id, product(tx))
        set_price(tx, "hub", unsold_item.id, 100)
    session = hamlet.session(hamlet.sale())
    with store.write() as tx:
        tx.execute(insert(session_item).values(session_id=session.id, item_id=sold_item.id))
        remove_item(tx, "hub", unsold_item.id)
        with pytest.raises(Conflict, match="Hide it"):
            remove_item(tx, "hub", sold_item.id)
        assert [item.id for item in items_of(tx, "hub", hub.id)] == [sold_item.id]


def test_a_price_that_somebody_has_set_meanwhile_is_not_overwritten(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item = add_item(tx, "hub", hub.id, product(tx))
        assert set_price(tx, "hub", item.id, 250, version=0).price == 250
        assert set_price(tx, "hub", item.id, 275, version=1).version == 2
        for version in (0, 1, 3):
            with pytest.raises(Stale):
                set_price(tx, "hub", item.id, 300, version=version)
        assert [offer.price for offer in item_by_id(tx, "hub", item.id).offers] == [275]
        remove_price(tx, "hub", item.id)
        with pytest.raises(Stale):
            set_price(tx, "hub", item.id, 300, version=2)


def test_a_price_is_set_once_for_each_category_and_raises_its_version(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item = add_item(tx, "hub", hub.id, product(tx))
        first = set_price(tx, "hub", item.id, 250)
        price = set_price(tx, "hub", item.id, 275)
        staff = set_price(tx, "hub", item.id, 200, category_id="staff")
        lowered = set_price(tx, "hub", item.id, 0, category_id="staff")
        assert (first.price, first.version, price.price, price.version) == (250, 1, 275, 2)
        assert (price.id, lowered.id, lowered.version) == (first.id, staff.id, 2)
        assert item_by_id(tx, "hub", item.id).offers == (price, lowered)
        remove_price(tx, "hub", item.id, category_id="staff")
        assert item_by_id(tx, "hub", item.id).offers == (price,)
        with pytest.raises(NotFound):
            remove_price(tx, "hub", item.id, category_id="staff")
        remove_price(tx, "hub", item.id)
        assert item_by_id(tx, "hub", item.id).offers == ()


def test_a_price_has_limits_and_a_category_of_another_is_not_there(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item = add_item(tx, "hub", hub.id, product(tx))
        for price in (-1, LARGEST + 1):
            with pytest.raises(Invalid) as error:
                set_price(tx, "hub", item.id, price)
            assert mistakes(error.value) == [("/price", "price")]
        with pytest.raises(NotFound):
            set_price(tx, "hub", item.id, 100, category_id="theirs")


def test_a_page_of_items_with_offers_and_categories_is_three_statements(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        ids = []
        for _ in range(5):
            item = add_item(tx, "hub", hub.id, product(tx), shown_to=["staff"])
            set_price(tx, "hub", item.id, 100)
            ids.append(item.id)
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.read() as tx:
        first = items_of(tx, "hub", hub.id, limit=3)
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 3
    with store.read() as tx:
        assert [item.id for item in (*first, *items_of(tx, "hub", hub.id, after=first[-1].id))] == sorted(ids)
    assert all(len(item.offers) == len(item.shown_to) == 1 for item in first)


def test_many_prices_are_set_by_a_statement_for_each_twenty(store: Store, hub: Catalog) -> None:
    statements: list[str] = []
    with store.write() as tx:
        items = [add_item(tx, "hub", hub.id, product(tx, name=f"Pommes {number}")).id for number in range(41)]
        for item_id in items[:40]:
            set_price(tx, "hub", item_id, 250)
        set_price(tx, "hub", items[0], 200, category_id="staff")
    with store.write() as tx:
        event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        set_prices(tx, "hub", {item_id: 300 + index for index, item_id in enumerate(items[:40])})
    assert len([statement for statement in statements if statement.startswith("UPDATE")]) == 2
    with store.write() as tx:
        set_prices(tx, "hub", dict.fromkeys(items[39:], 500))
        offers = [item_by_id(tx, "hub", item_id).offers for item_id in items]
        assert [(each[-1].price, each[-1].version) for each in (offers[1], offers[39], offers[40])] == [
            (301, 2),
            (500, 3),
            (500, 1),
        ]
        assert sorted((each.category_id or "", each.price) for each in offers[0]) == [("", 300), ("staff", 200)]


def test_many_prices_are_set_for_own_items_alone(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        item_id = add_item(tx, "hub", hub.id, product(tx)).id
        set_price(tx, "hub", item_id, 250)
        with pytest.raises(NotFound):
            set_prices(tx, "farm", {item_id: 1})
        with pytest.raises(Invalid):
            set_prices(tx, "hub", {item_id: -1})
        assert item_by_id(tx, "hub", item_id).offers[0].price == 250


def test_the_prices_of_a_category_are_set_over_no_other_change(store: Store, hub: Catalog) -> None:
    with store.write() as tx:
        items = [add_item(tx, "hub", hub.id, product(tx, name=f"Pomme {number}")).id for number in range(25)]
        set_category_prices(tx, "hub", "staff", dict.fromkeys(items, 200), {})
        set_category_prices(tx, "hub", "staff", {items[0]: 150, items[1]: None}, {items[0]: 1, items[1]: 1})
        offers = [item_by_id(tx, "hub", item_id).offers for item_id in items]
        assert [[(each.price, each.version) for each in some] for some in offers[:3]] == [[(150, 2)], [], [(200, 1)]]
        assert [item.id for item in items_of_category(tx, "hub", "staff")] == [items[0], *items[2:]]
    for prices, seen in (
        ({items[2]: 100, items[0]: 100}, {items[2]: 1, items[0]: 1}),
        ({items[0]: None}, {items[0]: 1}),
        ({items[0]: 100}, {}),
    ):
        with pytest.raises(Stale), store.write() as tx:
            set_category_prices(tx, "hub", "staff", prices, seen)
    with pytest.raises(NotFound), store.write() as tx:
        set_category_prices(tx, "hub", "theirs", {items[0]: 1}, {})
    with pytest.raises(NotFound), store.write() as tx:
        set_category_prices(tx, "farm", "theirs", {items[0]: 1}, {})
    with pytest.raises(Stale), store.write() as tx:
        remove_price(tx, "hub", items[0], category_id="staff", version=1)
    with store.read() as tx:
        assert item_by_id(tx, "hub", items[2]).offers[0].price == 200, "all of them or none"
