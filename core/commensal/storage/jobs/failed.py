"""Jobs that keep failing: what an operator sees of them, and another try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from ...base.errors import NotFound
from ..database import Row, Transaction
from .tables import job

KEPT = timedelta(days=30)  # rows of finished jobs


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """A job whose last try failed. `state` is waiting, running or parked: parked ones are not tried any more.

    What it is about is not shown: it may name people, or hold the secrets of their links.
    """

    id: str
    kind: str
    state: str
    attempts: int
    error: str
    due_at: datetime
    created_at: datetime


_COLUMNS = [job.c[name] for name in FailedJob.__dataclass_fields__]


def failed_jobs(tx: Transaction, *, after: str = "", limit: int = 50) -> list[FailedJob]:
    """Jobs that failed and wait, or were parked after their last try, by id from the one after `after` on."""
    failed = or_(job.c.state == "parked", job.c.state.in_(("waiting", "running")) & (job.c.error != ""))
    rows = tx.all(select(*_COLUMNS).where(failed, job.c.id > after).order_by(job.c.id).limit(limit))
    return [_job(row) for row in rows]


def retry_parked(tx: Transaction, job_id: str) -> FailedJob:
    """Gives a parked job another round of attempts. Raises `NotFound` where no job of that id is parked."""
    again = update(job).where(job.c.id == job_id, job.c.state == "parked")
    row = tx.first(again.values(state="waiting", attempts=0, due_at=tx.now).returning(*_COLUMNS))
    if row is None:
        raise NotFound("no_job", "There is no parked job {id}.", id=job_id)
    return _job(row)


def retry_all_parked(tx: Transaction, named: str) -> int:
    """As `retry_parked`, for the job of the id `named`, or for all of the kind `named`: when what kept them from being
    done has been mended. Returns how many they are."""
    again = update(job).where(or_(job.c.id == named, job.c.kind == named), job.c.state == "parked")
    count = len(tx.all(again.values(state="waiting", attempts=0, due_at=tx.now).returning(job.c.id)))
    if not count:
        raise NotFound("no_job", "There is no parked job {id}.", id=named)
    return count


def forget_finished(tx: Transaction) -> None:
    """Deletes jobs that were done long ago. Parked ones stay until somebody has looked at them."""
    tx.execute(delete(job).where(job.c.state == "done", job.c.due_at < tx.now - KEPT))


def _job(row: Row) -> FailedJob:
    return FailedJob(**row)
