"""Epochs: what an instance has said since it began, or since it was restored from a backup that knows less.

A restored instance would give numbers a second time, to other messages. So it begins a new epoch, named by the Unix
second at which it began: whatever was lost, none was begun later.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from commensal import Transaction, insert_once

from ..tables import federation_epoch

FIRST = "first"
_OF_REASON = select(federation_epoch.c.epoch).where(federation_epoch.c.reason == bindparam("why"))
_NEWEST = select(func.max(federation_epoch.c.epoch))


def current_epoch(tx: Transaction) -> int:
    """Returns the epoch of our messages; starts the first one if there is none."""
    epoch = newest_epoch(tx)
    return begin_epoch(tx, FIRST) if epoch is None else epoch


def begin_epoch(tx: Transaction, reason: str, *, after: int = 0) -> int:
    """Starts a new epoch for this reason, later than all known ones and than `after`, unless the reason had one
    already. Returns the current epoch."""
    epoch = max(int(tx.now.timestamp()), (newest_epoch(tx) or 0) + 1, after + 1)
    insert_once(tx, federation_epoch, {"epoch": epoch, "began_at": tx.now, "reason": reason})
    latest = newest_epoch(tx)
    assert latest is not None
    return latest


def newest_epoch(tx: Transaction) -> int | None:
    """Returns the epoch of our messages; None if this instance has never sent one. Only reads."""
    epoch: int | None = tx.value(_NEWEST)
    return epoch


def restored_since(tx: Transaction, moment: datetime) -> bool:
    """Whether this instance was restored after this moment (UTC)."""
    row = federation_epoch.c
    return tx.first(select(row.epoch).where(row.began_at > moment, row.reason != FIRST).limit(1)) is not None


def past_epochs(tx: Transaction) -> list[int]:
    """Returns all epochs of this instance, the oldest first."""
    return [row["epoch"] for row in tx.all(select(federation_epoch.c.epoch).order_by(federation_epoch.c.epoch))]


def had_epoch(tx: Transaction, reason: str) -> bool:
    """Whether an epoch was started for this reason before."""
    return tx.first(_OF_REASON, {"why": reason}) is not None
