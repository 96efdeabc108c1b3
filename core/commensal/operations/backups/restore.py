"""Makes an instance from a backup: in a new folder, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ...base.clock import Clock
from ...base.errors import Problem, SettingsError, StoreError
from ...base.failpoints import failpoint
from ...base.ids import RandomIds
from ...instance.instance import DATABASE
from ...storage.database import Store
from ...storage.jobs.tables import job
from . import postgresql, sqlite
from .archive import SETTINGS, Archive, sync_folder
from .manifest import Manifest
from .settings import with_database
from .source import Source
from .upkeep import BACKUP, TRIAL
from .verify import OF_POSTGRESQL, OF_SQLITE, refuse_unsound

RESTORED = "restored"  # a file: when it was, for plugins that have told others more than they know now


@dataclass(frozen=True)
class Arrived:
    """An instance that has arrived from an archive, and what its operator must know before it serves."""

    manifest: Manifest
    absent: dict[str, str | Problem]
    """Plugins that were enabled and cannot be loaded here, with the reason."""
    waiting: dict[str, int]
    """Jobs by kind that had not been done at the moment of the archive, e-mails among them."""


def restore(file: Path, folder: Path, *, database: str = "", clock: Clock) -> Arrived:
    """Makes the instance of the backup `file` in `folder`, which must be new or empty.

    A backup of PostgreSQL goes into the empty database of the URL `database`. Jobs that waited when the backup was made
    wait again. Those that the instance has done since would be done twice, e-mails too: `Arrived.waiting` counts them.

    Raises `StoreError` for an archive that is damaged, was written by a newer version, or is not sound, and
    `SettingsError` for a folder or database that is not empty.
    """
    with Archive.open(file) as archive:
        manifest = archive.manifest
        _refuse_kind(file, manifest, database)
        if database:
            postgresql.need_tools()
        with emptied_on_failure(database, clock), new_folder(folder) as place:
            source = settle(archive, place, database, clock)
            _load(archive, place, database)
            (place / RESTORED).write_text(f"{clock.now().isoformat()}\n", encoding="utf-8")
            failpoint("arrival.filled")
            refuse_unsound(source.url, source, manifest)
            return Arrived(manifest, dict(source.hooks.absent), waiting_jobs(source))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that becomes `folder` when all went well, and is gone when it did not.

    Raises `SettingsError` where there is something in `folder`: an instance is never overwritten.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError("{folder} is not empty; name a new folder. Nothing was changed.", folder=folder)
    place = folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if place.exists():
            shutil.rmtree(place)  # of one that was killed
        place.mkdir(mode=0o700)
        try:
            yield place
            failpoint("arrival.checked")
            place.rename(folder)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    except OSError as error:
        raise StoreError("{file}: {error}", file=folder, error=error) from error


def settle(archive: Archive, place: Path, database: str, clock: Clock) -> Source:
    """Unpacks all but the database into `place`: the settings, with the URL of the new database, and the images."""
    archive.refuse_too_large(place)
    archive.extract(SETTINGS, place / "instance.toml")
    file = place / "instance.toml"
    try:
        file.write_text(with_database(file.read_text(encoding="utf-8"), database), encoding="utf-8")
    except ValueError as error:  # no TOML, or no text
        text = "{archive}: {file}: {error}"
        raise StoreError(text, archive=archive.path, file=SETTINGS, error=error) from error
    archive.extract_images(place / "images")
    failpoint("arrival.unpacked")
    return Source.without_secrets(place, clock)


@contextmanager
def emptied_on_failure(url: str, clock: Clock) -> Iterator[None]:
    """Raises `SettingsError` where the database of `url` has tables already, or is no database of a server.

    On any error it is as empty as before. An empty `url` needs nothing: an SQLite file goes with its folder.
    """
    if not url:
        yield
        return
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        kind = ""
    if kind != "postgresql":
        raise SettingsError("--database: a URL like postgresql://user@host/name; for SQLite, leave it out.")
    store = Store(url, clock=clock, ids=RandomIds())
    try:
        if _has_tables(store):
            raise SettingsError("--database: there are tables in it; name an empty one. Nothing was changed.")
        try:
            yield
        except BaseException:
            with store.write() as tx:
                left = MetaData()
                left.reflect(bind=tx.connection)
                left.drop_all(bind=tx.connection)
            raise
    finally:
        store.close()


def _has_tables(store: Store) -> bool:
    try:
        with store.read() as tx:
            return bool(inspect(tx.connection).get_table_names())
    except DBAPIError as error:
        raise StoreError("--database: {error}", error=error.orig) from error


def waiting_jobs(source: Source) -> dict[str, int]:
    """Jobs that are still to be done, by kind; without backups, which the instance owes to nobody but itself."""
    store = source.store(source.url)
    try:
        with store.read() as tx:
            undone = (job.c.state.in_(("waiting", "running")), job.c.kind.not_in((BACKUP, TRIAL)))
            counted = select(job.c.kind, func.count().label("count")).where(*undone)
            rows = tx.all(counted.group_by(job.c.kind).order_by(job.c.kind))
            return {row["kind"]: row["count"] for row in rows}
    finally:
        store.close()


def _refuse_kind(file: Path, manifest: Manifest, database: str) -> None:
    if manifest.kind != "backup":
        raise StoreError("{file} is an export; `commensal import` reads it.", file=file)
    if manifest.database == "postgresql" and not database:
        raise SettingsError("This backup is of a PostgreSQL database; name an empty one with --database.")
    if manifest.database == "sqlite" and database:
        raise SettingsError(
            "This backup is of an SQLite database. Restore it without --database; "
            "`commensal export` and `commensal import` then carry it to PostgreSQL."
        )


def _load(archive: Archive, place: Path, database: str) -> None:
    if not database:
        archive.extract(OF_SQLITE, place / DATABASE)
        sqlite.refuse_damaged(place / DATABASE)
        return
    dumped = place / "database.dump"
    archive.extract(OF_POSTGRESQL, dumped)
    postgresql.load(database, dumped)
    dumped.unlink()
