"""Exports an instance into one archive that can be imported into either kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from ...base.clock import Clock
from ...base.errors import SettingsError, StoreError, Unavailable
from ...base.failpoints import failpoint
from ...hooks.loading import migration_folders
from ...instance.backup_key import keys_beside, make_backup_key
from ...storage.database import Exact, Flag, Json, Store, Time, Transaction, insert_rows
from ...storage.database.errors import database_message, why_unavailable
from ...storage.database.revisions import missing, tables_of
from ..checks import broken_invariants
from ..setup.named_files import file_of_caller
from .archive import SETTINGS, Archive, ArchiveWriter, archive_in, exists_already
from .manifest import Manifest, counts_of, describe, differences, revisions_of
from .restore import ImportedInstance, empty_database, new_folder, note_arrival, unpack_files, waiting_jobs
from .settings import without_secrets
from .source import Source, refuse_broken

# The rows of an export: a file for each table, a line of JSON for each row.
#
# A line is an object with every column of the table: integers as numbers, booleans as ``true`` and ``false``, moments
# as RFC 3339 text in UTC, decimals as text, and JSON documents as they are.

FOLDER, ENDING = "tables/", ".jsonl"
_AT_ONCE = 500  # rows in memory
_LONGEST = 64 * 1024**2  # bytes of one row


def write_rows(tx: Transaction, table: Table, out: ArchiveWriter) -> None:
    """Adds the file of one table, with a bounded number of rows in memory."""
    query = select(*table.c).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    with out.file(f"{FOLDER}{table.name}{ENDING}") as lines:
        for row in tx.execute(query).mappings():
            lines.write(msgspec.json.encode(dict(row)) + b"\n")


def read_rows(tx: Transaction, table: Table, lines: IO[bytes]) -> None:
    """Inserts the rows of one file. Raises `StoreError` that names the table, and the line if it is known."""
    convert_by_column, names = _readers(table), {column.name for column in table.c}
    batch: list[dict[str, object]] = []
    number = 0
    while line := lines.readline(_LONGEST):
        number += 1
        try:
            values = msgspec.json.decode(line)
            if not isinstance(values, dict) or set(values) != names:
                raise ValueError("its columns are not those of the table")
            batch.append(
                {
                    name: None if values[name] is None else convert_value(values[name])
                    for name, convert_value in convert_by_column.items()
                }
            )
        except (ValueError, TypeError, ArithmeticError) as error:
            text = "Row {number} of {table} cannot be read: {error}"
            raise StoreError(text, number=number, table=table.name, error=error) from error
        if len(batch) == _AT_ONCE:
            _insert(tx, table, batch)
            batch = []
    _insert(tx, table, batch)


@contextmanager
def defer_foreign_keys(tx: Transaction, tables: Iterable[Table]) -> Iterator[None]:
    """Lets rows refer to later rows of the same table until the block ends, when all references are checked.

    On PostgreSQL the constraints are altered for that, and altered back at the end.
    """
    if not tx.postgresql:
        tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield
        return
    inspector = inspect(tx.connection)
    constraints = [
        f'ALTER TABLE "{table.name}" ALTER CONSTRAINT "{key["name"]}"'
        for table in tables
        for key in inspector.get_foreign_keys(table.name)
        if key["referred_table"] == table.name
    ]
    for constraint in constraints:
        tx.execute(text(f"{constraint} DEFERRABLE INITIALLY DEFERRED"))
    yield
    tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for constraint in constraints:
        tx.execute(text(f"{constraint} NOT DEFERRABLE"))


def _insert(tx: Transaction, table: Table, rows: list[dict[str, object]]) -> None:
    try:
        insert_rows(tx, table, rows)
        tx.hold.catch_up()
    except DBAPIError as error:
        if why_unavailable(error):  # not because of the rows
            raise
        raise StoreError("The database refuses rows of {table}: {error}", table=table.name, error=error.orig) from error


def _readers(table: Table) -> dict[str, Callable[[object], object]]:
    return {
        column.name: _reader(column.type, column.type.python_type if not isinstance(column.type, Json) else None)
        for column in table.c
    }


def _reader(column_type: object, python_type: type | None) -> Callable[[object], object]:
    """A function that converts a JSON value into the column's value. It raises `TypeError` for another type."""
    if isinstance(column_type, Json):
        return lambda value: value
    if isinstance(column_type, Time):
        return lambda value: datetime.fromisoformat(_as(str, value))
    if isinstance(column_type, Exact):
        return lambda value: Decimal(_as(str, value))
    expected = bool if isinstance(column_type, Flag) else python_type
    return lambda value: _as(expected, value)


def _as(expected: type | None, value: object) -> Any:
    if type(value) is not expected:
        raise TypeError(f"{expected} was expected, not {type(value)}")
    return value


@dataclass(frozen=True)
class ExportResult:
    manifest: Manifest
    left_behind: tuple[str, ...]
    """Tables of plugins that are no longer enabled; they are not in the archive."""


