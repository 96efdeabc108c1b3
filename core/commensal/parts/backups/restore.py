"""Restores an instance from a backup into a new folder, completely or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import MetaData, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ...base.clock import Clock
from ...base.errors import Problem, SettingsError, StoreError
from ...base.failpoints import failpoint
from ...base.ids import RandomIds
from ...instance.backup_key import keys_beside
from ...instance.instance import DATABASE, UpgradeRecord, write_upgrade_record
from ...storage.database import Store
from ...storage.database.errors import DATABASE_ERRORS, database_message
from ...storage.jobs.tables import job
from ..setup.named_files import sync_folder
from . import databases
from .archive import SETTINGS, Archive
from .manifest import Manifest
from .settings import with_database
from .source import Source
from .upkeep.upkeep import BACKUP, TRIAL
from .verify import OF_POSTGRESQL, OF_SQLITE, refuse_unsound

RESTORED = "restored"  # a file with the moment of the restore, for plugins that have sent messages to others since


@dataclass(frozen=True)
class ImportedInstance:
    """The result of a restore or an import, with what the operator must know before the instance serves."""

    manifest: Manifest
    absent: dict[str, str | Problem]
    """Enabled plugins that cannot be loaded on this machine, with the reason."""
    waiting: dict[str, int]
    """Numbers of jobs, by kind, that were not done at the moment of the archive, such as e-mails."""


def restore(
    file: Path, folder: Path, *, database: str = "", key: Path | None = None, unproven: bool = False, clock: Clock
) -> ImportedInstance:
    """Restores the instance of the backup `file` into `folder`, which must be new or empty.

    A backup of PostgreSQL is loaded into the empty database of the URL `database`. Jobs that waited when the backup was
    made wait again. Those that have run since then will run twice, e-mails too; `ImportedInstance.waiting` counts them.

    The backup must be proven by `key` (None: by a key of the instances beside `folder`), unless `unproven`.

    Raises `StoreError` for an archive that is damaged, not proven, written by a newer version, or violates an
    invariant, and `SettingsError` for a folder or database that is not empty.
    """
    with Archive.open(file) as archive:
        manifest = archive.manifest
        _refuse_kind(file, manifest, database)
        if not unproven:
            archive.refuse_unproven([key] if key else keys_beside(folder))
        if database:
            databases.require_tools()
        with empty_database(database, clock), new_folder(folder) as new:
            source = unpack_files(archive, new, database, clock)
            _load(archive, new, database)
            failpoint("arrival.filled")
            refuse_unsound(source.url, source, manifest)
            note_arrival(new, clock)
            return ImportedInstance(manifest, dict(source.hooks.absent), waiting_jobs(source))


def note_arrival(folder: Path, clock: Clock) -> None:
    """Writes down when the instance came here, and the version to which its database belongs now."""
    (folder / RESTORED).write_text(f"{clock.now().isoformat()}\n", encoding="utf-8")
    write_upgrade_record(folder, UpgradeRecord(version=version("commensal"), at=clock.now()))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that is renamed to `folder` at the end of the block, or deleted on an error.

    Raises `SettingsError` if `folder` is not empty, so that no instance is overwritten.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError("{folder} is not empty; name a new folder. Nothing was changed.", folder=folder)
    unfinished = folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if unfinished.exists():
            shutil.rmtree(unfinished)  # of a killed process
        unfinished.mkdir(mode=0o700)
        try:
            yield unfinished
            failpoint("arrival.checked")
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    except OSError as error:
        raise StoreError("{file}: {error}", file=folder, error=error) from error


def unpack_files(archive: Archive, folder: Path, database: str, clock: Clock) -> Source:
    """Unpacks all but the database into `place`: the settings, with the URL of the new database, and the images."""
    archive.refuse_too_large(folder)
    archive.extract(SETTINGS, folder / "instance.toml")
    file = folder / "instance.toml"
    try:
        file.write_text(with_database(file.read_text(encoding="utf-8"), database), encoding="utf-8")
    except ValueError as error:  # no TOML, or no text
        text = "{archive}: {file}: {error}"
        raise StoreError(text, archive=archive.path, file=SETTINGS, error=error) from error
    archive.extract_images(folder / "images")
    failpoint("arrival.unpacked")
    return Source.without_secrets(folder, clock)


@contextmanager
def empty_database(url: str, clock: Clock) -> Iterator[None]:
    """Drops all tables again if the block raises. `url` "" does nothing: an SQLite file is deleted with its folder.

    Raises `SettingsError` if the database of `url` has tables already, or is not PostgreSQL; `StoreError` if it cannot
    be reached, also when the tables are to be dropped.
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
            _drop_tables(store)
            raise
    finally:
        store.close()


def _drop_tables(store: Store) -> None:
    try:
        with store.write() as tx:
            tables = MetaData()
            tables.reflect(bind=tx.connection)
            tables.drop_all(bind=tx.connection)
    except DATABASE_ERRORS as error:
        text = "--database: {error}. It may hold some of the rows; name an empty one for the next attempt."
        raise StoreError(text, error=database_message(error)) from error


def _has_tables(store: Store) -> bool:
    try:
        with store.read() as tx:
            return bool(inspect(tx.connection).get_table_names())
    except DATABASE_ERRORS as error:
        raise StoreError("--database: {error}", error=database_message(error)) from error


def waiting_jobs(source: Source) -> dict[str, int]:
    """Numbers of jobs that are not done yet, by kind; without backups, which concern nobody outside the instance."""
    store = source.store(source.url)
    try:
        with store.read() as tx:
            undone = (job.c.state.in_(("waiting", "running")), job.c.kind.not_in((BACKUP, TRIAL)))
            counts = select(job.c.kind, func.count().label("count")).where(*undone)
            rows = tx.all(counts.group_by(job.c.kind).order_by(job.c.kind))
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


def _load(archive: Archive, folder: Path, database: str) -> None:
    if not database:
        archive.extract(OF_SQLITE, folder / DATABASE)
        databases.refuse_damaged(folder / DATABASE)
        return
    dump = folder / "database.dump"
    archive.extract(OF_POSTGRESQL, dump)
    databases.load(database, dump)
    dump.unlink()
