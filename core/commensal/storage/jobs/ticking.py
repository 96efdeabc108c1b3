"""The clock that ticks while an instance serves. APScheduler only ticks; what is due, the database knows.

Work that this process promises for now is begun at once: its store pokes the clock after the commit. Other processes
find it at their next tick, if it is still there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from ...base.errors import Unavailable
from .periodic import run_periodic
from .registry import Work
from .run import run_due

if TYPE_CHECKING:
    from ...instance import Instance

SECONDS = 2
AT_ONCE = 4  # ticks side by side: while one waits for a slow server, others do what is due meanwhile


def tick(instance: Instance, work: Work, stopping: threading.Event | None = None) -> None:
    """Everything that is due now: periodic work first, then promises until none is left, or it is time to stop. While
    the database is away there is nothing to do."""
    with suppress(Unavailable):  # health tells of it, and so does every request
        run_periodic(instance, work)
        _keep_promises(instance, work, stopping or threading.Event())


def _keep_promises(instance: Instance, work: Work, stopping: threading.Event) -> None:
    while not stopping.is_set() and run_due(instance, work):
        pass


@contextmanager
def ticking(instance: Instance, work: Work) -> Iterator[None]:
    """Ticks in threads of its own until the block ends; jobs under way are waited for, the others stay promised."""
    stopping = threading.Event()
    scheduler = BackgroundScheduler(timezone="UTC")
    once = {"coalesce": True, "max_instances": AT_ONCE, "misfire_grace_time": None}
    poked = threading.Event()

    def begin_at_once() -> None:
        poked.clear()
        with suppress(Unavailable):
            _keep_promises(instance, work, stopping)

    def poke() -> None:
        if not poked.is_set() and not stopping.is_set():  # one that is about to begin finds this promise too
            poked.set()
            scheduler.add_job(begin_at_once, id="poked", replace_existing=True, **once)

    scheduler.add_job(tick, "interval", args=(instance, work, stopping), seconds=SECONDS, **once)
    scheduler.start()
    asleep, instance.store.awaken = instance.store.awaken, poke
    try:
        yield
    finally:
        stopping.set()
        instance.store.awaken = asleep
        scheduler.shutdown(wait=True)
