"""Locks by name, for what no row stands for yet, such as a mailbox from which the first order is about to come."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from sqlalchemy import BigInteger, Select, bindparam, func, select

from .transaction import Transaction


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
