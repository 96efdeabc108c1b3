"""A producer's goods leave a shop's catalogs, and come back: what its people had hidden themselves stays hidden."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from ...storage.database import Transaction
from ..events.listings import announce_listing
from ..products.tables import supplied_product
from .tables import catalog, catalog_item


def hide_producer(tx: Transaction, enterprise_id: str, producer_id: str) -> list[str]:
    """Hides what the enterprise lists of the producer: nobody can order it from now on, in running sales neither.

    Returns the ids of the items that were not hidden before.
    """
    item = catalog_item.c
    mine = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    its = item.product_id.in_(select(supplied_product.c.id).where(supplied_product.c.enterprise_id == producer_id))
    shown = [row["id"] for row in tx.all(select(item.id).where(mine, its, ~item.hidden).order_by(item.id))]
    _set(tx, shown, hidden=True)
    return shown


def show_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> None:
    """Shows items of the enterprise again; those that are gone or not its own are left out."""
    item = catalog_item.c
    mine = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    there = select(item.id).where(mine, item.id.in_(sorted(item_ids)), item.hidden).order_by(item.id)
    _set(tx, [row["id"] for row in tx.all(there)], hidden=False)


def _set(tx: Transaction, item_ids: list[str], *, hidden: bool) -> None:
    if not item_ids:
        return
    changed = update(catalog_item).where(catalog_item.c.id.in_(item_ids))
    tx.execute(changed.values(hidden=hidden, version=catalog_item.c.version + 1))
    announce_listing(tx, catalog_item.c.id.in_(item_ids))
