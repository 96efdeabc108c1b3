"""Periodic work, claimed slot by slot: the row (name, slot) can be inserted only once, so the work runs once in a slot.

The work and its row commit together: after a crash the slot is free again, and no work is half done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import bindparam, delete, select

from ...base.acting import Acting, acting
from ...base.errors import Unavailable
from ...base.failpoints import failpoint
from ..database import Transaction, insert_once
from .clock import EVERY_MINUTE, clock_in_doubt, trust_clock
from .registry import Periodic, Slots, Work
from .run import run_as_plugin, run_due
from .tables import job_slot
from .workers import give_back_of_dead, named_worker

if TYPE_CHECKING:
    from ...instance import Instance


_KEPT = timedelta(days=10)  # rows of old slots
_WORKED_SLOTS = select(job_slot.c.name, job_slot.c.slot).where(
    job_slot.c.name.in_(bindparam("names", expanding=True)), job_slot.c.slot.in_(bindparam("slots", expanding=True))
)
_DELETE_OLD = delete(job_slot).where(job_slot.c.name == bindparam("work"), job_slot.c.slot < bindparam("before"))
_log = structlog.get_logger("commensal.jobs")


def run_periodic(instance: Instance, work: Work, *, may_abandon: bool = False) -> list[str]:
    """Runs all periodic work that has not run in its present slot. Returns the names of the work that ran.

    Slots that passed while no worker was running are not made up for: the work itself looks up what is due.
    `may_abandon`: work of a plugin that hangs is left behind, as in `run_due`.
    """
    ran: list[str] = []

    def run(task: Periodic) -> None:
        with instance.store.write() as tx:
            if _claim(tx, task):
                if task.name == EVERY_MINUTE:
                    trust_clock(tx, vouched=instance.clock.is_synchronised())
                task.act(tx)
                failpoint("periodic.before_commit")
                ran.append(task.name)

    for task in _open_tasks(instance, work.periodic):
        try:
            act = partial(run, task)
            with acting(Acting(kind="job", command=task.name)):
                run_as_plugin(instance, task.name, f"periodic {task.name}", act, may_abandon=may_abandon)
        except Unavailable:  # the rest would fail too
            raise
        except Exception as error:  # the rest must run all the same; the slot stays free for the next tick
            _log.error("periodic work failed", name=task.name, exc_info=error)
    return ran


def _open_tasks(instance: Instance, tasks: Sequence[Periodic]) -> list[Periodic]:
    """The tasks that have not run in their present slot. One query, so that daily work opens no writing transaction
    each minute."""
    with instance.store.read() as tx:
        slots = {task.name: slot(tx.now, task.every) for task in tasks}
        rows = tx.all(_WORKED_SLOTS, {"names": list(slots), "slots": list(slots.values())})
        done = {(row["name"], row["slot"]) for row in rows}
        due = [task for task in tasks if (task.name, slots[task.name]) not in done]
        has_irreversible = any(task.irreversible for task in due)
        if has_irreversible and clock_in_doubt(tx) and not instance.clock.is_synchronised():
            return [task for task in due if not task.irreversible]
    return due


def _claim(tx: Transaction, task: Periodic) -> bool:
    start = slot(tx.now, task.every)
    if not insert_once(tx, job_slot, {"name": task.name, "slot": start}):
        return False
    tx.change(_DELETE_OLD, {"work": task.name, "before": start - _KEPT})
    return True


def slot(now: datetime, every: timedelta) -> datetime:
    """The beginning of the slot that contains `now`; slots are counted from 1970 in UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // every * every


# Runs due work while an instance serves. APScheduler only ticks; the database says what is due.
#
# Jobs that this process enqueues for now begin at once: the store wakes the scheduler after the commit. Other
# processes find them at their next tick.

SECONDS = 2
AT_ONCE = 4  # concurrent ticks: while one waits for a slow server, others run what is due


def tick(instance: Instance, work: Work, stopping: threading.Event | None = None, slots: Slots | None = None) -> None:
    """Runs everything that is due: what a dead process had begun, periodic work, then jobs until none is left or
    `stopping` is set. Does nothing while the database cannot be used. With `slots`, as one of several workers."""
    with suppress(Unavailable):  # health checks and requests report it
        give_back_of_dead(instance)
        run_periodic(instance, work, may_abandon=slots is not None)
        _run_jobs(instance, work, stopping or threading.Event(), slots)


def _run_jobs(instance: Instance, work: Work, stopping: threading.Event, slots: Slots | None) -> None:
    while not stopping.is_set() and run_due(instance, work, slots):
        pass


@contextmanager
def ticking(instance: Instance, work: Work) -> Iterator[None]:
    """Ticks in threads of its own until the block ends, then waits for running jobs; the others stay in the queue."""
    stopping, slots = threading.Event(), Slots()
    scheduler = BackgroundScheduler(timezone="UTC")
    options = {"coalesce": True, "max_instances": AT_ONCE, "misfire_grace_time": None}
    poked = threading.Event()

    def begin_at_once() -> None:
        poked.clear()
        with suppress(Unavailable):
            _run_jobs(instance, work, stopping, slots)

    def poke() -> None:
        if not poked.is_set() and not stopping.is_set():  # a run that is about to begin finds this job too
            poked.set()
            with suppress(JobLookupError):  # it is being shut down
                scheduler.modify_job("poked", next_run_time=datetime.now(UTC))

    # A job that runs only when it is poked. One that is added by each poke, and removed when it begins, would be looked
    # for in vain during a shutdown.
    scheduler.add_job(begin_at_once, "interval", days=1, id="poked", next_run_time=None, **options)
    scheduler.add_job(tick, "interval", args=(instance, work, stopping, slots), seconds=SECONDS, **options)
    with named_worker(instance):
        scheduler.start()
        previous_wake, instance.store.wake_worker = instance.store.wake_worker, poke
        try:
            yield
        finally:
            stopping.set()
            instance.store.wake_worker = previous_wake
            scheduler.shutdown(wait=True)
