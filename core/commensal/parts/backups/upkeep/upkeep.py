"""Bookkeeping of automatic backups and trials: each is enqueued once, marked when done, and reported when overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from ....base.errors import Problem
from ....storage.database import Transaction, insert_once
from ....storage.jobs import enqueue
from ....storage.jobs.tables import job
from .tables import upkeep

Work = Literal["backup", "backup_trial"]
BACKUP: Work = "backup"
TRIAL: Work = "backup_trial"  # kinds of work, and of their jobs
LATE = timedelta(hours=1)  # after which the operator should be told
_KEPT = timedelta(days=60)  # how long rows stay
_WEEK = timedelta(days=6, hours=12)  # a week less half a day, so that a change to summer time does not matter


def last_moment(now: datetime, at: time, timezone: str) -> datetime:
    """The last moment (UTC) at which it was `at` in the time zone. A time that clocks skip or repeat counts once."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(day, at, zone).astimezone(UTC) for day in (today, today - timedelta(days=1)))
    return next(moment for moment in moments if moment <= now)


def enqueue_once(tx: Transaction, kind: str, due_at: datetime) -> None:
    """Enqueues the job of this moment, unless it was enqueued before."""
    if insert_once(tx, upkeep, {"kind": kind, "due_at": due_at, "promised_at": tx.now, "job_id": ""}):
        _promise(tx, kind, due_at, tx.now)


def enqueue_later(tx: Transaction, kind: str, due_at: datetime, wait: timedelta) -> None:
    """Enqueues another job in place of one that could not run now."""
    _promise(tx, kind, due_at, tx.now + wait)


def due_at_of(payload: object) -> datetime:
    """The moment (UTC) in a job's payload."""
    assert isinstance(payload, dict)
    return datetime.fromisoformat(payload["due_at"])


def mark_done(tx: Transaction, kind: str, due_at: datetime) -> None:
    """Marks the work of this moment as done, and the jobs of earlier moments as well, because they are obsolete."""
    entry = (upkeep.c.kind == kind, upkeep.c.due_at == due_at)
    tx.execute(update(upkeep).where(*entry, upkeep.c.done_at.is_(None)).values(done_at=tx.now))
    earlier = select(upkeep.c.job_id).where(upkeep.c.kind == kind, upkeep.c.due_at < due_at, _undone())
    obsolete_jobs = update(job).where(job.c.id.in_(earlier), job.c.state.in_(("waiting", "parked")))
    tx.execute(obsolete_jobs.values(state="done", finished_at=tx.now, error="", payload={}))
    tx.execute(delete(upkeep).where(upkeep.c.due_at < tx.now - _KEPT))


def note_done(tx: Transaction, kind: Work) -> None:
    """Notes work that somebody has done now by a command, as a worker's is."""
    due_at = tx.now.astimezone(UTC)
    insert_once(tx, upkeep, {"kind": kind, "due_at": due_at, "promised_at": tx.now, "job_id": ""})
    mark_done(tx, kind, due_at)


def enqueue_trial(tx: Transaction, due_at: datetime) -> None:
    """Enqueues a trial once a week, beginning with the first backup."""
    recent_trial = select(exists().where(upkeep.c.kind == TRIAL, upkeep.c.due_at > due_at - _WEEK))
    if not tx.value(recent_trial):
        enqueue_once(tx, TRIAL, due_at)


def newest_done(tx: Transaction, kind: str) -> datetime | None:
    """When work of this kind was last done (UTC); None if never."""
    done_at: datetime | None = tx.value(select(func.max(upkeep.c.done_at)).where(upkeep.c.kind == kind))
    return done_at


def overdue_work(tx: Transaction) -> Iterator[Problem]:
    """A problem for each kind of work that has been due for more than an hour and was not done since."""
    later = upkeep.alias()
    was_done_later = exists().where(
        later.c.kind == upkeep.c.kind, later.c.done_at.is_not(None), later.c.due_at > upkeep.c.due_at
    )
    columns = (upkeep.c.kind, upkeep.c.promised_at, job.c.state, job.c.error)
    query = select(*columns).select_from(upkeep.outerjoin(job, job.c.id == upkeep.c.job_id))
    rows = tx.all(query.where(_undone(), ~was_done_later).order_by(upkeep.c.kind, upkeep.c.due_at))
    for kind in (BACKUP, TRIAL):
        rows_of_kind = [row for row in rows if row["kind"] == kind]
        if rows_of_kind and rows_of_kind[0]["promised_at"] < tx.now - LATE:
            error = rows_of_kind[-1]["error"] or "the job waits for a worker, or is still under way"
            yield _overdue(kind, {"since": rows_of_kind[0]["promised_at"], "error": error})


def _overdue(kind: str, values: dict[str, object]) -> Problem:
    if kind == BACKUP:
        return Problem("no_backup", "No backup has been made since {since:%Y-%m-%d %H:%M} UTC: {error}", values=values)
    text = "No backup has been restored to try it since {since:%Y-%m-%d %H:%M} UTC: {error}"
    return Problem("no_trial", text, values=values)


def ask_for(tx: Transaction, kind: Work) -> None:
    """Enqueues a backup, or a trial of the newest one, that somebody has asked for now."""
    enqueue_once(tx, kind, tx.now.astimezone(UTC).replace(microsecond=0))


def _undone() -> ColumnElement[bool]:
    return upkeep.c.done_at.is_(None)


def _promise(tx: Transaction, kind: str, due_at: datetime, begins_at: datetime) -> None:
    job_id = enqueue(tx, kind, {"due_at": due_at.isoformat()}, due_at=begins_at)
    tx.execute(update(upkeep).where(upkeep.c.kind == kind, upkeep.c.due_at == due_at).values(job_id=job_id))
