"""Is the instance well? Asked by monitors every few seconds, so it costs three statements at most once a second,
a write every ten seconds, and one statement more where it is to back itself up. Folders of backups are not looked at:
their disk may hang."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import structlog
from sqlalchemy import column, delete, func, insert, select, table

from ...base.errors import Busy, Problem, Unavailable
from ...hooks.tables import plugin_failure
from ...instance import Instance
from ...instance.instance import sqlite_file
from ...operations.backups.upkeep import neglected
from ...storage.database import Transaction
from ...storage.jobs.clock import EVERY_MINUTE, in_doubt, worked_before
from ...storage.jobs.tables import job, job_slot
from .mail import unsent_mail

if TYPE_CHECKING:
    from .figures import Figures

KEPT = timedelta(seconds=1)  # how long an answer holds
LATE = timedelta(minutes=5)  # work that waits for longer has no worker
AHEAD = timedelta(minutes=1)  # of the clock: what was worked later than this has not happened yet
RECENT = timedelta(minutes=15)  # failures of plugins
WRITTEN = timedelta(seconds=10)  # how long one write stands for the next
STUCK = timedelta(minutes=2)  # without a write
FAILED = timedelta(minutes=5)  # requests that count
LEAST_FREE = 500 * 1024 * 1024  # bytes on each disk
_revision = table("alembic_version", column("version_num"))
_PROBE = "health"  # the row that is written to see whether anything can be
_log = structlog.get_logger("commensal.health")


@dataclass(frozen=True)
class Health:
    """`down`: nobody is served. `degraded`: they are, and an operator should look. `reasons` are for the operator."""

    status: Literal["ok", "degraded", "down"]
    reasons: tuple[str, ...] = ()


class Watcher:
    """Looks after one instance, on behalf of any number of monitors."""

    def __init__(self, instance: Instance, figures: Figures | None = None) -> None:
        """`figures` are those of the process that serves; None where nobody is served."""
        self._instance, self._figures = instance, figures
        self._written: datetime | None = None  # when a write was last seen to reach the disk
        self._lock = threading.Lock()
        self._seen: Health | None = None
        self._at: datetime | None = None
        self._revision: str | None = None

    def health(self) -> Health:
        """The health of this second. A change for better or worse is in the log, where it also stands when it is too
        late to ask."""
        with self._lock:
            now = self._instance.clock.now()
            if self._seen is not None and self._at is not None and abs(now - self._at) < KEPT:
                return self._seen
            before, self._seen, self._at = self._seen, self._look(), now
            if (before is not None and before != self._seen) or (before is None and self._seen.status != "ok"):
                _log.warning("health", status=self._seen.status, reasons=list(self._seen.reasons))
            return self._seen

    def _look(self) -> Health:
        try:
            with self._instance.store.read() as tx:
                reasons = [*self._of_database(tx), *map(str, unsent_mail(tx)), *_failing_plugins(tx)]
                reasons += neglected(tx) if self._instance.settings.backups.folder else ()
        except Exception as error:  # whatever the driver raises: nobody can be served
            return Health("down", (f"The database does not answer: {type(error).__name__}.",))
        try:
            self._write()
        except Busy as error:
            if isinstance(error, Unavailable):
                return Health("down", (f"Nothing can be written: {error}", *reasons))
            reasons.append(f"No write was possible for more than {_minutes(STUCK)}: {error}")
        reasons += self._failed_requests()
        reasons += map(str, full_disks(self._instance))
        return Health("degraded" if reasons else "ok", tuple(reasons))

    def _write(self) -> None:
        """Writes and commits one row, every ten seconds at most. Raises `Unavailable` where that cannot be done, and
        `Busy` where others have held the database for too long; a moment is no reason."""
        now = self._instance.clock.now()
        if self._written is not None and timedelta(0) <= now - self._written < WRITTEN:
            return
        try:
            with self._instance.store.write(patience=1.0) as tx:
                tx.execute(delete(job_slot).where(job_slot.c.name == _PROBE))
                tx.execute(insert(job_slot).values(name=_PROBE, slot=tx.now))
        except Unavailable:
            raise
        except Busy:
            if self._written is None or now - self._written > STUCK:
                raise
        else:
            self._written = now

    def _failed_requests(self) -> Iterator[str]:
        now = self._instance.clock.now()
        if self._figures is not None and (count := self._figures.failed_since(now - FAILED)):
            yield f"{count} requests of the last {_minutes(FAILED)} were answered with an error (5xx); see the log."

    def _of_database(self, tx: Transaction) -> Iterator[str]:
        found = tx.one(_looked_at(tx.now))
        if found["parked"]:
            yield f"{found['parked']} jobs are parked after their last try; `commensal jobs` lists them."
        if found["overdue"]:
            yield f"{found['overdue']} jobs are overdue by more than {_minutes(LATE)}; is a worker running?"
        yield from clock_and_worker(tx.now, found["slot"])
        yield from map(str, clock_ahead(tx.now, found["before"]))
        if self._revision is None:  # whoever opened the instance has compared it with the code
            self._revision = found["revision"]
        if found["revision"] != self._revision:
            yield "The database was migrated or replaced since this process began; restart it."


def _looked_at(now: datetime) -> Any:
    """One row, each part of which goes by an index, however many jobs there are."""
    overdue = (job.c.state == "waiting", job.c.due_at < now - LATE)
    parts = {
        "parked": select(func.count()).select_from(job).where(job.c.state == "parked"),
        "overdue": select(func.count()).select_from(job).where(*overdue),
        "slot": newest_slot(),
        "before": worked_before(now),
        "revision": select(func.max(_revision.c.version_num)),
    }
    return select(*(one.scalar_subquery().label(name) for name, one in parts.items()))


def newest_slot() -> Any:
    """The minute in which a worker was last seen at work; none before the first one."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == EVERY_MINUTE)


