"""Announces changes to products, and to what an enterprise lists: to an item, or to its product, price or stock."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from ..catalogs.tables import catalog, catalog_item
from ..enterprises.tables import enterprise_plugin
from ..hooks import specifications
from ..products.tables import supplied_product
from ..storage.database import Transaction
from ..storage.jobs import enqueue_all
from .announce import announce, jobs_of_event

_AT_ONCE = 200  # items in one job


def announce_products(tx: Transaction, *conditions: ColumnElement[bool]) -> None:
    """Enqueues the event `product_changed` for each product that matches conditions on `supplied_product`, and
    `listing_changed` for the items of these products."""
    announce(tx, specifications.product_changed, supplied_product, and_(*conditions))
    announce_listing(tx, *conditions)


def announce_listing(tx: Transaction, *conditions: ColumnElement[bool]) -> None:
    """Enqueues the event `listing_changed` for the items that match conditions on `catalog_item`, `supplied_product`.

    Call it before an item is deleted: afterwards it is not found.
    """
    listeners = tx.listeners.get(specifications.listing_changed.name, ())
    if not listeners:
        return
    statement = (
        select(catalog_item.c.id, catalog.c.enterprise_id, enterprise_plugin.c.plugin)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .join(enterprise_plugin, enterprise_plugin.c.enterprise_id == catalog.c.enterprise_id)
        .where(*conditions, enterprise_plugin.c.plugin.in_(listeners))
        .order_by(catalog_item.c.id)
    )
    items: dict[tuple[str, str], list[str]] = {}
    for row in tx.all(statement):
        items.setdefault((row["enterprise_id"], row["plugin"]), []).append(row["id"])
    enqueue_all(
        tx,
        [
            new_job
            for (enterprise_id, plugin), ids in items.items()
            for start in range(0, len(ids), _AT_ONCE)
            for new_job in jobs_of_event(
                tx, specifications.listing_changed, enterprise_id, ids[start : start + _AT_ONCE], [plugin]
            )
        ],
    )
