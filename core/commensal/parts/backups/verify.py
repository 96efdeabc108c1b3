"""Verifies a backup as a restore would use it: every hash, the database, its numbers of rows, and its invariants."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...base.errors import StoreError
from ...instance.backup_key import make_backup_key
from ..checks import broken_invariants
from . import databases
from .archive import SETTINGS, Archive
from .manifest import Manifest, counts_of, differences
from .source import Source, refuse_broken

OF_SQLITE, OF_POSTGRESQL = "database.sqlite", "database.dump"


def verify(file: Path, source: Source, work: Path, *, whole: bool = False) -> Manifest:
    """Checks that the backup in `file` is one of `source`, and works with its plugins, in the empty folder `work`.
    Raises `StoreError`.

    A copy that is older than this version is migrated, which proves that it can be used today. Of a PostgreSQL dump the
    table of contents is read; with `whole` it is also restored into a temporary database.
    """
    with Archive.open(file) as archive:
        manifest = archive.manifest
        if manifest.kind != "backup" or SETTINGS not in manifest.files:
            raise StoreError("{file} is not a backup.", file=file)
        archive.refuse_unproven([make_backup_key(source.folder)])
        archive.check()
        with _database(archive, source, work, whole) as url:
            if url:
                refuse_unsound(url, source, manifest)
    return manifest


def refuse_unsound(url: str, source: Source, manifest: Manifest) -> dict[str, int]:
    """Compares the database with the manifest, migrates it to this version, and checks its invariants.

    Returns the number of rows by table after that. Raises `StoreError`.
    """
    store = source.store(url)
    try:
        with store.read() as tx:
            refuse_broken(differences(manifest.counts, counts_of(tx)))
        source.migrate(store)
        with store.read() as tx:
            refuse_broken(broken_invariants(tx))
            return counts_of(tx)
    finally:
        store.close()


@contextmanager
def _database(archive: Archive, source: Source, work: Path, whole: bool) -> Iterator[str]:
    """The URL of a copy of the backup's database; "" if it is a dump that is not to be restored."""
    if archive.manifest.database == "sqlite":
        copy = work / "checked.db"
        archive.extract(OF_SQLITE, copy)
        databases.refuse_damaged(copy)
        yield f"sqlite:///{copy}"
        return
    dump = work / "checked.dump"
    archive.extract(OF_POSTGRESQL, dump)
    databases.refuse_unreadable(dump)
    if not whole:
        yield ""
        return
    if source.sqlite_file is not None:
        raise StoreError("This backup is of a PostgreSQL database, and the instance has none to try it on.")
    with databases.temporary_database(source.url, f"commensal_test_{secrets.token_hex(6)}") as url:
        databases.load(url, dump)
        yield url
