"""Decides whether the machine's clock is plausible, from the minutes in which periodic work ran.

A clock that is years ahead would delete everything whose retention seems to be over. So irreversible work waits, after
a jump of more than nine days, until the clock has been steady for a day: time for the operator to notice and correct
it. A pause of up to nine days, or a new instance, is no reason for doubt.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from ..database import Transaction
from .tables import job_slot

EVERY_MINUTE = "announce_openings"  # periodic work of every instance
STEADY = timedelta(days=1)  # after a jump, before the clock is trusted again
PAUSE = timedelta(days=9)  # without work, for which a machine that was off is explanation enough


def worked_before(now: datetime) -> Any:
    """A query for the last minute of work that lies at least a day back; NULL if there is none."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == EVERY_MINUTE, job_slot.c.slot <= now - STEADY)


def in_doubt(now: datetime, before: datetime | None) -> bool:
    """Whether the clock has jumped ahead since `before`, the result of `worked_before`."""
    return before is not None and before < now - STEADY - PAUSE


def clock_in_doubt(tx: Transaction) -> bool:
    """Whether irreversible work must wait."""
    return in_doubt(tx.now, tx.value(worked_before(tx.now)))
