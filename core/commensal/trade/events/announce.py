"""Announces what happened, inside the transaction in which it happens: it is told if that commits, and only then.

One job is promised for each plugin that listens and is switched on by the enterprise. Where nobody listens nothing is
written, and where no plugin of the instance listens nothing is even asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from ...hooks.contract import AnyHook
from ...storage.database import Transaction
from ...storage.jobs import Promise, promise_all
from ..enterprises.tables import enterprise_plugin

EVENT = "event"  # the kind of job; its handler is `tell_plugin`


def announce(tx: Transaction, hook: AnyHook, table: Table, which: ColumnElement[bool]) -> None:
    """The event of `hook` has happened to `which` rows of `table`: orders, payments, sale sessions, stock lots.

    One question and one insertion, for one row and for thousands: a row's `enterprise_id` says whose plugins are told.
    """
    listening = tx.listeners.get(hook.name, ())
    if not listening:
        return
    rows = (
        select(table.c.id, table.c.enterprise_id, enterprise_plugin.c.plugin)
        .join(enterprise_plugin, enterprise_plugin.c.enterprise_id == table.c.enterprise_id)
        .where(which, enterprise_plugin.c.plugin.in_(listening))
        .order_by(table.c.id)
    )
    plugins: dict[tuple[str, str], list[str]] = {}
    for row in tx.all(rows):
        plugins.setdefault((row["id"], row["enterprise_id"]), []).append(row["plugin"])
    promise_all(tx, [one for (id, whose), told in plugins.items() for one in promises_of(tx, hook, whose, id, told)])


def event_promises(
    tx: Transaction, hook: AnyHook, enterprise_id: str, subject_id: str, plugins: Collection[str]
) -> list[Promise]:
    """The same where the enterprise's `plugins` are known already: to be promised along with other work."""
    told = [plugin for plugin in tx.listeners.get(hook.name, ()) if plugin in plugins]
    return list(promises_of(tx, hook, enterprise_id, subject_id, told))


def promises_of(
    tx: Transaction, hook: AnyHook, enterprise_id: str, subject: str | Sequence[str], plugins: Collection[str]
) -> Iterable[Promise]:
    """All plugins are told of one event, with one id. A `subject` of several is told as one event too."""
    if not plugins:
        return
    event = {"id": tx.new_id(), "kind": hook.name, "at": tx.now.isoformat(), "enterprise_id": enterprise_id}
    said: dict[str, Any] = {"event": event, "subject_id": subject}
    yield from (Promise(EVENT, {**said, "plugin": plugin}) for plugin in plugins)
