"""The rows of an export: a file for each table, a line of JSON for each row.

A line is an object with every column of the table: integers as numbers, booleans as ``true`` and ``false``, moments as
RFC 3339 text in UTC, decimals as text, and JSON documents as they are.
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
from ...storage.database import Exact, Flag, Json, Time, Transaction, insert_rows
from ...storage.database.unavailable import why_unavailable
from .archive import ArchiveWriter

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
