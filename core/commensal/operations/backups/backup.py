"""Backs up an instance while it serves: one file that has been opened and checked before it gets its name."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ...base.clock import Clock
from ...base.errors import Busy, SettingsError, StoreError, Unavailable
from ...base.failpoints import failpoint
from ...hooks.loading import migration_folders
from ...storage.database.revisions import missing
from ..checks import broken_invariants
from . import postgresql, sqlite
from .archive import SETTINGS, name_finished, writing
from .manifest import Manifest, describe
from .settings import without_secrets
from .source import Source, refuse_broken
from .verify import OF_POSTGRESQL, OF_SQLITE, verify

_NAME = re.compile(r"commensal-\d{8}T\d{6}Z\.zip")


@dataclass(frozen=True)
class Backup:
    file: Path
    manifest: Manifest
    removed: tuple[Path, ...]
    """Older ones that made room."""


def _free_name(to: Path, now: datetime) -> Path:
    """Two backups of one second, as of an upgrade that was killed and begun again, get names that sort as they came."""
    while (file := to / f"commensal-{now:%Y%m%dT%H%M%SZ}.zip").exists():
        now += timedelta(seconds=1)
    return file


def back_up(folder: Path, to: Path, *, keep: int = 14, whole: bool = False, clock: Clock) -> Backup:
    """Writes ``commensal-<moment in UTC>.zip`` into `to`, which belongs to this instance alone, and checks it; with
    `whole`, a dump of PostgreSQL is also loaded into a temporary database, as an SQLite file is opened in any case.

    Meanwhile the disk holds the database twice more. Of all backups there, the newest `keep` stay, and the new one in
    any case. Raises `SettingsError`, `StoreError`, or `Busy` while another backup is being written; then nothing is
    left behind and no older one is removed.
    """
    if keep < 1:
        raise SettingsError("At least one backup is kept.")
    source, now = Source.of(folder, clock), clock.now().astimezone(UTC)
    with _place(to) as work:
        file = _free_name(to, now)
        unfinished = work / file.name
        try:
            manifest = _write(source, work, unfinished)
        except DBAPIError as error:
            raise StoreError("The database cannot be read: {error}", error=error.orig) from error
        failpoint("backup.packed")
        verify(unfinished, source, work, whole=whole)
        failpoint("backup.checked")
        name_finished(unfinished, file)
        failpoint("backup.named")
        return Backup(file, manifest, _rotate(to, keep, file))


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, the newest first."""
    return sorted((one for one in folder.glob("*") if _NAME.fullmatch(one.name)), reverse=True)


def newest_in(folder: Path) -> Path:
    """The newest backup in a folder. Raises `StoreError` where there is none."""
    found = backups_in(folder)
    if not found:
        raise StoreError("There is no backup in {folder}.", folder=folder)
    return found[0]


def made_at(backup: Path) -> datetime:
    """The moment (UTC) in the name of a backup."""
    return datetime.strptime(backup.name, "commensal-%Y%m%dT%H%M%SZ.zip").replace(tzinfo=UTC)


def try_newest(folder: Path, to: Path, *, clock: Clock) -> Path:
    """Restores the newest backup in `to` into a temporary place and checks it. Raises `StoreError`.

    On PostgreSQL that is a temporary database on the same server.
    """
    newest = newest_in(to)
    with _place(to) as work:
        verify(newest, Source.of(folder, clock), work, whole=True)
    return newest


@contextmanager
def _place(to: Path) -> Iterator[Path]:
    """A folder to work in, on the disk where the backup will be. One backup at a time; what a killed one left goes."""
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(to / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        text = "Backups cannot be written to {folder}: {error}."
        raise StoreError(text, folder=to, error=error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in to.glob(".commensal-*.part"):
            shutil.rmtree(left)
        work = Path(tempfile.mkdtemp(prefix=".commensal-", suffix=".part", dir=to))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except BlockingIOError:
        raise Busy("another backup is being written to {folder}", folder=to) from None
    except Unavailable as error:  # which is a `Busy` to who serves requests: here nothing gets better by waiting
        raise StoreError("The database cannot be read: {error}", error=error.values["why"]) from error
    except OSError as error:
        raise StoreError("{file}: {error}", file=to, error=error) from error
    finally:
        os.close(lock)


def _write(source: Source, work: Path, unfinished: Path) -> Manifest:
    """The database first: whatever image it knows is in the folder by then."""
    text, left_out = without_secrets(source.folder, source.settings, source.hooks)
    said = {"made_at": source.clock.now(), "plugins": source.settings.enabled_plugins, "left_out": left_out}
    copy = work / "copy"
    with writing(unfinished) as out:
        if source.sqlite_file is not None:
            sqlite.snapshot(source.sqlite_file, copy)
            out.copy(OF_SQLITE, copy)
            store = source.store(f"sqlite:///{copy}")
        else:
            postgresql.need_tools()
            store = source.store(source.url)
        try:
            with store.read() as tx:
                if source.sqlite_file is None:
                    postgresql.dump(tx, source.url, copy)
                    out.copy(OF_POSTGRESQL, copy, stored=True)
                    if not missing(store, migration_folders(source.hooks)):
                        refuse_broken(broken_invariants(tx))
                failpoint("backup.copied")
                manifest = describe(tx, "backup", **said)  # type: ignore[arg-type]
        finally:
            store.close()
        for one in work.glob("copy*"):
            one.unlink()
        out.add(SETTINGS, text.encode())
        out.add_images(source.folder / "images")
        return out.finish(manifest)


def _rotate(to: Path, keep: int, made: Path) -> tuple[Path, ...]:
    """What was just made is known to be good and stays, even where the machine's clock was set back."""
    older = [one for one in backups_in(to) if one != made]
    surplus = older[keep - 1 :]
    for one in surplus:
        one.unlink()
    return tuple(surplus)
