"""An instance that looks after itself: a backup every night, and once a week the newest is restored to try it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import Busy
from ...instance.settings import Settings
from ...storage.database import Transaction
from ...storage.jobs import Job
from ...storage.jobs.holding import keep_claimed
from .backup import back_up, backups_in, made_at, try_newest
from .upkeep import BACKUP, TRIAL, due_of, mark_done, newest_moment, promise_later, promise_once, promise_trial

if TYPE_CHECKING:
    from ...instance import Instance

WAIT = timedelta(minutes=15)  # for a backup that somebody else is making


def promise_backup(tx: Transaction, *, settings: Settings) -> None:
    """Promises the backup of the last night, once. After nights without power, one is made up for all of them."""
    if settings.backups.folder:
        promise_once(tx, BACKUP, newest_moment(tx.now, settings.backups.time_of_day, settings.timezone))


def make_backup(instance: Instance, one: Job) -> None:
    """The job of a night. A backup that somebody has made since, by hand or in a life that was cut off, is that of the
    night too. Raises what `back_up` raises; while another is being written, it comes back later and nothing is wrong.
    """
    kept, due_at = instance.settings.backups, due_of(one.payload)
    if not kept.folder:
        return
    to = Path(kept.folder)
    try:
        if not _made_since(to, due_at):
            with keep_claimed(instance, one):
                back_up(instance.folder, to, keep=kept.keep, clock=instance.clock)
    except Busy:
        with instance.store.write() as tx:
            promise_later(tx, BACKUP, due_at, WAIT)
        return
    with instance.store.write() as tx:
        mark_done(tx, BACKUP, due_at)
        promise_trial(tx, due_at)


def try_backup(instance: Instance, one: Job) -> None:
    """The job of a week. Raises what `try_newest` raises."""
    kept, due_at = instance.settings.backups, due_of(one.payload)
    if not kept.folder:
        return
    try:
        with keep_claimed(instance, one):
            try_newest(instance.folder, Path(kept.folder), clock=instance.clock)
    except Busy:
        with instance.store.write() as tx:
            promise_later(tx, TRIAL, due_at, WAIT)
        return
    with instance.store.write() as tx:
        mark_done(tx, TRIAL, due_at)


def newest_backup(folder: Path) -> datetime | None:
    """The moment (UTC) of the newest backup in a folder; it is listed, which takes as long as its disk takes."""
    return max(map(made_at, backups_in(folder)), default=None)


def _made_since(folder: Path, due_at: datetime) -> bool:
    newest = newest_backup(folder)
    return newest is not None and newest >= due_at.astimezone(UTC).replace(microsecond=0)
