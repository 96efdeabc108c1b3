"""When two rows may not be alike: INSERT … ON CONFLICT for both databases, and a kind refusal instead of an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from ...base.errors import Refused
from .transaction import Transaction


def insert_or(tx: Transaction, table: Table) -> postgresql.Insert:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``; in the same words for both."""
    return insert_on(tx.postgresql, table)


def insert_on(on_postgresql: bool, table: Table) -> postgresql.Insert:
    """The same for statements that are made once for each database and kept."""
    return postgresql.insert(table) if on_postgresql else cast(postgresql.Insert, sqlite.insert(table))


def insert_once(tx: Transaction, table: Table, values: Mapping[str, Any]) -> bool:
    """Inserts the row if none like it is there. True for the one transaction, of however many, that did.

    One that comes while another is about to insert the same row waits until that has ended.
    """
    return tx.first(_once(tx.postgresql, table), values) is not None


@cache
def _once(on_postgresql: bool, table: Table) -> ReturningInsert[Any]:
    return insert_on(on_postgresql, table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@contextmanager
def refusing(tx: Transaction, *, double: Refused | None = None, used: Refused | None = None) -> Iterator[None]:
    """Raises `double` where a row would be there twice, `used` where a row that goes is still referred to.

    What was done inside is undone, what was done before it in the transaction stays.
    """
    tx.hold.catch_up()  # what went wrong before is not refused
    try:
        with tx.attempt():
            yield
    except IntegrityError as error:
        state, said = getattr(error.orig, "sqlstate", ""), str(error.orig)
        if double is not None and (state == "23505" or said.startswith("UNIQUE")):
            raise double from error
        if used is not None and (state == "23503" or said.startswith("FOREIGN KEY")):
            raise used from error
        raise