def export(folder: Path, file: Path, *, clock: Clock) -> ExportResult:
    """Writes a snapshot of the instance in `folder` into the new archive `file`, and checks it.

    It contains the secrets in the enterprises' settings of plugins, which they need to sell, but not those of
    ``instance.toml``. Raises `SettingsError` if an enabled plugin cannot be loaded or `file` exists, and `StoreError`
    for a database that is older than this version.
    """
    source = Source.of(folder, clock)
    refuse_absent(source)
    try:
        with file_of_caller(file, new=True) as out:
            result = _write(source, out)
            with Archive.read(file, out) as archive:
                archive.check()
    except FileExistsError:
        raise exists_already(file) from None
    except OSError as error:
        raise StoreError("{file}: {error}", file=file, error=error) from error
    return result


def refuse_absent(source: Source) -> None:
    """Raises `SettingsError` if an enabled plugin cannot be loaded, because its tables are unknown then."""
    for plugin, why in source.hooks.absent.items():
        text = "The plugin {plugin} is enabled and cannot be loaded, so its tables are not known: {why}."
        raise SettingsError(text, plugin=plugin, why=why)


def _write(source: Source, file: IO[bytes]) -> ExportResult:
    key = make_backup_key(source.folder)  # first, so that the manifest says that it is to be kept
    text, left_out = without_secrets(source.folder, source.settings, source.hooks)
    if source.sqlite_file is not None and not source.sqlite_file.exists():
        raise StoreError("There is no database {file}.", file=source.sqlite_file)
    store = source.store(source.url)
    try:
        if missing(store, migration_folders(source.hooks)):
            raise StoreError("The database is older than this version; run `commensal upgrade` first.")
        with archive_in(file) as out:
            with store.read() as tx:
                manifest = describe(
                    tx, "export", made_at=source.clock.now(), plugins=source.settings.enabled_plugins, left_out=left_out
                )
                tables = tables_of(source.hooks.plugins())
                for table in tables:
                    write_rows(tx, table, out)
            out.add(SETTINGS, text.encode())
            out.add_images(source.settings.images_of(source.folder))
            names = {table.name for table in tables}
            lines = {"alembic_version", *(f"{plugin}_revision" for plugin in source.hooks.plugins())}
            exported = replace(
                manifest,
                counts={name: count for name, count in manifest.counts.items() if name in names},
                revisions={name: revisions for name, revisions in manifest.revisions.items() if name in lines},
            )
            return ExportResult(out.finish(exported, key), tuple(sorted(set(manifest.counts) - names)))
    finally:
        store.close()


# Creates an instance from an export, in either kind of database.


def import_instance(
    file: Path, folder: Path, *, database: str = "", key: Path | None = None, unproven: bool = False, clock: Clock
) -> ImportedInstance:
    """Creates the instance of the export `file` in `folder`, which must be new or empty.

    `database` is the URL of an empty PostgreSQL database; "": an SQLite file in `folder`. All rows are inserted, and
    the invariants checked, in one transaction. `key` and `unproven` are those of `restore`.

    Raises `StoreError` for an archive that is damaged or not proven, violates an invariant, or was written with other
    revisions than this version's, and `SettingsError` for a folder or database that is not empty, or a plugin that is
    not installed.
    """
    with Archive.open(file) as archive:
        if archive.manifest.kind != "export":
            raise StoreError("{file} is a backup; `commensal restore` reads it.", file=file)
        if not unproven:
            archive.refuse_unproven([key] if key else keys_beside(folder))
        with empty_database(database, clock), new_folder(folder) as new:
            source = unpack_files(archive, new, database, clock)
            refuse_absent(source)
            store = source.store(source.url)
            try:
                source.migrate(store)
                _fill(store, source, archive)
            except DBAPIError as error:  # constraints that are checked at the end, such as foreign keys
                raise StoreError("The database refuses the rows: {error}", error=error.orig) from error
            except Unavailable as error:
                raise StoreError("The database does not answer: {error}", error=database_message(error)) from error
            finally:
                store.close()
            note_arrival(new, clock)
            return ImportedInstance(archive.manifest, {}, waiting_jobs(source))


def _fill(store: Store, source: Source, archive: Archive) -> None:
    manifest, tables = archive.manifest, tables_of(source.hooks.plugins())
    archive.check()
    with store.write() as tx:
        _refuse_other_revisions(manifest, revisions_of(tx))
        with defer_foreign_keys(tx, tables):
            for table in tables:
                with archive.file(f"{FOLDER}{table.name}{ENDING}") as lines:
                    read_rows(tx, table, lines)
        failpoint("arrival.filled")
        refuse_broken(differences(manifest.counts, counts_of(tx)))
        refuse_broken(broken_invariants(tx))


def _refuse_other_revisions(manifest: Manifest, present: dict[str, list[str]]) -> None:
    """Raises `StoreError` if the tables have other revisions than those from which the rows were exported."""
    names = sorted({*present, *manifest.revisions})
    differing = ", ".join(name for name in names if present.get(name) != manifest.revisions.get(name))
    if differing:
        text = (
            "The export was written by Commensal {version}, whose tables differ ({other}). Import "
            "it with that version and the same plugins, then run `commensal upgrade` with this one."
        )
        raise StoreError(text, version=manifest.commensal, other=differing)
