"""Tells whether anything was written to a database since it was last asked, by whichever connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from commensal.instance import Instance
from commensal.instance.instance import DATABASE
from commensal.storage.database import metadata


class Watch(Protocol):
    def wrote(self) -> bool:
        """Tells whether a commit has changed anything since the last call, or since the watch began."""


@contextmanager
def watching(instance: Instance) -> Iterator[Watch]:
    if instance.store.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(instance.folder / DATABASE, isolation_level=None)) as connection:
            yield _SqliteWatch(connection)
    else:
        address = instance.store.url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(address, autocommit=True) as postgresql:
            yield _PostgresqlWatch(postgresql)


class _SqliteWatch:
    """`data_version` grows with every commit of other connections."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = self._read()

    def wrote(self) -> bool:
        before, self._version = self._version, self._read()
        return self._version != before

    def _read(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


class _PostgresqlWatch:
    """A transaction gets a number once it writes or locks a row, so without a new number nothing was written; with one,
    which may have been rolled back, the content of all tables is compared."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._number, self._content = self._next_number(), self._digest()

    def wrote(self) -> bool:
        before, self._number = self._number, self._next_number()
        if self._number == before:
            return False
        content, self._content = self._content, self._digest()
        return self._content != content

    def _next_number(self) -> int:
        row = self._connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    def _digest(self) -> dict[str, tuple[int, int]]:
        """Returns for each table its number of rows and the sum of their hashes."""
        query = SQL("SELECT {name}, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t")
        parts = [
            query.format(name=Literal(table.name), table=Identifier(table.name)) for table in metadata.sorted_tables
        ]
        rows = self._connection.execute(SQL(" UNION ALL ").join(parts)).fetchall()
        return {name: (int(count), int(total)) for name, count, total in rows}
