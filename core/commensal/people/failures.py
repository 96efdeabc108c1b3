"""Failures to log in, known address or not: each one slows the next down, for passwords and for codes alike."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, delete, literal, select

from ..errors import TooMany
from ..store import Transaction, insert_or
from .fingerprint import fingerprint
from .tables import log_in_failure

FREE = 5  # failures in a row that cost nothing
_FIRST, _LAST = timedelta(seconds=30), timedelta(minutes=15)  # of waiting; doubled by each failure in between
_FORGIVEN = timedelta(days=1)  # without a failure


def slow_down(tx: Transaction, email: str) -> None:
    """Raises `TooMany` where this address had too many failures lately."""
    row = tx.first(select(log_in_failure).where(log_in_failure.c.email_hash == fingerprint(email)))
    if row is None or row["failures"] < FREE:
        return
    wait = min(_FIRST * 2 ** min(row["failures"] - FREE, 10), _LAST)
    left = row["last_at"] + wait - tx.now
    if left > timedelta(0):
        raise TooMany(int(left.total_seconds()) + 1)


def count_failure(tx: Transaction, email: str) -> None:
    """One more; commit it."""
    one = log_in_failure
    first = insert_or(tx, one).values(email_hash=fingerprint(email), failures=1, last_at=tx.now)
    again = case((one.c.last_at < tx.now - _FORGIVEN, literal(1)), else_=one.c.failures + 1)
    tx.execute(first.on_conflict_do_update(index_elements=["email_hash"], set_={"failures": again, "last_at": tx.now}))


def forget_failures(tx: Transaction, email: str) -> None:
    """They have proved who they are."""
    tx.execute(delete(log_in_failure).where(log_in_failure.c.email_hash == fingerprint(email)))
