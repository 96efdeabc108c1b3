"""Runs due work while an instance serves. APScheduler only ticks; the database says what is due.

Jobs that this process enqueues for now begin at once: the store wakes the scheduler after the commit. Other processes
find them at their next tick.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from ...base.errors import Unavailable
from .periodic import run_periodic
from .registry import Slots, Work
from .run import run_due

if TYPE_CHECKING:
    from ...instance import Instance

SECONDS = 2
AT_ONCE = 4  # concurrent ticks: while one waits for a slow server, others run what is due


def tick(instance: Instance, work: Work, stopping: threading.Event | None = None, slots: Slots | None = None) -> None:
    """Runs everything that is due: periodic work, then jobs until none is left or `stopping` is set. Does nothing while
    the database cannot be used. With `slots`, as one of several workers."""
    with suppress(Unavailable):  # health checks and requests report it
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
    scheduler.start()
    previous_wake, instance.store.wake_worker = instance.store.wake_worker, poke
    try:
        yield
    finally:
        stopping.set()
        instance.store.wake_worker = previous_wake
        scheduler.shutdown(wait=True)
