"""SQLite's own way to copy a database that is being written to. Copying its file would lose what is in its journal."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ..errors import StoreError


def snapshot(file: Path, copy: Path) -> None:
    """Writes a consistent copy of the database in `file`, its owner's alone, while others write on.

    ``VACUUM INTO`` reads one snapshot and waits for no writer. Raises `StoreError`.
    """
    if not file.exists():
        raise StoreError(f"There is no database {file}.")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # SQLite takes a file that is empty
    try:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be copied: {error}") from error


def refuse_damaged(file: Path) -> None:
    """Raises `StoreError` with what SQLite finds wrong in the database."""
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            said = [row[0] for row in database.execute("PRAGMA integrity_check")]
            said += [f"{row[0]} refers to a {row[2]} that is not there" for row in _orphans(database)]
    except sqlite3.Error as error:
        raise StoreError(f"The database is damaged: {error}") from error
    if said != ["ok"]:
        raise StoreError(f"The database is damaged: {'; '.join(said[:5])}")


def _orphans(database: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return database.execute("PRAGMA foreign_key_check").fetchmany(5)
