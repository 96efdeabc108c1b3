"""Stores failures of plugins in the database, where ``commensal plugins`` reads those of all processes, and enqueues
an e-mail to the operators when a plugin is set aside."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import delete, func, select

from ..storage.database import Store, Transaction, insert_once, insert_or
from ..storage.jobs.enqueue import enqueue
from ..storage.jobs.periodic import slot
from ..storage.jobs.tables import job_slot
from .breaker import Failure
from .tables import plugin_failure

MAX_TEXT = 1000  # characters of `what`
SET_ASIDE = "plugin_set_aside"  # the kind of the job that mails the operators; `interfaces.mail.set_aside` does it
_ALERT_EVERY = timedelta(days=1)  # for each plugin
_PAUSE = 1.0  # seconds between two writes: a plugin that fails on every page must not cost a commit for every page
_log = structlog.get_logger("commensal.hooks")


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The number of failures of one plugin, and the last of them. `last_at` is UTC."""

    count: int
    hook: str
    what: str
    last_at: datetime


class Recorder:
    """Writes failures from a thread of its own, in transactions of its own, so that `keep` never waits: most failures
    are noted inside the transaction that they end.

    The thread is started by a failure and ends when there are no more. Failures that cannot be written are in the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._unwritten: list[Failure] = []
        self._thread: threading.Thread | None = None
        self._is_flushing = False

    def keep(self, failure: Failure) -> None:
        with self._changed:
            self._unwritten.append(failure)
            if self._thread is None or not self._thread.is_alive():
                self._is_flushing = False
                self._thread = threading.Thread(target=self._run, daemon=True, name="failures of plugins")
                self._thread.start()

    def flush(self, timeout: float = 15.0) -> None:
        """Waits until all failures are written, for at most `timeout` seconds."""
        with self._changed:
            self._is_flushing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        while failures := self._next():
            try:
                self._store.transact(partial(note_failures, failures=failures))
            except Exception as error:  # busy, full, gone: the failures themselves are in the log
                _log.error("failures of plugins could not be kept", failures=len(failures), exc_info=error)
            with self._changed:
                self._changed.wait_for(lambda: self._is_flushing, _PAUSE)

    def _next(self) -> list[Failure]:
        with self._changed:
            failures, self._unwritten = self._unwritten, []
            if not failures:
                self._thread = None
            return failures


def note_failures(tx: Transaction, failures: Sequence[Failure]) -> None:
    """Adds failures to the counts of their plugins and hooks. The first one of a day that has set a plugin aside
    enqueues an e-mail to the operators."""
    counts = Counter((failure.plugin, failure.hook) for failure in failures)
    last = {(failure.plugin, failure.hook): failure for failure in failures}
    for (plugin, hook), count in sorted(counts.items()):
        latest = last[plugin, hook]
        row = {
            "plugin": plugin,
            "hook": hook,
            "count": count,
            "what": latest.what[:MAX_TEXT].replace("\0", ""),
            "last_at": latest.at,
        }
        new = insert_or(tx, plugin_failure).values(row)
        update = {
            "count": plugin_failure.c.count + new.excluded.count,
            "what": new.excluded.what,
            "last_at": new.excluded.last_at,
        }
        tx.execute(new.on_conflict_do_update(index_elements=["plugin", "hook"], set_=update))
    for plugin, failure in {failure.plugin: failure for failure in failures if failure.is_set_aside}.items():
        _promise_alert(tx, plugin, failure)


def _promise_alert(tx: Transaction, plugin: str, failure: Failure) -> None:
    """Claims the day as periodic work claims its slot, so that all processes together enqueue one e-mail."""
    name, day = f"{SET_ASIDE}.{plugin}", slot(tx.now, _ALERT_EVERY)
    if insert_once(tx, job_slot, {"name": name, "slot": day}):
        tx.execute(delete(job_slot).where(job_slot.c.name == name, job_slot.c.slot < day))
        what = failure.what[:MAX_TEXT].replace("\0", "")
        enqueue(tx, SET_ASIDE, {"plugin": plugin, "where": failure.hook, "what": what})


def failures_by_plugin(tx: Transaction) -> Mapping[str, Failures]:
    """The failures of each plugin that has failed, by its id."""
    rows = tx.all(select(plugin_failure).order_by(plugin_failure.c.last_at))
    totals = select(plugin_failure.c.plugin, func.sum(plugin_failure.c.count).label("all"))
    sums = {row["plugin"]: int(row["all"]) for row in tx.all(totals.group_by(plugin_failure.c.plugin))}
    return {
        row["plugin"]: Failures(count=sums[row["plugin"]], hook=row["hook"], what=row["what"], last_at=row["last_at"])
        for row in rows
    }
