"""Jobs that keep failing, for operators."""

from __future__ import annotations

from ....storage.jobs.failed import FailedJob, failed_jobs, retry_parked
from ..endpoint import Call, Page, Paging, Routes, page_of

routes = Routes("jobs")


@routes.get("/jobs", scope="operator")
def jobs_that_failed(call: Call, query: Paging) -> Page[FailedJob]:
    """Jobs that failed and wait for their next try, or were parked after their last one."""
    jobs = failed_jobs(call.tx, after=query.after, limit=query.limit)
    return page_of(jobs, query.limit, lambda job: job.id)


@routes.post("/jobs/{job}/retry", scope="operator")
def retry_job(call: Call, job: str) -> FailedJob:
    """Gives a parked job another round of tries."""
    return retry_parked(call.tx, job)
