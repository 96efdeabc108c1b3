"""Creates an instance from an export, in either kind of database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ...base.clock import Clock
from ...base.errors import StoreError, Unavailable
from ...base.failpoints import failpoint
from ...storage.database import Store
from ...storage.database.core_tables import tables_of
from ...storage.database.unavailable import database_message
from ..checks import broken_invariants
from .archive import Archive
from .export import refuse_absent
from .manifest import Manifest, counts_of, differences, revisions_of
from .restore import ImportedInstance, empty_database, new_folder, note_arrival, unpack_files, waiting_jobs
from .rows import ENDING, FOLDER, defer_foreign_keys, read_rows
from .source import Source, refuse_broken


def import_instance(file: Path, folder: Path, *, database: str = "", clock: Clock) -> ImportedInstance:
    """Creates the instance of the export `file` in `folder`, which must be new or empty.

    `database` is the URL of an empty PostgreSQL database; "": an SQLite file in `folder`. All rows are inserted, and
    the invariants checked, in one transaction.

    Raises `StoreError` for an archive that is damaged, violates an invariant, or was written with other revisions than
    this version's, and `SettingsError` for a folder or database that is not empty, or a plugin that is not installed.
    """
    with Archive.open(file) as archive:
        if archive.manifest.kind != "export":
            raise StoreError("{file} is a backup; `commensal restore` reads it.", file=file)
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
