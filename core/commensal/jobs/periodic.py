"""Periodic work, claimed slot by slot: the row (name, slot) can be inserted once, so the slot is worked once.

The work and its row commit together: after a crash the slot is free again, and nothing was half done.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import delete

from ..audit.acting import Acting, acting
from ..failpoints import failpoint
from ..store import Transaction, insert_once
from .registry import Periodic, Work
from .tables import job_slot

if TYPE_CHECKING:
    from ..instance import Instance

KEEP = timedelta(days=7)  # rows of old slots
_log = structlog.get_logger("commensal.jobs")


def run_periodic(instance: Instance, work: Work) -> list[str]:
    """Does all periodic work whose present slot nobody has done. Returns the names of what ran.

    Slots that passed while no worker was up are not made up one by one: the work looks at what is due, not at how
    often it was called.
    """
    ran = []
    for one in work.periodic:
        try:
            with acting(Acting(kind="job", command=one.name)), instance.store.write() as tx:
                if _claim(tx, one):
                    one.act(tx)
                    failpoint("periodic.before_commit")
                    ran.append(one.name)
        except Exception as error:  # one kind of work must not stop the others; the slot stays free for the next tick
            _log.error("periodic work failed", name=one.name, exc_info=error)
    return ran


def _claim(tx: Transaction, one: Periodic) -> bool:
    start = slot(tx.now, one.every)
    if not insert_once(tx, job_slot, {"name": one.name, "slot": start}):
        return False
    tx.execute(delete(job_slot).where(job_slot.c.name == one.name, job_slot.c.slot < start - KEEP))
    return True


def slot(now: datetime, every: timedelta) -> datetime:
    """When the slot that `now` lies in began; slots are counted from 1970."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // every * every
