"""Runs the jobs of an instance at the times that a test chooses."""

from __future__ import annotations

from sqlalchemy import select

from ..base.clock import ManualClock
from ..instance import Instance
from ..parts.serving.work import work_of
from ..storage.jobs.tables import job
from ..storage.jobs.ticking import tick


class JobFailed(AssertionError):
    """A job raised an error. A serving instance would retry it, and park it in the end."""


class RunJobs:
    """Moves the clock forward, and runs all jobs that are due then: ``run_jobs()``, ``run_jobs(hours=2)``."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self._instance, self._clock = instance, clock

    def __call__(self, *, failing: bool = False, **later: float) -> None:
        """`later` are arguments of `timedelta`. Raises `JobFailed` if a job failed, unless `failing` expects it."""
        self._clock.advance(**later)
        tick(self._instance, work_of(self._instance))
        failed = self.failed()
        if failed and not failing:
            raise JobFailed("; ".join(f"{kind}: {error}" for kind, error in failed))

    def failed(self) -> list[tuple[str, str]]:
        """Kind and error of every job that has failed and not succeeded since."""
        with self._instance.store.read() as tx:
            rows = tx.all(select(job.c.kind, job.c.error).where(job.c.state != "done", job.c.error != ""))
        return [(row["kind"], row["error"]) for row in rows]
