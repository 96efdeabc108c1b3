"""Does promised work: claims what is due, hands it over, and notes how it ended.

A job is claimed for a while, so that one whose worker died is taken up again by another. A failed one comes back with
growing delay; after its last attempt it is parked, where an operator sees it and may try it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from ..store import Transaction
from .registry import Job, Work
from .tables import job

if TYPE_CHECKING:
    from ..instance import Instance

CLAIM = timedelta(minutes=5)  # longer than `PATIENCE` and the longest time limit of a job together
PATIENCE = timedelta(seconds=10)
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
_log = structlog.get_logger("commensal.jobs")


def run_due(instance: Instance, work: Work, *, limit: int = 20) -> int:
    """Does up to `limit` jobs that are due, one after the other. Returns how many were tried.

    After `PATIENCE` the rest goes back to the queue: whoever waits behind a slow job is taken up by another worker.
    """
    with instance.store.write() as tx:
        claimed, began = _claim(tx, limit), tx.now
    for place, one in enumerate(claimed):
        if instance.clock.now() - began > PATIENCE:
            with instance.store.write() as tx:
                _give_back(tx, claimed[place:])
            return place
        _do(instance, work, one)
    return len(claimed)


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


def _give_back(tx: Transaction, jobs: Sequence[Job]) -> None:
    """They were claimed and not begun, so that was no try."""
    mine = or_(*(_held(one) for one in jobs))
    tx.execute(update(job).where(mine).values(state="waiting", attempts=job.c.attempts - 1))


def _held(one: Job) -> ColumnElement[bool]:
    """Still ours: a worker that was silent for so long that another took the job up has nothing to say about it."""
    return and_(job.c.id == one.id, job.c.state == "running", job.c.attempts == one.attempts)


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
            done = update(job).where(_held(one))
            tx.execute(done.values(state="done", finished_at=tx.now, error="", payload={}))


def _failed(tx: Transaction, one: Job, error: str) -> None:
    after = update(job).where(_held(one))
    if one.attempts > len(DELAYS):
        tx.execute(after.values(state="parked", error=error))
    else:
        tx.execute(after.values(state="waiting", error=error, due_at=_next(tx.now, one.attempts)))


def _next(now: datetime, attempts: int) -> datetime:
    return now + DELAYS[attempts - 1]
