"""Automatic backups: one every night, and a trial restore of the newest one every week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import Busy
from ...instance.settings import InstanceSettings
from ...storage.database import Transaction
from ...storage.jobs import Job
from ...storage.jobs.run import keep_claimed
from .backup import back_up, try_elsewhere, try_newest
from .elsewhere import push
from .upkeep.upkeep import (
    BACKUP,
    TRIAL,
    due_at_of,
    enqueue_later,
    enqueue_once,
    enqueue_trial,
    last_moment,
    mark_done,
    newest_backup,
)

if TYPE_CHECKING:
    from ...instance import Instance

WAIT = timedelta(minutes=15)  # before another try, while another process is making a backup


def enqueue_backup(tx: Transaction, *, settings: InstanceSettings) -> None:
    """Enqueues the backup of the last night, once. After several nights without power, there is one backup for all."""
    if settings.backups.folder:
        enqueue_once(tx, BACKUP, last_moment(tx.now, settings.backups.time_of_day, settings.timezone))


def make_backup(instance: Instance, job: Job) -> None:
    """The job of a night. A backup that was made since then, by hand or by a killed process, counts as its backup.
    It is also copied elsewhere, if a place is set.

    Raises what `back_up` and `push` raise, except `Busy`: then the job is enqueued again for later.
    """
    backups, due_at = instance.settings.backups, due_at_of(job.payload)
    if not backups.folder:
        return
    to = Path(backups.folder)
    try:
        if not _made_since(to, due_at, instance.clock.now()):
            with keep_claimed(instance, job):
                back_up(instance.folder, to, keep=backups.keep, clock=instance.clock)
        if backups.elsewhere:
            with keep_claimed(instance, job):
                push(to, backups.elsewhere)
    except Busy:
        with instance.store.write() as tx:
            enqueue_later(tx, BACKUP, due_at, WAIT)
        return
    with instance.store.write() as tx:
        mark_done(tx, BACKUP, due_at)
        enqueue_trial(tx, due_at)


def try_backup(instance: Instance, job: Job) -> None:
    """The job of a week. Raises what `try_newest` raises, except `Busy`: then the job is enqueued again for later."""
    backups, due_at = instance.settings.backups, due_at_of(job.payload)
    if not backups.folder:
        return
    try:
        with keep_claimed(instance, job):
            try_newest(instance.folder, Path(backups.folder), clock=instance.clock)
            if backups.elsewhere:
                try_elsewhere(instance.folder, backups.elsewhere, clock=instance.clock)
    except Busy:
        with instance.store.write() as tx:
            enqueue_later(tx, TRIAL, due_at, WAIT)
        return
    with instance.store.write() as tx:
        mark_done(tx, TRIAL, due_at)


def _made_since(folder: Path, due_at: datetime, now: datetime) -> bool:
    newest = newest_backup(folder, now)
    return newest is not None and newest >= due_at.astimezone(UTC).replace(microsecond=0)
