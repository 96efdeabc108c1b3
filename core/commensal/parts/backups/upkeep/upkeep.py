"""Bookkeeping of automatic backups and trials, and the backups in a folder, which are known by their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from ....base.errors import Problem, StoreError
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


# The backups in a folder, known by their names alone.

_AHEAD = timedelta(minutes=1)  # tolerance for names: of two backups in one second, the later is named a second later
_NAME = re.compile(r"commensal-\d{8}T\d{6}Z\.zip")


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, the newest first."""
    return _newest_first(folder.glob("*"))


def _newest_first(files: Iterable[Path]) -> list[Path]:
    return sorted(filter(is_backup, files), key=lambda file: file.name, reverse=True)


def newest_in(folder: Path, now: datetime) -> Path:
    """The newest backup in a folder, as `newest_of` chooses it. Raises `StoreError` if there is none."""
    newest = newest_of(folder.glob("*"), now)
    if newest is None:
        raise StoreError("There is no backup in {folder}.", folder=folder)
    return newest


def newest_of(files: Iterable[Path], now: datetime) -> Path | None:
    """The newest backup among files that was not made after `now`, or else the newest of all; None if there is none.

    One from after `now` was made while the clock was ahead: by its name it would be the newest for years.
    """
    backups = _newest_first(files)
    return next((backup for backup in backups if made_at(backup) <= now + _AHEAD), backups[0] if backups else None)


def newest_for_certain(folder: Path, now: datetime) -> Path:
    """The newest backup in a folder. Raises `StoreError` if there is none, or if one was made after `now`: then either
    this clock is wrong or that one was, and only a person knows which backup is the newest."""
    newest, last = newest_in(folder, now), backups_in(folder)[0]
    if made_at(last) > now + _AHEAD:
        text = (
            "{last} was made after now, {now:%Y-%m-%d %H:%M} UTC by this machine's clock. Set the clock if it is "
            "wrong; otherwise the clock was ahead at that backup: name the right file, perhaps {newest}. "
            "Nothing was changed."
        )
        raise StoreError(text, last=last, now=now, newest=newest)
    return newest


def is_backup(file: Path) -> bool:
    """Whether its name is one that backups get."""
    return _NAME.fullmatch(file.name) is not None


def made_at(backup: Path) -> datetime:
    """The moment (UTC) in the name of a backup."""
    return datetime.strptime(backup.name, "commensal-%Y%m%dT%H%M%SZ.zip").replace(tzinfo=UTC)


def newest_backup(folder: Path, now: datetime) -> datetime | None:
    """The moment (UTC) of the newest backup in a folder. Lists the folder, which may take long on a slow disk.

    A backup from after `now` does not count: it was made while the clock was ahead, so nobody knows when.
    """
    return max((moment for moment in map(made_at, backups_in(folder)) if moment <= now), default=None)
