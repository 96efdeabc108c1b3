"""Hides items in a shop's catalogs, one by one or those of a producer, and shows them again."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from ..events.listings import announce_listing
from ..products.tables import supplied_product
from ..storage.database import Transaction
from .tables import catalog, catalog_item


def hide_producer(tx: Transaction, enterprise_id: str, producer_id: str) -> list[str]:
    """Hides the producer's items in the enterprise's catalogs, so that nobody can order them, not even in open sales.

    Returns the ids of the items that were visible before, for `show_items`: items that the shop hid itself stay hidden.
    """
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    is_of_producer = item.product_id.in_(
        select(supplied_product.c.id).where(supplied_product.c.enterprise_id == producer_id)
    )
    visible_ids = [
        row["id"] for row in tx.all(select(item.id).where(is_own, is_of_producer, ~item.hidden).order_by(item.id))
    ]
    _set(tx, visible_ids, hidden=True)
    return visible_ids


def hide_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> None:
    """Hides items of the enterprise, so that nobody can order them; ignores those that are not its own."""
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    query = select(item.id).where(is_own, item.id.in_(sorted(item_ids)), ~item.hidden).order_by(item.id)
    _set(tx, [row["id"] for row in tx.all(query)], hidden=True)


def show_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> None:
    """Shows items of the enterprise again; ignores those that no longer exist or are not its own."""
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    query = select(item.id).where(is_own, item.id.in_(sorted(item_ids)), item.hidden).order_by(item.id)
    _set(tx, [row["id"] for row in tx.all(query)], hidden=False)


def _set(tx: Transaction, item_ids: list[str], *, hidden: bool) -> None:
    if not item_ids:
        return
    statement = update(catalog_item).where(catalog_item.c.id.in_(item_ids))
    tx.execute(statement.values(hidden=hidden, version=catalog_item.c.version + 1))
    announce_listing(tx, catalog_item.c.id.in_(item_ids))
