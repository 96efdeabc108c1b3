"""Jobs that keep failing, for operators."""

from __future__ import annotations

from ...api.endpoint import Call, Page, Paging, Routes, page_of
from ...storage.jobs.failed import FailedJob, failed_jobs, retry_failed

routes = Routes("jobs")


@routes.get("/jobs", scope="operator")
def jobs_that_failed(call: Call, query: Paging) -> Page[FailedJob]:
    """Jobs that failed and wait for their next try, or were parked after their last one."""
    jobs = failed_jobs(call.tx, after=query.after, limit=query.limit)
    return page_of(jobs, query.limit, lambda job: job.id)


@routes.post("/jobs/{job}/retry", scope="operator")
def retry_job(call: Call, job: str) -> FailedJob:
    """Gives a job that failed another round of tries now."""
    return retry_failed(call.tx, job)
