"""Violated constraints: INSERT … ON CONFLICT for both databases, and refusals for people instead of errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from ...base.errors import Refused
from .transaction import Transaction


def insert_or(tx: Transaction, table: Table) -> postgresql.Insert:
    """An INSERT with ``on_conflict_do_nothing`` and ``on_conflict_do_update``, written alike for both databases."""
    return insert_on(tx.postgresql, table)


def insert_on(on_postgresql: bool, table: Table) -> postgresql.Insert:
    """As `insert_or`, for statements that are built once for each database and cached."""
    return postgresql.insert(table) if on_postgresql else cast(postgresql.Insert, sqlite.insert(table))


def insert_once(tx: Transaction, table: Table, values: Mapping[str, object]) -> bool:
    """Inserts the row unless it violates a unique constraint. Returns whether it was inserted.

    Of concurrent transactions that insert the same row, one gets True; the others wait until it has ended.
    """
    return tx.first(_insert_if_absent(tx.postgresql, table), values) is not None


@cache
def _insert_if_absent(on_postgresql: bool, table: Table) -> ReturningInsert[*tuple[object, ...]]:
    return insert_on(on_postgresql, table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@contextmanager
def refuse_conflict(
    tx: Transaction, *, duplicate: Refused | None = None, referenced: Refused | None = None
) -> Iterator[None]:
    """Raises `duplicate` when the block violates a unique constraint, `referenced` when it violates a foreign key.

    Then the work of the block is undone; earlier work of the transaction stays.
    """
    tx.hold.catch_up()  # errors of earlier statements are raised as they are
    try:
        with tx.attempt():
            yield
    except IntegrityError as error:
        state, message = getattr(error.orig, "sqlstate", ""), str(error.orig)
        if duplicate is not None and (state == "23505" or message.startswith("UNIQUE")):
            raise duplicate from error
        if referenced is not None and (state == "23503" or message.startswith("FOREIGN KEY")):
            raise referenced from error
        raise
