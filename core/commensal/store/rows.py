"""Many rows in one statement, whatever their number.

The rows travel as one JSON document that the database takes apart. So an order of thirty lines costs as many
statements as one of three, and the statement's text, being always the same, is compiled once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Table, TextClause, text
from sqlalchemy.engine import Dialect

from .transaction import Transaction
from .types import Flag, Json, Time


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts all rows by one statement. Every row must name the same columns."""
    if not rows:
        return
    dialect = tx.connection.dialect
    names = tuple(rows[0])
    ready = [_ready(table, row, names, dialect) for row in rows]
    tx.execute(_statement(table, names, dialect.name), {"rows": json.dumps(ready, ensure_ascii=False)})


def _ready(table: Table, row: Mapping[str, Any], names: tuple[str, ...], dialect: Dialect) -> dict[str, Any]:
    if tuple(row) != names:
        raise ValueError(f"rows of {table.name} differ in their columns: {names} and {tuple(row)}")
    return {name: _plain(table.c[name], row[name], dialect) for name in names}


def _plain(column: Column[Any], value: Any, dialect: Dialect) -> Any:
    """The value as JSON can carry it and the column takes it."""
    process = column.type.bind_processor(dialect)
    if process is not None and not (isinstance(column.type, Json) and dialect.name == "postgresql"):
        value = process(value)
    return value.isoformat() if isinstance(value, datetime) else value


@lru_cache(maxsize=256)
def _statement(table: Table, names: tuple[str, ...], dialect: str) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    if dialect == "sqlite":
        values = ", ".join(f"value ->> '{name}'" for name in names)
        return text(f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM json_each(:rows)")  # noqa: S608 - names are ours
    shape = ", ".join(f'"{name}" {_type(table.c[name])}' for name in names)
    source = f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS row({shape})"
    return text(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {source}")  # noqa: S608 - names are ours


def _type(column: Column[Any]) -> str:
    """PostgreSQL's word for the column's type."""
    if isinstance(column.type, Json):
        return "jsonb"
    if isinstance(column.type, Time):
        return "timestamptz"
    if isinstance(column.type, Flag):
        return "boolean"
    return "bigint" if column.type.python_type is int else "text"
