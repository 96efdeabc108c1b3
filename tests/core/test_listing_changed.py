"""Plugins that listen hear of changes to an enterprise's listing: the item, its product, its price, its stock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from commensal import Instance
from commensal.catalogs.items import add_item, change_item, item_by_id, remove_item
from commensal.catalogs.offers import remove_price, set_price
from commensal.products.products import archive_product, change_product, create_product
from commensal.products.questions import product_by_id
from commensal.products.vat import set_rate
from commensal.stock.lots import change_lot, lot_by_id
from commensal.stock.movements import receive_stock
from commensal.storage.database import Transaction

from .listening import Listener, a_shop_that_uses, plugins_loaded, run


@pytest.fixture
def listener() -> Listener:
    return Listener("ear")


@pytest.fixture
def instance(instance: Instance, listener: Listener) -> Iterator[Instance]:
    with plugins_loaded(instance, {"ear": listener.module("listing_changed")}) as listening_instance:
        yield listening_instance


@pytest.fixture
def item(instance: Instance) -> str:
    with instance.store.write() as tx:
        return a_shop_that_uses(tx, "ear")


def rename(tx: Transaction, item: str) -> None:
    product = product_by_id(tx, "shop", item_by_id(tx, "shop", item).product_id)
    change_product(tx, "shop", product.id, product.version, name="Poires")


def archive(tx: Transaction, item: str) -> None:
    product = product_by_id(tx, "shop", item_by_id(tx, "shop", item).product_id)
    archive_product(tx, "shop", product.id, product.version)


def tax(tx: Transaction, item: str) -> None:
    set_rate(tx, "shop", item_by_id(tx, "shop", item).product_id, Decimal(20))


def hide(tx: Transaction, item: str) -> None:
    change_item(tx, "shop", item, 1, hidden=True)


def harvest_as_needed(tx: Transaction, item: str) -> None:
    product = product_by_id(tx, "shop", item_by_id(tx, "shop", item).product_id)
    lot = lot_by_id(tx, "shop", product.lot_id)
    change_lot(tx, "shop", lot.id, lot.version, unlimited=True)


CHANGES: list[Callable[[Transaction, str], object]] = [
    rename,
    archive,
    tax,
    hide,
    harvest_as_needed,
    lambda tx, item: set_price(tx, "shop", item, 900),
    lambda tx, item: remove_price(tx, "shop", item),
]


NAMES = ["renamed", "archived", "taxed", "hidden", "unlimited", "priced", "unpriced"]


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_a_change_of_what_is_listed_is_told(
    instance: Instance, item: str, listener: Listener, change: Callable[[Transaction, str], object]
) -> None:
    with instance.store.write() as tx:
        change(tx, item)
    run(instance)
    assert [(event.enterprise_id, items) for event, items in listener.events] == [("shop", (item,))]


def test_received_stock_changes_no_listing(instance: Instance, item: str, listener: Listener) -> None:
    with instance.store.write() as tx:
        lot = product_by_id(tx, "shop", item_by_id(tx, "shop", item).product_id).lot_id
        receive_stock(tx, "shop", lot, Decimal(5))
    run(instance)
    assert listener.events == []


def test_a_new_item_and_one_that_goes_are_told(instance: Instance, item: str, listener: Listener) -> None:
    with instance.store.write() as tx:
        lot = product_by_id(tx, "shop", item_by_id(tx, "shop", item).product_id).lot_id
        product = create_product(
            tx,
            enterprise_id="shop",
            name="Coings",
            product_type="vegetable",
            quantity=Decimal(1),
            unit="Piece",
            lot_id=lot,
            vat_rate=Decimal(5),
        )
        added = add_item(tx, "shop", "shop-catalog", product.id)
    run(instance)
    with instance.store.write() as tx:
        remove_item(tx, "shop", added.id)
    run(instance)
    assert [items for _, items in listener.events] == [(added.id,), (added.id,)]
