"""Periodic work, claimed slot by slot: the row (name, slot) can be inserted once, so the slot is worked once.

The work and its row commit together: after a crash the slot is free again, and nothing was half done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import bindparam, delete, func, select

from ...base.errors import Unavailable
from ...base.failpoints import failpoint
from ...trade.audit.acting import Acting, acting
from ..database import Transaction, insert_once
from .clock import STEADY, clock_in_doubt
from .registry import Periodic, Work
from .run import whose
from .tables import job_slot

if TYPE_CHECKING:
    from ...instance import Instance

KEEP = timedelta(days=10)  # rows of old slots: longer than the pause that `clock.py` allows
_DONE = select(job_slot.c.name, job_slot.c.slot).where(
    job_slot.c.name.in_(bindparam("names", expanding=True)), job_slot.c.slot.in_(bindparam("slots", expanding=True))
)
_newest_of_before = select(func.max(job_slot.c.slot)).where(
    job_slot.c.name == bindparam("work"), job_slot.c.slot <= bindparam("a_day_ago")
)
# Keeps the last slot before a jump of the clock, from which `clock.py` knows of it.
_FORGET = delete(job_slot).where(
    job_slot.c.name == bindparam("work"),
    job_slot.c.slot < bindparam("before"),
    job_slot.c.slot < _newest_of_before.scalar_subquery(),
)
_log = structlog.get_logger("commensal.jobs")


def run_periodic(instance: Instance, work: Work) -> list[str]:
    """Does all periodic work whose present slot nobody has done. Returns the names of what ran.

    Slots that passed while no worker was up are not made up one by one: the work looks at what is due, not at how
    often it was called.
    """
    ran = []
    for one in _to_do(instance, work.periodic):
        try:
            named = whose(instance, one.name, f"periodic {one.name}")
            with acting(Acting(kind="job", command=one.name)), named, instance.store.write() as tx:
                if _claim(tx, one):
                    one.act(tx)
                    failpoint("periodic.before_commit")
                    ran.append(one.name)
        except Unavailable:  # neither can the others do anything
            raise
        except Exception as error:  # one kind of work must not stop the others; the slot stays free for the next tick
            _log.error("periodic work failed", name=one.name, exc_info=error)
    return ran


def _to_do(instance: Instance, every: Sequence[Periodic]) -> list[Periodic]:
    """Those whose present slot nobody has done yet: asked at once, so that what comes once a day opens no writing
    transaction each minute."""
    with instance.store.read() as tx:
        slots = {one.name: slot(tx.now, one.every) for one in every}
        rows = tx.all(_DONE, {"names": list(slots), "slots": list(slots.values())})
        done = {(row["name"], row["slot"]) for row in rows}
        due = [one for one in every if (one.name, slots[one.name]) not in done]
        if any(one.irreversible for one in due) and clock_in_doubt(tx):
            return [one for one in due if not one.irreversible]
    return due


def _claim(tx: Transaction, one: Periodic) -> bool:
    start = slot(tx.now, one.every)
    if not insert_once(tx, job_slot, {"name": one.name, "slot": start}):
        return False
    tx.change(_FORGET, {"work": one.name, "before": start - KEEP, "a_day_ago": tx.now - STEADY})
    return True


def slot(now: datetime, every: timedelta) -> datetime:
    """When the slot that `now` lies in began; slots are counted from 1970."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // every * every