def clock_and_worker(now: datetime, slot: datetime | None) -> Iterator[str]:
    """What the minute of the last work tells of the clock and of the workers."""
    if slot is None:
        return
    if slot > now + AHEAD:
        yield f"The clock says {now:%Y-%m-%d %H:%M} UTC, but work was done at {slot:%Y-%m-%d %H:%M}; set the clock."
    elif slot < now - LATE:
        yield f"No worker has done anything since {slot:%Y-%m-%d %H:%M} UTC; run `commensal work`, or serve with jobs."


def clock_ahead(now: datetime, before: datetime | None) -> Iterator[Problem]:
    """`before` is the last minute of work that lies at least a day back."""
    if in_doubt(now, before):
        text = (
            "The clock says {now:%Y-%m-%d %H:%M} UTC, and the last work before today was done at "
            "{before:%Y-%m-%d %H:%M}. Set the clock if it is wrong; until it has been steady for a day, nothing is "
            "forgotten and no sale is completed."
        )
        yield Problem("clock_ahead", text, values={"now": now, "before": before})


def _failing_plugins(tx: Transaction) -> Iterator[str]:
    failed = select(plugin_failure.c.plugin, plugin_failure.c.hook).where(plugin_failure.c.last_at > tx.now - RECENT)
    for row in tx.all(failed.order_by(plugin_failure.c.plugin, plugin_failure.c.hook)):
        yield f"The plugin {row['plugin']} failed in {row['hook']} lately; `commensal plugins` tells how."


def full_disks(instance: Instance) -> list[Problem]:
    """The disks of the folder and of the database on which little is left."""
    folders = {instance.folder, *([file.parent] if (file := database_file(instance)) else [])}
    free = {str(folder.resolve()): shutil.disk_usage(folder).free for folder in folders}
    return [
        Problem(
            "full_disk",
            "Only {left} MB are free in {folder}; make room.",
            values={"left": left // 1024**2, "folder": folder},
        )
        for folder, left in sorted(free.items())
        if left < LEAST_FREE
    ]


def database_file(instance: Instance) -> Path | None:
    """None where the database is no file of this machine's."""
    return sqlite_file(instance.store.url)


def _minutes(time: timedelta) -> str:
    return f"{time // timedelta(minutes=1)} minutes"
