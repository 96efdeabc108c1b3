"""Whether the machine's clock can be believed, judged by the minutes in which work was done.

A clock that is years ahead would have everything forgotten whose time seems to be over. So what cannot be brought back
waits, after a jump of more than nine days, until the clock has gone on steadily for a day: time for whoever looks after
the instance to see it and set it right. A pause of nine days, or a new instance, is no reason for doubt.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from ..database import Transaction
from .tables import job_slot

EVERY_MINUTE = "announce_openings"  # periodic work that every worker of every instance does
STEADY = timedelta(days=1)  # after a jump, before the clock is believed again
PAUSE = timedelta(days=9)  # of all work, that needs no other explanation than a machine that was off


def worked_before(now: datetime) -> Any:
    """Selects the last minute of work that lies at least a day back; NULL where nobody has worked before."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == EVERY_MINUTE, job_slot.c.slot <= now - STEADY)


def in_doubt(now: datetime, before: datetime | None) -> bool:
    """Whether the clock has jumped ahead since `before`, the last minute of work that lies at least a day back."""
    return before is not None and before < now - STEADY - PAUSE


def clock_in_doubt(tx: Transaction) -> bool:
    return in_doubt(tx.now, tx.value(worked_before(tx.now)))
