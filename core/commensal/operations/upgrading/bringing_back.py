"""Gives an instance that was upgraded the database from before, out of the backup that the upgrade made."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Table, func, select

from ...base.clock import Clock
from ...base.errors import Problem, SettingsError
from ...hooks.loading import migration_folders
from ...instance.instance import DATABASE
from ...instance.owner import as_owner
from ...instance.tables import audit_entry
from ...storage.database import Transaction
from ...storage.database.revisions import missing
from ...trade.orders.tables import customer_order
from ...trade.payments.tables import payment
from ..backups.restore import RESTORED
from ..backups.source import Source
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


def bring_back(folder: Path, backup: Path, *, command: Path, clock: Clock) -> None:
    """Replaces the SQLite database of a stopped instance by that of the backup. The newer one stays beside it, as
    ``commensal.db.newer``.

    `command` is that of the version that wrote the backup, which restores it. The replacement is one rename: killed
    before it, everything is as it was. Raises `SettingsError` for PostgreSQL, where only a person can name an empty
    database; `CommandFailed` if the backup cannot be restored.
    """
    file = Source.of(folder, clock).sqlite_file
    if file is None:
        text = (
            "On PostgreSQL a person must do this: make an empty database, then run `{command} restore {backup} "
            "--instance {folder}-restored --database URL-OF-AN-EMPTY-DATABASE`, and name that database in "
            "{folder}/instance.toml."
        )
        raise SettingsError(text, command=command, backup=backup, folder=folder)
    restored = folder / ".before"
    if restored.exists():
        shutil.rmtree(restored)  # of a killed process
    run([command, "restore", backup, "--instance", restored], owner_of=folder)
    with as_owner(folder):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all is in the file; closing removes the journal
        newer = file.with_name(f"{file.name}.newer")
        newer.unlink(missing_ok=True)
        os.link(file, newer)
        shutil.copy(restored / RESTORED, folder / RESTORED)
        (restored / DATABASE).replace(file)
        shutil.rmtree(restored)


def is_back(source: Source) -> bool:
    """Whether the database is older than this version: then it was brought back already."""
    store = source.store(source.url)
    try:
        return bool(missing(store, migration_folders(source.hooks)))
    finally:
        store.close()
