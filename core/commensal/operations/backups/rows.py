"""Rows on their way out of one database and into another: a file for each table, a line of JSON for each row.

A line is an object with every column of the table, in the words of JSON: whole numbers as numbers, yes and no as
``true`` and ``false``, moments as RFC 3339 text in UTC, decimals as text digit by digit, documents as themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import IO, Any

import msgspec
from sqlalchemy import Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from ...base.errors import StoreError
from ...storage.database import Exact, Flag, Json, Time, Transaction, insert_rows, metadata
from ...storage.database.core_tables import core_tables
from .archive import Writing

FOLDER, ENDING = "tables/", ".jsonl"
_AT_ONCE = 500  # rows in memory
_LONGEST = 64 * 1024**2  # bytes of one row


def tables_of(plugins: Iterable[str]) -> list[Table]:
    """The core's tables and those of the loaded `plugins`: what a foreign key refers to comes first."""
    owners = tuple(f"{one}_" for one in plugins)
    core = core_tables()
    return [one for one in metadata.sorted_tables if one.name in core or one.name.startswith(owners)]


def write_rows(tx: Transaction, table: Table, out: Writing) -> None:
    """Adds the file of one table. However many rows it has, few of them are in memory."""
    wanted = select(*table.c).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    with out.file(f"{FOLDER}{table.name}{ENDING}") as lines:
        for row in tx.execute(wanted).mappings():
            lines.write(msgspec.json.encode(dict(row)) + b"\n")


def read_rows(tx: Transaction, table: Table, lines: IO[bytes]) -> None:
    """Inserts the rows of one file. Raises `StoreError` that names the table, and the line where that is known."""
    read, names = _readers(table), {one.name for one in table.c}
    batch: list[dict[str, Any]] = []
    number = 0
    while line := lines.readline(_LONGEST):
        number += 1
        try:
            said = msgspec.json.decode(line)
            if not isinstance(said, dict) or set(said) != names:
                raise ValueError("its columns are not those of the table")
            batch.append({name: None if said[name] is None else convert(said[name]) for name, convert in read.items()})
        except (ValueError, TypeError, ArithmeticError) as error:
            text = "Row {number} of {table} cannot be read: {error}"
            raise StoreError(text, number=number, table=table.name, error=error) from error
        if len(batch) == _AT_ONCE:
            _insert(tx, table, batch)
            batch = []
    _insert(tx, table, batch)


@contextmanager
def in_any_order(tx: Transaction, tables: Iterable[Table]) -> Iterator[None]:
    """Rows may refer to rows of their own table that come later; at the end, all of them must be there.

    PostgreSQL is told so for the constraints in question, and then to be strict again.
    """
    if not tx.postgresql:
        tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield
        return
    found = inspect(tx.connection)
    own = [
        f'ALTER TABLE "{table.name}" ALTER CONSTRAINT "{key["name"]}"'
        for table in tables
        for key in found.get_foreign_keys(table.name)
        if key["referred_table"] == table.name
    ]
    for one in own:
        tx.execute(text(f"{one} DEFERRABLE INITIALLY DEFERRED"))
    yield
    tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for one in own:
        tx.execute(text(f"{one} NOT DEFERRABLE"))


def _insert(tx: Transaction, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        insert_rows(tx, table, rows)
        tx.hold.catch_up()
    except DBAPIError as error:
        raise StoreError("The database refuses rows of {table}: {error}", table=table.name, error=error.orig) from error


def _readers(table: Table) -> dict[str, Callable[[Any], Any]]:
    return {
        one.name: _reader(one.type, one.type.python_type if not isinstance(one.type, Json) else None) for one in table.c
    }


def _reader(kind: object, plain: type | None) -> Callable[[Any], Any]:
    """What makes a column's value of that of JSON, and refuses what is of another kind."""
    if isinstance(kind, Json):
        return lambda value: value
    if isinstance(kind, Time):
        return lambda value: datetime.fromisoformat(_as(str, value))
    if isinstance(kind, Exact):
        return lambda value: Decimal(_as(str, value))
    wanted = bool if isinstance(kind, Flag) else plain
    return lambda value: _as(wanted, value)


def _as(wanted: type | None, value: Any) -> Any:
    if type(value) is not wanted:
        raise TypeError(f"{wanted} was expected, not {type(value)}")
    return value
