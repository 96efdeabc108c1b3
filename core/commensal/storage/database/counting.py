"""Counts and locks by name, shared by all processes: what may happen only so often, and what no row stands for yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256

from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, bindparam, case, false, func, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from .errors import insert_on
from .transaction import Transaction


@dataclass(frozen=True)
class Window:
    """A period of a counter, by conditions on its stored row.

    over:    it has ended, so that the next count begins it anew
    below:   one more may be counted; never, where a window allows only the count that begins it
    counted: its columns, with their values after one more
    """

    over: ColumnElement[bool]
    counted: Mapping[str, ColumnElement[int] | ColumnElement[datetime]]
    below: ColumnElement[bool] = field(default_factory=false)


def count_within(on_postgresql: bool, table: Table, *windows: Window) -> ReturningInsert[*tuple[object, ...]]:
    """A statement that counts once in all `windows` of a row, or in none: then it returns no row.

    Its values are those of a new row. Concurrent transactions wait for each other at the row, so that none exceeds a
    limit.
    """
    new = insert_on(on_postgresql, table)
    values = {
        name: case((window.over, new.excluded[name]), else_=value)
        for window in windows
        for name, value in window.counted.items()
    }
    allowed = and_(*(or_(window.over, window.below) for window in windows))
    counted = new.on_conflict_do_update(index_elements=list(table.primary_key), set_=values, where=allowed)
    return counted.returning(*table.primary_key)


# Locks by name, for what no row stands for yet, such as a mailbox from which the first order is about to come.


def lock_names(tx: Transaction, *names: str) -> None:
    """Locks names until the transaction ends: who locks one of them meanwhile waits, and then reads what was committed.

    On PostgreSQL these are advisory locks, and the statement travels with the next one; on SQLite there is one writer
    anyway. To avoid deadlocks, lock names of one kind before those of another everywhere, and all before any row.
    """
    if tx.postgresql:
        tx.later(_lock_statement(len(names)), {f"key_{place}": _key(name) for place, name in enumerate(names)})


@cache
def _lock_statement(count: int) -> Select[*tuple[object, ...]]:
    """PostgreSQL evaluates the columns from left to right, and so locks the names in their order."""
    keys = (f"key_{place}" for place in range(count))
    # With equal names of columns SQLAlchemy would work the statement out anew each time, and wait for its answer.
    return select(*(func.pg_advisory_xact_lock(bindparam(key, type_=BigInteger)).label(key) for key in keys))


def _key(name: str) -> int:
    """PostgreSQL's locks have 64 bits. Two names that share a key would only wait for each other."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
