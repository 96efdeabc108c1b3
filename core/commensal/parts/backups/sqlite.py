"""Copies and checks SQLite databases. To copy only the file would lose the transactions in its journal."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ...base.errors import Problem, Several, StoreError
from ...storage.database.moved import OpenDatabase


def snapshot(file: Path, copy: Path) -> None:
    """Writes a consistent copy of the database in `file` (mode 0600), while others write on. Raises `StoreError`,
    and `Unavailable` while others have a write-ahead log open that was deleted: the copy would lack what is in it, and
    make a new one, by which nobody notices that any more.

    ``VACUUM INTO`` reads one snapshot and waits for no writer.
    """
    if not file.exists():
        raise StoreError("There is no database {file}.", file=file)
    OpenDatabase(file).refuse_if_others_have_a_deleted_log()
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # SQLite accepts an empty file
    try:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise StoreError("{file} cannot be copied: {error}", file=file, error=error) from error


def refuse_damaged(file: Path) -> None:
    """Raises `StoreError` with SQLite's messages if the database is damaged or has dangling foreign keys."""
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            messages: list[object] = [row[0] for row in database.execute("PRAGMA integrity_check")]
            messages += _orphans(database)
    except sqlite3.Error as error:
        raise StoreError("The database is damaged: {error}", error=error) from error
    if messages != ["ok"]:
        raise StoreError("The database is damaged: {error}", error=Several(messages[:5]))


def _orphans(database: sqlite3.Connection) -> list[Problem]:
    text = "{table} refers to a {other} that is not there"
    orphans = database.execute("PRAGMA foreign_key_check").fetchmany(5)
    return [Problem("orphan", text, values={"table": table, "other": other}) for table, _, other, _ in orphans]
