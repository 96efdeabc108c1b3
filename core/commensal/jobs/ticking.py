"""The clock that ticks while an instance serves. APScheduler only ticks; what is due, the database knows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from .periodic import run_periodic
from .registry import Work
from .run import run_due

if TYPE_CHECKING:
    from ..instance import Instance

SECONDS = 2
AT_ONCE = 4  # ticks side by side: while one waits for a slow server, others do what is due meanwhile


def tick(instance: Instance, work: Work, stopping: threading.Event | None = None) -> None:
    """Everything that is due now: periodic work first, then promises until none is left, or it is time to stop."""
    run_periodic(instance, work)
    while not (stopping and stopping.is_set()) and run_due(instance, work):
        pass


@contextmanager
def ticking(instance: Instance, work: Work) -> Iterator[None]:
    """Ticks in threads of its own until the block ends; jobs under way are waited for, the others stay promised."""
    stopping = threading.Event()
    scheduler = BackgroundScheduler(timezone="UTC")
    once = {"coalesce": True, "max_instances": AT_ONCE, "misfire_grace_time": None}
    scheduler.add_job(tick, "interval", args=(instance, work, stopping), seconds=SECONDS, **once)
    scheduler.start()
    try:
        yield
    finally:
        stopping.set()
        scheduler.shutdown(wait=True)
