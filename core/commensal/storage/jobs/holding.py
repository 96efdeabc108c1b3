"""Holds a job that takes longer than it is claimed for, so that no other worker takes it up meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from ...base.errors import CommensalError
from .registry import Job
from .run import CLAIM, HELD, ours

if TYPE_CHECKING:
    from ...instance import Instance

_EVERY = timedelta(minutes=1)
_log = structlog.get_logger("commensal.jobs")


@contextmanager
def holding(instance: Instance, one: Job, *, every: timedelta = _EVERY) -> Iterator[None]:
    """Claims the job again and again until the block ends. If this process dies, the last claim runs out by itself."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(every.total_seconds()):
            try:
                claim_again(instance, one)
            except CommensalError as error:  # the next time will do: it comes long before the claim runs out
                _log.warning("a job could not be claimed again", job=one.id, exc_info=error)

    keeper = threading.Thread(target=keep, name=f"holding {one.kind}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def claim_again(instance: Instance, one: Job) -> None:
    """Whoever has lost the job to another worker does not get it back."""
    with instance.store.write() as tx:
        tx.change(HELD, {**ours(one), "claimed_until": tx.now + CLAIM})
