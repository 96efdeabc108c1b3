"""Failed jobs: a list for the operator, and another try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update

from ...base.errors import NotFound
from ..database import Row, Transaction
from .tables import job

KEPT = timedelta(days=30)  # how long rows of finished jobs stay


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """A job whose last try failed. `state` is waiting, running or parked; a parked job is not tried any more.

    The payload is not shown, because it may contain personal data or the secrets of links.
    """

    id: str
    kind: str
    state: str
    attempts: int
    error: str
    due_at: datetime
    created_at: datetime


_COLUMNS = [job.c[name] for name in FailedJob.__dataclass_fields__]
_RESTS = or_(job.c.state == "parked", (job.c.state == "waiting") & (job.c.attempts > 0))


def failed_jobs(tx: Transaction, *, after: str = "", limit: int = 50) -> list[FailedJob]:
    """Failed jobs, waiting for another try or parked, in the order of their ids after the id `after`."""
    failed = or_(job.c.state == "parked", job.c.state.in_(("waiting", "running")) & (job.c.error != ""))
    rows = tx.all(select(*_COLUMNS).where(failed, job.c.id > after).order_by(job.c.id).limit(limit))
    return [_job(row) for row in rows]


def retry_failed(tx: Transaction, job_id: str) -> FailedJob:
    """Gives a job that was parked, or waits for its next try, a new round of tries from now on. Raises `NotFound` if no
    job of that id has failed."""
    return _retry(tx, job_id, job.c.id == job_id)[0]


def retry_all_failed(tx: Transaction, id_or_kind: str) -> int:
    """As `retry_failed`, for the job of this id or all jobs of this kind. Returns their number.

    Raises `NotFound` if there is none.
    """
    return len(_retry(tx, id_or_kind, or_(job.c.id == id_or_kind, job.c.kind == id_or_kind)))


def _retry(tx: Transaction, asked_for: str, condition: ColumnElement[bool]) -> list[FailedJob]:
    update_failed = update(job).where(condition, _RESTS).values(state="waiting", attempts=0, due_at=tx.now)
    rows = tx.all(update_failed.returning(*_COLUMNS))
    if not rows:
        raise NotFound("no_job", "There is no failed job {id}.", id=asked_for)
    return [_job(row) for row in rows]


def forget_finished(tx: Transaction) -> None:
    """Deletes jobs that were done long ago. Parked jobs stay until an operator retries them."""
    tx.execute(delete(job).where(job.c.state == "done", job.c.due_at < tx.now - KEPT))


def _job(row: Row) -> FailedJob:
    return FailedJob(**row)
