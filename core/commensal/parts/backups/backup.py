"""Backs up an instance while it serves, into one file that is checked before it gets its name."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...base.clock import Clock
from ...base.errors import Busy, SettingsError, StoreError, Unavailable
from ...base.failpoints import failpoint
from ...hooks.loading import migration_folders
from ...instance.backup_key import make_backup_key
from ...storage.database.errors import DATABASE_ERRORS, database_message
from ...storage.database.revisions import missing
from ..checks import broken_invariants
from . import databases
from .archive import SETTINGS, name_finished, new_archive
from .elsewhere import fetch_newest
from .manifest import Manifest, describe
from .settings import without_secrets
from .source import Source, refuse_broken
from .upkeep.upkeep import backups_in, newest_in
from .verify import OF_POSTGRESQL, OF_SQLITE, verify


@dataclass(frozen=True)
class Backup:
    file: Path
    manifest: Manifest
    removed: tuple[Path, ...]
    """Older backups that were deleted."""


def _free_name(to: Path, now: datetime) -> Path:
    """A free name. A second backup in the same second gets the name of a later second, so that names sort by time."""
    while (file := to / f"commensal-{now:%Y%m%dT%H%M%SZ}.zip").exists():
        now += timedelta(seconds=1)
    return file


def back_up(folder: Path, to: Path, *, keep: int = 14, whole: bool = False, clock: Clock) -> Backup:
    """Writes ``commensal-<moment in UTC>.zip`` into `to`, a folder for this instance's backups only, and checks it.

    With `whole`, a dump of PostgreSQL is also loaded into a temporary database; an SQLite file is always opened. For a
    while this needs disk space for two more copies of the database. Afterwards the newest `keep` backups stay, and the
    new one in any case. Raises `SettingsError`, `StoreError`, or `Busy` while another backup is being written; then the
    new file is removed and no older one is.
    """
    if keep < 1:
        raise SettingsError("At least one backup is kept.")
    source, now = Source.of(folder, clock), clock.now().astimezone(UTC)
    with _work_folder(to) as work:
        file = _free_name(to, now)
        unfinished = work / file.name
        try:
            manifest = _write(source, work, unfinished)
        except DATABASE_ERRORS as error:
            raise StoreError("The database cannot be read: {error}", error=database_message(error)) from error
        failpoint("backup.packed")
        verify(unfinished, source, work, whole=whole)
        failpoint("backup.checked")
        name_finished(unfinished, file)
        failpoint("backup.named")
        return Backup(file, manifest, _rotate(to, keep, file))


def try_newest(folder: Path, to: Path, *, clock: Clock) -> Path:
    """Restores the newest backup in `to` into a temporary folder, checks it, and returns its file. Raises `StoreError`.

    On PostgreSQL it is restored into a temporary database on the same server.
    """
    newest = newest_in(to, clock.now())
    with _work_folder(to) as work:
        verify(newest, Source.of(folder, clock), work, whole=True)
    return newest


def try_elsewhere(folder: Path, elsewhere: str, *, clock: Clock) -> Path:
    """Brings the newest backup back from the setting ``backups.elsewhere``, restores it as `try_newest` does, and
    returns the file, which is gone again. Raises `StoreError` and `SettingsError`."""
    with tempfile.TemporaryDirectory(prefix="commensal-") as temporary:
        return try_newest(folder, fetch_newest(elsewhere, Path(temporary), clock.now()).parent, clock=clock)


@contextmanager
def _work_folder(to: Path) -> Iterator[Path]:
    """A temporary folder on the disk of the backups, for one process at a time. Deletes folders of killed processes.

    Raises `Busy` while another process has one.
    """
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(to / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        text = "Backups cannot be written to {folder}: {error}."
        raise StoreError(text, folder=to, error=error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for leftover in to.glob(".commensal-*.part"):
            shutil.rmtree(leftover)
        work = Path(tempfile.mkdtemp(prefix=".commensal-", suffix=".part", dir=to))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except BlockingIOError:
        raise Busy("another backup is being written to {folder}", folder=to) from None
    except Unavailable as error:  # a `Busy`, but here waiting would not help
        raise StoreError("The database cannot be read: {error}", error=database_message(error)) from error
    except OSError as error:
        raise StoreError("{file}: {error}", file=to, error=error) from error
    finally:
        os.close(lock)


def _write(source: Source, work: Path, unfinished: Path) -> Manifest:
    """Writes the archive. The database comes first, so that all images it refers to are in the folder."""
    key = make_backup_key(source.folder)  # first, so that the manifest says that it is to be kept
    text, left_out = without_secrets(source.folder, source.settings, source.hooks)
    made_at = source.clock.now()
    copy = work / "copy"
    with new_archive(unfinished) as out:
        if source.sqlite_file is not None:
            databases.snapshot(source.sqlite_file, copy)
            out.copy(OF_SQLITE, copy)
            store = source.store(f"sqlite:///{copy}")
        else:
            databases.require_tools()
            store = source.store(source.url)
        try:
            with store.read() as tx:
                if source.sqlite_file is None:
                    databases.dump(tx, source.url, copy)
                    out.copy(OF_POSTGRESQL, copy, stored=True)
                    if not missing(store, migration_folders(source.hooks)):
                        refuse_broken(broken_invariants(tx))
                failpoint("backup.copied")
                manifest = describe(
                    tx, "backup", made_at=made_at, plugins=source.settings.enabled_plugins, left_out=left_out
                )
        finally:
            store.close()
        for file in work.glob("copy*"):
            file.unlink()
        out.add(SETTINGS, text.encode())
        out.add_images(source.settings.images_of(source.folder))
        return out.finish(manifest, key)


def _rotate(to: Path, keep: int, newest: Path) -> tuple[Path, ...]:
    """Deletes the surplus backups, and returns them. `newest` stays even if the machine's clock was set back."""
    older = [backup for backup in backups_in(to) if backup != newest]
    surplus = older[keep - 1 :]
    for surplus_backup in surplus:
        surplus_backup.unlink()
    return tuple(surplus)
