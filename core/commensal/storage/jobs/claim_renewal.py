"""Renews the claim of a job that takes longer than its claim lasts, so that no other worker takes it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from ...base.errors import CommensalError
from .registry import Job
from .run import CLAIM, UPDATE_CLAIMED, claim_key

if TYPE_CHECKING:
    from ...instance import Instance

_RENEWAL = timedelta(minutes=1)
_log = structlog.get_logger("commensal.jobs")


@contextmanager
def keep_claimed(instance: Instance, job: Job, *, every: timedelta = _RENEWAL) -> Iterator[None]:
    """Renews the claim until the block ends. If this process dies, the last claim expires by itself."""
    stopped = threading.Event()

    def renew_until_stopped() -> None:
        while not stopped.wait(every.total_seconds()):
            try:
                renew_claim(instance, job)
            except CommensalError as error:  # the next try comes long before the claim expires
                _log.warning("a job could not be claimed again", job=job.id, exc_info=error)

    renewer = threading.Thread(target=renew_until_stopped, name=f"claim of {job.kind}", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        stopped.set()
        renewer.join()


def renew_claim(instance: Instance, job: Job) -> None:
    """Extends the claim from now on. Does nothing if another worker has taken the job up."""
    with instance.store.write() as tx:
        tx.change(UPDATE_CLAIMED, {**claim_key(job), "claimed_until": tx.now + CLAIM})
