"""Announces that what an enterprise lists has changed: an item, or the product, price or stock behind it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from ...hooks import specifications
from ...storage.database import Transaction
from ...storage.jobs import promise_all
from ..catalogs.tables import catalog, catalog_item
from ..enterprises.tables import enterprise_plugin
from ..products.tables import supplied_product
from .announce import promises_of

_AT_ONCE = 200  # items that one job tells of


def announce_listing(tx: Transaction, *which: ColumnElement[bool]) -> None:
    """Tells those who listen of the items that are meant: conditions on `catalog_item` and `supplied_product`.

    Of an item that is taken off the list it must be announced before it goes.
    """
    listening = tx.listeners.get(specifications.listing_changed.name, ())
    if not listening:
        return
    rows = (
        select(catalog_item.c.id, catalog.c.enterprise_id, enterprise_plugin.c.plugin)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .join(enterprise_plugin, enterprise_plugin.c.enterprise_id == catalog.c.enterprise_id)
        .where(*which, enterprise_plugin.c.plugin.in_(listening))
        .order_by(catalog_item.c.id)
    )
    items: dict[tuple[str, str], list[str]] = {}
    for row in tx.all(rows):
        items.setdefault((row["enterprise_id"], row["plugin"]), []).append(row["id"])
    promise_all(
        tx,
        [
            promise
            for (whose, plugin), ids in items.items()
            for first in range(0, len(ids), _AT_ONCE)
            for promise in promises_of(
                tx, specifications.listing_changed, whose, ids[first : first + _AT_ONCE], [plugin]
            )
        ],
    )
