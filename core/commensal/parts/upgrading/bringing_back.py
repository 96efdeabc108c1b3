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
from ...base.errors import Problem, SettingsError, Several
from ...base.failpoints import failpoint
from ...instance.backup_key import make_backup_key
from ...instance.instance import UpgradeRecord, read_upgrade_record, write_upgrade_record
from ...instance.tables import audit_entry
from ...orders.tables import customer_order
from ...payments.tables import payment
from ...storage.database import Transaction
from ...storage.database.presence import exclusive_access
from ..backups import databases
from ..backups.archive import Archive
from ..backups.manifest import revisions_of
from ..backups.restore import RESTORED
from ..backups.source import Source
from ..backups.verify import OF_POSTGRESQL, OF_SQLITE

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


def give_back(folder: Path, *, losing: bool, clock: Clock) -> UpgradeRecord:
    """Gives an instance that is stopped its database from before its last upgrade, whichever version runs this. Returns
    the new record: `version` is the one that can serve it now. Done again, or killed and typed again, it ends the same.

    Raises `SettingsError` if that version is not known, or people have changed something since and not `losing`; and
    the errors of `bring_back`.
    """
    record = read_upgrade_record(folder)
    if record is None or not (record.before or record.left):
        text = "Nobody knows which version {folders} had before, so there is no way back but a backup."
        raise SettingsError(text, folders=folder)
    if not record.before:
        return record
    if record.backup:
        if not losing:
            refuse_losses(folder, record, clock)
        source = Source.of(folder, clock)
        with closing(source.store(source.url)) as store, store.read() as tx:
            is_there = is_back(tx, record.revisions)
        if not is_there:
            bring_back(folder, Path(record.backup), clock=clock)
            failpoint("returning.replaced")
    return note_back(folder, record, record.before, clock)


def note_back(folder: Path, record: UpgradeRecord, before: str, clock: Clock) -> UpgradeRecord:
    """Records that the instance went back to the version `before`, and returns the record."""
    new_record = UpgradeRecord(version=before, at=clock.now(), left=record.version)
    write_upgrade_record(folder, new_record)
    return new_record


def refuse_losses(folder: Path, record: UpgradeRecord, clock: Clock) -> None:
    """Raises `SettingsError` if people have changed something since the upgrade, unless it is undone already."""
    source = Source.of(folder, clock)
    with closing(source.store(source.url)) as store, store.read() as tx:
        losses = [] if is_back(tx, record.revisions) else changes_since(tx, record.at)
    if losses:
        text = (
            "Since the upgrade of {at:%Y-%m-%d %H:%M} UTC there are in {folder}: {losses}. Going back loses them; "
            "`--losing-changes` says that you want that. Nothing was changed."
        )
        raise SettingsError(text, at=record.at, folder=folder, losses=Several(losses))


def bring_back(folder: Path, backup: Path, *, clock: Clock) -> None:
    """Replaces the database of a stopped instance by that of the backup, in one step: killed before it, everything is
    as it was. The newer one stays in the folder, as ``commensal.db.newer`` or as ``commensal.dump.newer``, which
    ``pg_restore`` reads.

    Raises `StoreError` if the backup is damaged or another's, and `Busy` if a process still has the instance open.
    """
    source = Source.of(folder, clock)
    work = source.folder / ".before"
    if work.exists():
        shutil.rmtree(work)  # of a killed process
    with closing(source.store(source.url)) as store, exclusive_access(store):
        work.mkdir(mode=0o700)
        with Archive.open(backup) as archive:
            archive.refuse_unproven([make_backup_key(source.folder)])
            archive.check()
            archive.extract(OF_POSTGRESQL if source.sqlite_file is None else OF_SQLITE, work / "before")
        (source.folder / RESTORED).write_text(f"{source.clock.now().isoformat()}\n", encoding="utf-8")
        if source.sqlite_file is not None:
            _replace_file(source.sqlite_file, work / "before")
        else:
            _replace_tables(source, work / "before")
        shutil.rmtree(work)


def _replace_file(file: Path, before: Path) -> None:
    databases.refuse_damaged(before)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all is in the file; closing removes the journal
    newer = file.with_name(f"{file.name}.newer")
    newer.unlink(missing_ok=True)
    os.link(file, newer)
    failpoint("returning.restored")
    before.replace(file)


def _replace_tables(source: Source, before: Path) -> None:
    newer = before.with_name("newer")
    with closing(source.store(source.url)) as store, store.read() as tx:
        databases.dump(tx, source.url, newer)
    newer.replace(source.folder / "commensal.dump.newer")
    failpoint("returning.restored")
    databases.replace(source.url, before)
