"""Gives an instance that was upgraded the database from before, out of the backup that the upgrade made.

On SQLite the file is replaced by one rename; on PostgreSQL all tables by one transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Table, func, select

from ...base.clock import Clock
from ...base.errors import Problem
from ...base.failpoints import failpoint
from ...instance.instance import DATABASE
from ...instance.owner import as_owner
from ...instance.tables import audit_entry
from ...storage.database import Transaction
from ...storage.database.presence import exclusive_access
from ...trade.orders.tables import customer_order
from ...trade.payments.tables import payment
from ..backups import postgresql
from ..backups.archive import Archive
from ..backups.manifest import revisions_of
from ..backups.restore import RESTORED
from ..backups.source import Source
from ..backups.verify import OF_POSTGRESQL
from .versions import run

_BY_ITSELF = "job"  # the actor of what an instance does by itself, which the version before will do again


def changes_since(tx: Transaction, moment: datetime) -> list[Problem]:
    """What people have done since then, by kind: orders, payments, and anything else in the audit trail."""
    by_people = (audit_entry.c.at > moment) & (audit_entry.c.actor != _BY_ITSELF)
    orders = _count(tx, customer_order, customer_order.c.placed_at > moment)
    payments = _count(tx, payment, payment.c.created_at > moment)
    losses = [
        Problem("orders", "{count} orders", values={"count": orders}),
        Problem("payments", "{count} payments", values={"count": payments}),
        Problem("changes", "{count} changes by people", values={"count": _count(tx, audit_entry, by_people)}),
    ]
    return [loss for loss in losses if loss.values["count"]]


def _count(tx: Transaction, table: Table, condition: ColumnElement[bool]) -> int:
    return int(tx.value(select(func.count()).select_from(table).where(condition)))


def is_back(tx: Transaction, revisions: Collection[str]) -> bool:
    """Whether the database has had none of the revisions of an upgrade: none has run yet, or it was brought back."""
    applied = {revision for line in revisions_of(tx).values() for revision in line}
    return bool(revisions) and applied.isdisjoint(revisions)


def bring_back(folder: Path, backup: Path, *, command: Path, clock: Clock) -> None:
    """Replaces the database of a stopped instance by that of the backup, in one step: killed before it, everything is
    as it was. The newer one stays in the folder, as ``commensal.db.newer`` or as ``commensal.dump.newer``, which
    ``pg_restore`` reads.

    `command` is that of the version that wrote the backup, which restores it on SQLite. Raises `CommandFailed` or
    `StoreError` if the backup cannot be restored, and `Busy` if a process still has the instance open.
    """
    source = Source.of(folder, clock)
    work = folder / ".before"
    if work.exists():
        shutil.rmtree(work)  # of a killed process
    if source.sqlite_file is not None:
        run([command, "restore", backup, "--instance", work], owner_of=folder)
    with as_owner(folder), closing(source.store(source.url)) as store, exclusive_access(store):
        if source.sqlite_file is not None:
            _replace_file(source.sqlite_file, work)
        else:
            _replace_tables(source, backup, work)
        shutil.rmtree(work)


def _replace_file(file: Path, restored: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all is in the file; closing removes the journal
    newer = file.with_name(f"{file.name}.newer")
    newer.unlink(missing_ok=True)
    os.link(file, newer)
    shutil.copy(restored / RESTORED, file.parent / RESTORED)
    failpoint("returning.restored")
    (restored / DATABASE).replace(file)


def _replace_tables(source: Source, backup: Path, work: Path) -> None:
    work.mkdir(mode=0o700)
    with Archive.open(backup) as archive:
        archive.check()
        archive.extract(OF_POSTGRESQL, work / "database.dump")
    with closing(source.store(source.url)) as store, store.read() as tx:
        postgresql.dump(tx, source.url, work / "newer")
    (work / "newer").replace(source.folder / "commensal.dump.newer")
    (source.folder / RESTORED).write_text(f"{source.clock.now().isoformat()}\n", encoding="utf-8")
    failpoint("returning.restored")
    postgresql.replace(source.url, work / "database.dump")
