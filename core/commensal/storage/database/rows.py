"""Inserts and selects many rows by one statement, whatever their number.

PostgreSQL gets the rows as one JSON document, so that an order of thirty lines costs as many round trips as one of
three. SQLite has no round trips to save: it runs one prepared statement for each row, which is eight times as fast as
parsing JSON. Either way the statement's text is always the same, and is built once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from ...base.errors import Stale
from .statement_cache import Row, execute_each
from .transaction import Transaction
from .types import Json

Processor = Callable[[Any], Any]
Computed = tuple[tuple[str, Callable[[FromClause], ColumnElement[Any]]], ...]  # columns, each by an expression of rows
_MAX_DEFERRED = 50_000  # characters of a statement's rows that may wait in memory for the next statement


def insert_rows(
    tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]], *, computed: Computed = ()
) -> None:
    """Inserts all rows by one statement. Every row must have the same columns.

    `computed` names columns that the database works out from the rows themselves, without another statement: their
    expressions are built once, get a table of the rows, and contain no parameters.

    PostgreSQL may execute it later, and raise the errors then: see `Transaction.later`.
    """
    if not rows:
        return
    tx.hold.refuse_after_rollback()
    names = tuple(rows[0])
    values = [_driver_values(table, row, names, tx.connection.dialect) for row in rows]
    if tx.postgresql:
        parameters = {"rows": as_json([dict(zip(names, row, strict=True)) for row in values])}
        statement = _insert_from_json(table, names, computed)
        prepared = tx.constant(statement, parameters)
        if prepared is None:
            tx.connection.execute(statement, parameters)
        elif len(parameters["rows"]) < _MAX_DEFERRED:
            prepared.later(tx.connection, parameters)
        else:
            prepared.count(tx.connection, parameters)
    else:
        execute_each(tx.connection, _insert_by_row(table, names, computed), values)
    if tx.trail is not None:
        tx.trail.note_inserted(table, rows)


def _driver_values(
    table: Table, row: Mapping[str, object], names: tuple[str, ...], dialect: Dialect
) -> tuple[object, ...]:
    """The values of a row, converted for the driver or for JSON."""
    if tuple(row) != names:
        raise ValueError(f"rows of {table.name} differ in their columns: {names} and {tuple(row)}")
    values = list(row.values())
    for position, process in _processors(table, names, dialect):
        values[position] = process(values[position])
    return tuple(values)


@lru_cache(maxsize=256)
def _processors(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[tuple[int, Processor], ...]:
    """Converters of values by their positions; most values need none."""
    types = [table.c[name].type for name in names]
    on_postgresql = dialect.name == "postgresql"  # there a JSON value is a part of the JSON document
    processors = [
        None if on_postgresql and isinstance(column_type, Json) else column_type.bind_processor(dialect)
        for column_type in types
    ]
    return tuple((position, process) for position, process in enumerate(processors) if process is not None)


@lru_cache(maxsize=256)
def _insert_by_row(table: Table, names: tuple[str, ...], computed: Computed) -> str:
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" for _ in names)
    if not computed:
        return f"INSERT INTO {table.name} ({columns}) VALUES ({places})"  # noqa: S608 - names are ours
    row = select(*(bindparam(name, type_=table.c[name].type).label(name) for name in names)).subquery("rows")
    return str(_insert_from(table, names, row, computed).compile(dialect=sqlite.dialect()))


@lru_cache(maxsize=256)
def _insert_from_json(table: Table, names: tuple[str, ...], computed: Computed) -> Insert:
    rows = parameter_rows(True, "rows", {name: table.c[name].type for name in names})
    return _insert_from(table, names, rows, computed)


def _insert_from(table: Table, names: tuple[str, ...], rows: FromClause, computed: Computed) -> Insert:
    expressions = dict(computed)
    values = [expressions[name](rows) if name in expressions else rows.c[name] for name in names]
    return insert(table).from_select(names, select(*values), include_defaults=False)


def as_json(rows: Sequence[Mapping[str, object]]) -> str:
    """Encodes rows for the parameter of `parameter_rows`."""
    return msgspec.json.encode(rows).decode()


def parameter_rows(on_postgresql: bool, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """A table of any number of rows that are passed as the parameter `name`, for statements that are built once.

    `columns` maps names to types. The parameter is a JSON list of objects with these names, made by `as_json`.
    """
    if on_postgresql:
        document = func.jsonb_to_recordset(cast(bindparam(name, type_=Text), JSONB))
        typed_columns = [column(name, kind) for name, kind in columns.items()]
        return document.table_valued(*typed_columns).render_derived(name=name, with_types=True)
    values = [type_coerce(column("value").op("->>")(key), kind).label(key) for key, kind in columns.items()]
    return select(*values).select_from(func.json_each(bindparam(name, type_=Text)).table_valued("value")).subquery(name)


# Optimistic locking: an edit of a versioned row in one guarded UPDATE.


def edit_row(
    tx: Transaction, table: Table, *where: ColumnElement[bool], version: int, values: Mapping[str, object]
) -> Row:
    """Sets `values`, increments `version`, and returns the whole row as it is afterwards.

    `where` selects one row, by its id and its owner. Raises `NotFound` if there is none, and `Stale` if it has another
    version than `version` because somebody else has edited it.
    """
    guarded = update(table).where(*where, table.c.version == version)
    row = tx.first(guarded.values({**values, "version": table.c.version + 1}).returning(*table.c))
    if row is not None:
        return row
    tx.one(select(table.c.version).where(*where))
    raise Stale
