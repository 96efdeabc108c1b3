"""Announces events inside the transaction in which they happen: plugins are told only if it commits.

One job is enqueued for each plugin that listens and that the enterprise has switched on. If no plugin listens, nothing
is written; if no plugin of the instance listens, nothing is even read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Table, and_, select

from ..catalogs.tables import catalog, catalog_item
from ..enterprises.tables import enterprise_plugin
from ..hooks import specifications
from ..hooks.contract import AnyHook
from ..products.tables import supplied_product
from ..storage.database import Transaction
from ..storage.jobs import NewJob, enqueue_all

EVENT = "event"  # the kind of job; its handler is `tell_plugin`
SOLD_OUT = "sold_out"  # the kind of job; its handler is `announce_sold_out`


def announce(tx: Transaction, hook: AnyHook, table: Table, condition: ColumnElement[bool]) -> None:
    """Announces the event of `hook` for the rows of `table` that match: orders, payments, sale sessions, stock lots.

    One query and one insert, for one row or thousands. A row's `enterprise_id` decides whose plugins are told.
    """
    listeners = tx.listeners.get(hook.name, ())
    if not listeners:
        return
    statement = (
        select(table.c.id, table.c.enterprise_id, enterprise_plugin.c.plugin)
        .join(enterprise_plugin, enterprise_plugin.c.enterprise_id == table.c.enterprise_id)
        .where(condition, enterprise_plugin.c.plugin.in_(listeners))
        .order_by(table.c.id)
    )
    plugins: dict[tuple[str, str], list[str]] = {}
    for row in tx.all(statement):
        plugins.setdefault((row["id"], row["enterprise_id"]), []).append(row["plugin"])
    enqueue_all(
        tx,
        [
            new_job
            for (subject_id, enterprise_id), plugin_ids in plugins.items()
            for new_job in jobs_of_event(tx, hook, enterprise_id, subject_id, plugin_ids)
        ],
    )


def event_jobs(
    tx: Transaction, hook: AnyHook, enterprise_id: str, subject_id: str, plugins: Collection[str]
) -> list[NewJob]:
    """Returns the jobs of one event, for a caller that has read the enterprise's `plugins` and enqueues them itself."""
    listeners = [plugin for plugin in tx.listeners.get(hook.name, ()) if plugin in plugins]
    return list(jobs_of_event(tx, hook, enterprise_id, subject_id, listeners))


def sold_out_jobs(tx: Transaction, lot_ids: Sequence[str]) -> list[NewJob]:
    """Returns the job that announces that nothing is left of these lots, for an order that enqueues it with its others:
    whose plugins are to be told is a question that no customer waits for."""
    if not lot_ids or not tx.listeners.get(specifications.sold_out.name):
        return []
    return [NewJob(SOLD_OUT, {"lots": sorted(lot_ids)})]


def jobs_of_event(
    tx: Transaction, hook: AnyHook, enterprise_id: str, subject: str | Sequence[str], plugins: Collection[str]
) -> Iterable[NewJob]:
    """Yields a job for each plugin about one event with one id. A `subject` of several ids is one event too."""
    if not plugins:
        return
    event = {"id": tx.new_id(), "kind": hook.name, "at": tx.now.isoformat(), "enterprise_id": enterprise_id}
    payload: dict[str, object] = {"event": event, "subject_id": subject}
    yield from (NewJob(EVENT, {**payload, "plugin": plugin}) for plugin in plugins)


# Announces changes to products, and to what an enterprise lists: to an item, or to its product, price or stock.

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
