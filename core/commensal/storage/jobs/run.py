"""Does promised work: claims what is due, hands it over, and notes how it ended.

A job is claimed for a while, so that one whose worker died is taken up again by another. A failed one comes back with
growing delay; after its last attempt it is parked, where an operator sees it and may try it again. A
`PermanentFailure` parks it at once.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Select, bindparam, select, update

from ...base.failpoints import failpoint
from ...trade.audit.acting import Acting, acting
from ..database import Transaction
from .registry import Job, PermanentFailure, Work
from .tables import job

if TYPE_CHECKING:
    from ...instance import Instance

CLAIM = timedelta(minutes=5)  # longer than the longest time limit of a job; see `holding` for those without one
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
# Made once, since each job needs them.
_NAMED = update(job).where(job.c.id == bindparam("job"))
_TAKE_UP = _NAMED.values(state="running", claimed_until=bindparam("until"), attempts=job.c.attempts + 1)
HELD = _NAMED.where(job.c.state == "running", job.c.attempts == bindparam("attempt"))  # see `ours`
_log = structlog.get_logger("commensal.jobs")


def run_due(instance: Instance, work: Work) -> bool:
    """Does the job that has been due for longest. False where none is due.

    One at a time: whoever claims more makes them wait behind a slow one, while other workers have nothing to do.
    """
    with instance.store.write() as tx:
        claimed = _claim(tx)
    if claimed is None:
        return False
    failpoint("job.claimed")
    _do(instance, work, claimed)
    return True


def _claim(tx: Transaction) -> Job | None:
    """Each half of the question goes by the index of what is due, however much is."""
    due, lost = _waiting(tx.postgresql)
    row = tx.first(due, {"now": tx.now}) or tx.first(lost, {"now": tx.now})
    if row is None:
        return None
    tx.change(_TAKE_UP, {"job": row["id"], "until": tx.now + CLAIM})
    return Job(row["id"], row["kind"], row["payload"], row["attempts"] + 1)


@cache
def _waiting(on_postgresql: bool) -> tuple[Select[Any], Select[Any]]:
    """What is due first, and what a worker that has died had taken up first."""
    due = select(job).where(job.c.state == "waiting", job.c.due_at <= bindparam("now"))
    lost = select(job).where(job.c.state == "running", job.c.claimed_until < bindparam("now"))
    first = [one.order_by(job.c.due_at, job.c.id).limit(1) for one in (due, lost)]
    found = [one.with_for_update(skip_locked=True) if on_postgresql else one for one in first]
    return found[0], found[1]


def ours(one: Job) -> dict[str, Any]:
    """Still ours: a worker that was silent for so long that another took the job up has nothing to say about it."""
    return {"job": one.id, "attempt": one.attempts}


def note_for_retry(tx: Transaction, one: Job, **values: Any) -> None:
    """Adds `values` to the payload of a job that is being done: a later try of the same job reads them there."""
    tx.change(HELD, {**ours(one), "payload": {**one.payload, **values}})


def _do(instance: Instance, work: Work, one: Job) -> None:
    try:
        handler = work.handlers[one.kind]
        with acting(Acting(kind="job", command=one.kind)), whose(instance, one.kind, f"job {one.kind}"):
            handler(instance, one)
    except Exception as error:  # any error of any handler: the job comes back, or is parked and shown
        _log.warning("job failed", job=one.id, kind=one.kind, attempt=one.attempts, exc_info=error)
        with instance.store.write() as tx:
            _failed(tx, one, error)
    else:
        failpoint("job.done")
        with instance.store.write() as tx:
            # What it was about is not kept: payloads name people, and hold the secrets of their links.
            tx.change(HELD, {**ours(one), "state": "done", "finished_at": tx.now, "error": "", "payload": {}})


def whose(instance: Instance, name: str, what: str) -> AbstractContextManager[None]:
    """Around work of this name: where it is a plugin's, the plugin is named, and its transactions are bounded."""
    plugin = name.partition(".")[0]
    return instance.hooks.running(plugin, what) if plugin in instance.hooks.plugins() else nullcontext()


def _failed(tx: Transaction, one: Job, error: Exception) -> None:
    permanent = isinstance(error, PermanentFailure)
    what = (str(error) if permanent else f"{type(error).__name__}: {error}")[:1000]
    if permanent or one.attempts > len(DELAYS):
        tx.change(HELD, {**ours(one), "state": "parked", "error": what})
    else:
        again = {"state": "waiting", "error": what, "due_at": _next(tx.now, one.attempts)}
        tx.change(HELD, {**ours(one), **again})


def _next(now: datetime, attempts: int) -> datetime:
    return now + DELAYS[attempts - 1]
