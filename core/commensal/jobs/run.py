"""Does promised work: claims what is due, hands it over, and notes how it ended.

A job is claimed for a while, so that one whose worker died is taken up again by another. A failed one comes back with
growing delay; after its last attempt it is parked, where an operator sees it and may try it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import and_, or_, select, update

from ..store import Transaction
from .registry import Job, Work
from .tables import job

if TYPE_CHECKING:
    from ..instance import Instance

CLAIM = timedelta(minutes=5)
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
_log = structlog.get_logger("commensal.jobs")


def run_due(instance: Instance, work: Work, *, limit: int = 20) -> int:
    """Does up to `limit` jobs that are due, one after the other. Returns how many were tried."""
    with instance.store.write() as tx:
        claimed = _claim(tx, limit)
    for one in claimed:
        _do(instance, work, one)
    return len(claimed)


def retry_parked(tx: Transaction, job_id: str) -> bool:
    """Gives a parked job another round of attempts. False where there is none of that id."""
    again = update(job).where(job.c.id == job_id, job.c.state == "parked")
    return tx.execute(again.values(state="waiting", attempts=0, due_at=tx.now)).rowcount == 1


def _claim(tx: Transaction, limit: int) -> Sequence[Job]:
    lost = and_(job.c.state == "running", job.c.claimed_until < tx.now)
    due = and_(job.c.state == "waiting", job.c.due_at <= tx.now)
    wanted = select(job).where(or_(due, lost)).order_by(job.c.due_at, job.c.id).limit(limit)
    found = tx.all(wanted.with_for_update(skip_locked=True) if tx.postgresql else wanted)
    if found:
        ids = [row["id"] for row in found]
        claim = update(job).where(job.c.id.in_(ids))
        tx.execute(claim.values(state="running", claimed_until=tx.now + CLAIM, attempts=job.c.attempts + 1))
    return [Job(row["id"], row["kind"], row["payload"], row["attempts"] + 1) for row in found]


def _do(instance: Instance, work: Work, one: Job) -> None:
    try:
        handler = work.handlers[one.kind]
        handler(instance, one)
    except Exception as error:  # any error of any handler: the job comes back, or is parked and shown
        _log.warning("job failed", job=one.id, kind=one.kind, attempt=one.attempts, exc_info=error)
        with instance.store.write() as tx:
            _failed(tx, one, f"{type(error).__name__}: {error}"[:1000])
    else:
        with instance.store.write() as tx:
            # What it was about is not kept: payloads name people, and hold the secrets of their links.
            done = update(job).where(job.c.id == one.id, job.c.state == "running")
            tx.execute(done.values(state="done", finished_at=tx.now, error="", payload={}))


def _failed(tx: Transaction, one: Job, error: str) -> None:
    after = update(job).where(job.c.id == one.id, job.c.state == "running")
    if one.attempts > len(DELAYS):
        tx.execute(after.values(state="parked", error=error))
    else:
        tx.execute(after.values(state="waiting", error=error, due_at=_next(tx.now, one.attempts)))


def _next(now: datetime, attempts: int) -> datetime:
    return now + DELAYS[attempts - 1]
