"""Failures of plugins, kept where ``commensal plugins`` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ..store import Transaction, insert_or
from .dispatcher import Failure
from .tables import plugin_failure

LONGEST = 1000  # characters of what went wrong


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Of one plugin: how many there were, and the last of them. `last_at` is UTC."""

    count: int
    hook: str
    what: str
    last_at: datetime


def note_failures(tx: Transaction, failures: Sequence[Failure]) -> None:
    """Counts them in."""
    for one in failures:
        row = {"plugin": one.plugin, "hook": one.hook, "count": 1, "what": one.what[:LONGEST], "last_at": one.at}
        new = insert_or(tx, plugin_failure).values(row)
        again = {"count": plugin_failure.c.count + 1, "what": new.excluded.what, "last_at": new.excluded.last_at}
        tx.execute(new.on_conflict_do_update(index_elements=["plugin", "hook"], set_=again))


def failures_by_plugin(tx: Transaction) -> Mapping[str, Failures]:
    """Every plugin that has failed."""
    rows = tx.all(select(plugin_failure).order_by(plugin_failure.c.last_at))
    counted = select(plugin_failure.c.plugin, func.sum(plugin_failure.c.count).label("all"))
    sums = {row["plugin"]: int(row["all"]) for row in tx.all(counted.group_by(plugin_failure.c.plugin))}
    return {
        row["plugin"]: Failures(count=sums[row["plugin"]], hook=row["hook"], what=row["what"], last_at=row["last_at"])
        for row in rows
    }
