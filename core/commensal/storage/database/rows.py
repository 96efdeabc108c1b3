"""Many rows in one statement, whatever their number.

PostgreSQL gets the rows as one JSON document that it takes apart, so that an order of thirty lines costs as many
messages as one of three. SQLite has no messages to save: it runs one prepared statement for each row, eight times as
fast as it reads JSON. Either way the statement's text is always the same, and is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import FromClause, Insert, Table, Text, bindparam, cast, column, func, insert, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from .statement_cache import execute_each
from .transaction import Transaction
from .types import Json

Process = Callable[[Any], Any]
_SHORT = 50_000  # characters that may wait in memory for the next statement


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts all rows by one statement. Every row must name the same columns.

    Nobody waits for the answer: what PostgreSQL finds wrong with a row, it may tell later (`Transaction.later`).
    """
    if not rows:
        return
    tx.hold.refuse_undone()
    names = tuple(rows[0])
    ready = [_ready(table, row, names, tx.connection.dialect) for row in rows]
    if tx.postgresql:
        said = {"rows": as_json([dict(zip(names, row, strict=True)) for row in ready])}
        known = tx.constant(_from_json(table, names), said)
        if known is None:
            tx.connection.execute(_from_json(table, names), said)
        elif len(said["rows"]) < _SHORT:
            known.later(tx.connection, said)
        else:
            known.count(tx.connection, said)
    else:
        execute_each(tx.connection, _one_by_one(table, names), ready)
    if tx.trail is not None:
        tx.trail.inserted(table, rows)


def _ready(table: Table, row: Mapping[str, Any], names: tuple[str, ...], dialect: Dialect) -> tuple[Any, ...]:
    """The values as the driver, or JSON, can carry them and the columns take them."""
    if tuple(row) != names:
        raise ValueError(f"rows of {table.name} differ in their columns: {names} and {tuple(row)}")
    values = list(row.values())
    for place, process in _processes(table, names, dialect):
        values[place] = process(values[place])
    return tuple(values)


@lru_cache(maxsize=256)
def _processes(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[tuple[int, Process], ...]:
    """What turns values into the driver's, by their places; most are the driver's already."""
    types = [table.c[name].type for name in names]
    inside = dialect.name == "postgresql"  # a document in the document stays what it is
    found = [None if inside and isinstance(one, Json) else one.bind_processor(dialect) for one in types]
    return tuple((place, one) for place, one in enumerate(found) if one is not None)


@lru_cache(maxsize=256)
def _one_by_one(table: Table, names: tuple[str, ...]) -> str:
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" for _ in names)
    return f"INSERT INTO {table.name} ({columns}) VALUES ({places})"  # noqa: S608 - names are ours


@lru_cache(maxsize=256)
def _from_json(table: Table, names: tuple[str, ...]) -> Insert:
    rows = given_rows(True, "rows", {name: table.c[name].type for name in names})
    return insert(table).from_select(names, select(*rows.c), include_defaults=False)


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a statement takes them."""
    return msgspec.json.encode(rows).decode()


def given_rows(on_postgresql: bool, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """For statements that are made once: a table of however many rows, handed over as the parameter `name`.

    The parameter is a JSON list of objects that name the columns, made by `as_json`.
    """
    if on_postgresql:
        document = func.jsonb_to_recordset(cast(bindparam(name, type_=Text), JSONB))
        named = [column(one, kind) for one, kind in columns.items()]
        return document.table_valued(*named).render_derived(name=name, with_types=True)
    values = [type_coerce(column("value").op("->>")(one), kind).label(one) for one, kind in columns.items()]
    return select(*values).select_from(func.json_each(bindparam(name, type_=Text)).table_valued("value")).subquery(name)
