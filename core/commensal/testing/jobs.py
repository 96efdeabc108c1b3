"""Does an instance's jobs by hand, at the hour that a test says."""

from __future__ import annotations

from sqlalchemy import select

from ..base.clock import ManualClock
from ..instance import Instance
from ..operations.work import work_of
from ..storage.jobs.tables import job
from ..storage.jobs.ticking import tick


class JobFailed(AssertionError):
    """A job raised an error. In an instance that serves it would come back later, and be parked in the end."""


class RunJobs:
    """Moves the clock on, and does what is due then: ``run_jobs()``, ``run_jobs(hours=2)``."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self._instance, self._clock = instance, clock

    def __call__(self, *, failing: bool = False, **later: float) -> None:
        """`later` is a `timedelta` in its own words. Raises `JobFailed` unless jobs are expected to be `failing`."""
        self._clock.advance(**later)
        tick(self._instance, work_of(self._instance))
        failed = self.failed()
        if failed and not failing:
            raise JobFailed("; ".join(f"{kind}: {error}" for kind, error in failed))

    def failed(self) -> list[tuple[str, str]]:
        """Kind and error of every job that has failed and not succeeded since."""
        with self._instance.store.read() as tx:
            found = tx.all(select(job.c.kind, job.c.error).where(job.c.state != "done", job.c.error != ""))
        return [(row["kind"], row["error"]) for row in found]
