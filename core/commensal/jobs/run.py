"""Does promised work: claims what is due, hands it over, and notes how it ended.

A job is claimed for a while, so that one whose worker died is taken up again by another. A failed one comes back with
growing delay; after its last attempt it is parked, where an operator sees it and may try it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, RowMapping, Select, and_, select, update

from ..audit.acting import Acting, acting
from ..failpoints import failpoint
from ..store import Transaction
from .registry import Job, Work
from .tables import job

if TYPE_CHECKING:
    from ..instance import Instance

CLAIM = timedelta(minutes=5)  # longer than the longest time limit of a job; see `holding` for those without one
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
_log = structlog.get_logger("commensal.jobs")


def run_due(instance: Instance, work: Work) -> bool:
    """Does the job that has been due for longest. False where none is due.

    One at a time: whoever claims more makes them wait behind a slow one, while other workers have nothing to do.
    """
    with instance.store.write() as tx:
        claimed = _claim(tx)
    if claimed is None:
        return False
    failpoint("job.claimed")
    _do(instance, work, claimed)
    return True


def _claim(tx: Transaction) -> Job | None:
    """Each half of the question goes by the index of what is due, however much is."""
    due = select(job).where(job.c.state == "waiting", job.c.due_at <= tx.now)
    lost = select(job).where(job.c.state == "running", job.c.claimed_until < tx.now)
    row = _first(tx, due) or _first(tx, lost)
    if row is None:
        return None
    claim = update(job).where(job.c.id == row["id"])
    tx.execute(claim.values(state="running", claimed_until=tx.now + CLAIM, attempts=job.c.attempts + 1))
    return Job(row["id"], row["kind"], row["payload"], row["attempts"] + 1)


def _first(tx: Transaction, wanted: Select[Any]) -> RowMapping | None:
    first = wanted.order_by(job.c.due_at, job.c.id).limit(1)
    return tx.first(first.with_for_update(skip_locked=True) if tx.postgresql else first)


def held(one: Job) -> ColumnElement[bool]:
    """Still ours: a worker that was silent for so long that another took the job up has nothing to say about it."""
    return and_(job.c.id == one.id, job.c.state == "running", job.c.attempts == one.attempts)


def _do(instance: Instance, work: Work, one: Job) -> None:
    try:
        handler = work.handlers[one.kind]
        with acting(Acting(kind="job", command=one.kind)):
            handler(instance, one)
    except Exception as error:  # any error of any handler: the job comes back, or is parked and shown
        _log.warning("job failed", job=one.id, kind=one.kind, attempt=one.attempts, exc_info=error)
        with instance.store.write() as tx:
            _failed(tx, one, f"{type(error).__name__}: {error}"[:1000])
    else:
        failpoint("job.done")
        with instance.store.write() as tx:
            # What it was about is not kept: payloads name people, and hold the secrets of their links.
            done = update(job).where(held(one))
            tx.execute(done.values(state="done", finished_at=tx.now, error="", payload={}))


def _failed(tx: Transaction, one: Job, error: str) -> None:
    after = update(job).where(held(one))
    if one.attempts > len(DELAYS):
        tx.execute(after.values(state="parked", error=error))
    else:
        tx.execute(after.values(state="waiting", error=error, due_at=_next(tx.now, one.attempts)))


def _next(now: datetime, attempts: int) -> datetime:
    return now + DELAYS[attempts - 1]
