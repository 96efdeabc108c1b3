"""Runs jobs: claims the next one that is due, calls its handler, and records the outcome.

A claim names its process, so that the job is given back at once if that dies (`workers`). It lasts for a while, so that
another machine takes up a job whose worker is silent. A failed job is tried again after growing delays; after its last
attempt it is parked, and an operator may retry it. A `PermanentFailure` parks it at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import ColumnElement, bindparam, select, update

from ...base.acting import Acting, acting
from ...base.errors import CommensalError
from ...base.failpoints import failpoint
from ..database import RowQuery, Transaction
from .clock import PAUSE, may_run
from .registry import Job, PermanentFailure, Slots, Work
from .tables import job

if TYPE_CHECKING:
    from ...instance import Instance


CLAIM = timedelta(minutes=5)  # longer than the longest time limit of a job; `run.py` is for jobs without one
PLUGIN_SECONDS = 240.0  # for a job of a plugin, before a worker leaves it behind; less than `CLAIM`
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
# Built once, since each job needs them.
_BY_ID = update(job).where(job.c.id == bindparam("job"))
_TAKE_UP = _BY_ID.values(
    state="running", claimed_until=bindparam("until"), claimed_by=bindparam("by"), attempts=job.c.attempts + 1
)
UPDATE_CLAIMED = _BY_ID.where(job.c.state == "running", job.c.attempts == bindparam("attempt"))  # see `claim_key`
_log = structlog.get_logger("commensal.jobs")


def run_due(instance: Instance, work: Work, slots: Slots | None = None) -> bool:
    """Runs the job that has been due for longest. Returns False if none is due.

    One at a time: further claimed jobs would wait behind a slow one while other workers have nothing to do. Workers of
    one process share `slots`, and leave a job of a plugin behind that hangs.
    """

    def claim(condition: ColumnElement[bool] | None) -> Job | None:
        with instance.store.write() as tx:
            return _claim(tx, condition, work.irreversible, instance.store.worker)

    claimed = claim(None) if slots is None else slots.take(claim)
    if claimed is None:
        return False
    try:
        failpoint("job.claimed")
        _run(instance, work, claimed, may_abandon=slots is not None)
    finally:
        if slots is not None:
            slots.release(claimed.kind)
    return True


def _claim(
    tx: Transaction, condition: ColumnElement[bool] | None, irreversible: frozenset[str], worker: str
) -> Job | None:
    """Claims the next job that meets the condition. Two queries, because each of them can use the index by due time."""
    due, lost = _due_queries(tx.postgresql, condition, irreversible)
    moments = {"now": tx.now, "plausible_since": tx.now - PAUSE} if irreversible else {"now": tx.now}
    row = tx.first(due, moments) or tx.first(lost, moments)
    if row is None:
        return None
    tx.change(_TAKE_UP, {"job": row["id"], "until": tx.now + CLAIM, "by": worker or None})
    return Job(row["id"], row["kind"], row["payload"], row["attempts"] + 1)


@cache
def _due_queries(
    on_postgresql: bool, condition: ColumnElement[bool] | None, irreversible: frozenset[str]
) -> tuple[RowQuery, RowQuery]:
    """A query for the waiting job that is due first, and one for the first job of a worker that has died."""
    due = select(job).where(job.c.state == "waiting", job.c.due_at <= bindparam("now"))
    lost = select(job).where(job.c.state == "running", job.c.claimed_until < bindparam("now"))
    if condition is not None:
        due, lost = due.where(condition), lost.where(condition)
    if irreversible:
        due, lost = due.where(may_run(irreversible)), lost.where(may_run(irreversible))
    queries = [query.order_by(job.c.due_at, job.c.id).limit(1) for query in (due, lost)]
    locking_queries = [query.with_for_update(skip_locked=True) if on_postgresql else query for query in queries]
    return locking_queries[0], locking_queries[1]


def claim_key(claimed: Job) -> dict[str, object]:
    """Parameters of `UPDATE_CLAIMED`, which has no effect once another worker has taken the job up."""
    return {"job": claimed.id, "attempt": claimed.attempts}


def note_for_retry(tx: Transaction, claimed: Job, **values: object) -> None:
    """Adds `values` to the payload of a running job, for a later try of the same job."""
    tx.change(UPDATE_CLAIMED, {**claim_key(claimed), "payload": {**claimed.payload, **values}})


def _run(instance: Instance, work: Work, claimed: Job, *, may_abandon: bool) -> None:
    try:
        act = partial(work.handlers[claimed.kind], instance, claimed)
        with acting(Acting(kind="job", command=claimed.kind)):
            run_as_plugin(instance, claimed.kind, f"job {claimed.kind}", act, may_abandon=may_abandon)
    except Exception as error:  # any error of any handler: the job is tried again, or parked
        why: dict[str, object] = {"why": _reason(error)} if _tells_all(error) else {"exc_info": error}
        _log.warning("job failed", job=claimed.id, kind=claimed.kind, attempt=claimed.attempts, **why)
        with instance.store.write() as tx:
            _note_failure(tx, claimed, error)
    else:
        failpoint("job.done")
        with instance.store.write() as tx:
            # The payload is deleted, because it may contain personal data or the secrets of links.
            tx.change(
                UPDATE_CLAIMED,
                {**claim_key(claimed), "state": "done", "finished_at": tx.now, "error": "", "payload": {}},
            )


def run_as_plugin(instance: Instance, name: str, what: str, act: Callable[[], object], *, may_abandon: bool) -> None:
    """Does work of this name. If it is a plugin's, failures name the plugin, and transactions are bounded; with
    `may_abandon`, it raises `PluginError` after `PLUGIN_SECONDS` and leaves the work behind in its thread."""
    plugin = name.partition(".")[0]
    if plugin not in instance.hooks.plugins():
        act()
    elif may_abandon:
        instance.hooks.run_abandonable(plugin, what, act, PLUGIN_SECONDS)
    else:
        with instance.hooks.running(plugin, what):
            act()


def _note_failure(tx: Transaction, claimed: Job, error: Exception) -> None:
    reason = _reason(error)[:1000]
    if isinstance(error, PermanentFailure) or claimed.attempts > len(DELAYS):
        tx.change(UPDATE_CLAIMED, {**claim_key(claimed), "state": "parked", "error": reason})
    else:
        retry = {"state": "waiting", "error": reason, "due_at": _retry_at(tx.now, claimed.attempts)}
        tx.change(UPDATE_CLAIMED, {**claim_key(claimed), **retry})


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, PermanentFailure) else f"{type(error).__name__}: {error}"


def _tells_all(error: Exception) -> bool:
    """Whether a traceback would add nothing: a server does not answer, or refuses. While a mail server is dead, every
    e-mail would write one at each of its tries."""
    return isinstance(error, PermanentFailure) or (isinstance(error, OSError) and error.filename is None)


def _retry_at(now: datetime, attempts: int) -> datetime:
    return now + DELAYS[attempts - 1]


# Renews the claim of a job that takes longer than its claim lasts, so that no other worker takes it up.

_RENEWAL = timedelta(minutes=1)


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
