"""What an instance has promised itself to do, night by night: promised once, marked when done, told when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from ...storage.database import Transaction, insert_once
from ...storage.jobs import promise
from ...storage.jobs.tables import job
from .tables import upkeep

BACKUP, TRIAL = "backup", "backup_trial"  # what there is to do, and the kinds of the jobs that do it
LATE = timedelta(hours=1)  # after which an operator should look
_KEPT = timedelta(days=60)  # rows
_WEEK = timedelta(days=6, hours=12)  # from a night to the same one of the next week, whatever clocks do
_WORDS = {BACKUP: "No backup has been made", TRIAL: "No backup has been restored to try it"}


def newest_moment(now: datetime, at: time, timezone: str) -> datetime:
    """When it was last `at` o'clock in the time zone (UTC). An hour that clocks skip or double comes once."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(day, at, zone).astimezone(UTC) for day in (today, today - timedelta(days=1)))
    return next(moment for moment in moments if moment <= now)


def promise_once(tx: Transaction, kind: str, due_at: datetime) -> None:
    """Promises the job of this moment, unless somebody has done so."""
    if insert_once(tx, upkeep, {"kind": kind, "due_at": due_at, "promised_at": tx.now, "job_id": ""}):
        _promise(tx, kind, due_at, tx.now)


def promise_later(tx: Transaction, kind: str, due_at: datetime, wait: timedelta) -> None:
    """Promises another job in place of the one that could not be done just now."""
    _promise(tx, kind, due_at, tx.now + wait)


def due_of(payload: object) -> datetime:
    """The moment that a job's payload names."""
    assert isinstance(payload, dict)
    return datetime.fromisoformat(payload["due_at"])


def mark_done(tx: Transaction, kind: str, due_at: datetime) -> None:
    """What was to be done before and never was need not be tried any more."""
    this = (upkeep.c.kind == kind, upkeep.c.due_at == due_at)
    tx.execute(update(upkeep).where(*this, upkeep.c.done_at.is_(None)).values(done_at=tx.now))
    earlier = select(upkeep.c.job_id).where(upkeep.c.kind == kind, upkeep.c.due_at < due_at, _undone())
    moot = update(job).where(job.c.id.in_(earlier), job.c.state.in_(("waiting", "parked")))
    tx.execute(moot.values(state="done", finished_at=tx.now, error="", payload={}))
    tx.execute(delete(upkeep).where(upkeep.c.due_at < tx.now - _KEPT))


def promise_trial(tx: Transaction, due_at: datetime) -> None:
    """Once a week, beginning with the first backup."""
    lately = select(exists().where(upkeep.c.kind == TRIAL, upkeep.c.due_at > due_at - _WEEK))
    if not tx.value(lately):
        promise_once(tx, TRIAL, due_at)


def newest_done(tx: Transaction, kind: str) -> datetime | None:
    """When it was last done."""
    at: datetime | None = tx.value(select(func.max(upkeep.c.done_at)).where(upkeep.c.kind == kind))
    return at


def neglected(tx: Transaction) -> Iterator[str]:
    """In words, what has been due for more than an hour and was not done since. The table holds two months."""
    done = upkeep.alias()
    since = exists().where(done.c.kind == upkeep.c.kind, done.c.done_at.is_not(None), done.c.due_at > upkeep.c.due_at)
    columns = (upkeep.c.kind, upkeep.c.promised_at, job.c.state, job.c.error)
    wanted = select(*columns).select_from(upkeep.outerjoin(job, job.c.id == upkeep.c.job_id))
    rows = tx.all(wanted.where(_undone(), ~since).order_by(upkeep.c.kind, upkeep.c.due_at))
    for kind in (BACKUP, TRIAL):
        ours = [row for row in rows if row["kind"] == kind]
        if ours and ours[0]["promised_at"] < tx.now - LATE:
            why = ours[-1]["error"] or "the job waits for a worker, or is still under way"
            yield f"{_WORDS[kind]} since {ours[0]['promised_at']:%Y-%m-%d %H:%M} UTC: {why}"


def _undone() -> ColumnElement[bool]:
    return upkeep.c.done_at.is_(None)


def _promise(tx: Transaction, kind: str, due_at: datetime, begins_at: datetime) -> None:
    job_id = promise(tx, kind, {"due_at": due_at.isoformat()}, due_at=begins_at)
    tx.execute(update(upkeep).where(upkeep.c.kind == kind, upkeep.c.due_at == due_at).values(job_id=job_id))
