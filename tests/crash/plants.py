"""Bugs that a programmer could have made, planted in a life: each must be found by one of the checks.

A check that finds none of them would prove nothing by finding nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from commensal.interfaces.api import handler
from commensal.operations.backups import backup
from commensal.storage.database import Store
from commensal.storage.jobs import run
from commensal.storage.jobs.tables import job
from commensal.trade.payments import payments
from commensal.trade.stock import take

from . import till


def _charges_without_a_key() -> None:
    """The provider is asked under another name each time, so it cannot know that it was asked before."""
    original = till.charge
    vars(till)["charge"] = lambda of, *more: original(f"{of}-{secrets.token_hex(4)}", *more)


def _answers_before_the_commit() -> None:
    """The customer reads that the order is placed while it is on its way to the disk; whoever asks waits for that."""
    late, read = list[threading.Timer](), Store.read

    def transact(self: Store, act: Callable[[Any], Any], *, seconds: float | None = None) -> Any:
        whole = self.write(seconds=seconds)
        tx = whole.__enter__()
        try:
            value = act(tx)
        except BaseException as error:
            whole.__exit__(type(error), error, error.__traceback__)
            raise
        timer = threading.Timer(0.3, whole.__exit__, (None, None, None))
        timer.start()
        late[:] = [timer]
        return value

    def read_later(self: Store) -> Any:
        for call in late:
            call.join()
        return read(self)

    Store.transact, Store.read = transact, read_later  # type: ignore[method-assign]


def _forgets_its_answers() -> None:
    """A request that is repeated is done again."""
    vars(handler)["claim_key"] = lambda *_: None
    vars(handler)["store_answer"] = lambda *_: None


def _sells_what_is_not_there() -> None:
    """The guard says that a lot would fall below zero, and nobody listens."""
    original: Any = vars(take)["change_levels"]
    vars(take)["change_levels"] = lambda tx, changes: original(tx, changes) or True


def _commits_half_a_payment() -> None:
    """The order is paid, and the journal learns of it in a transaction of its own."""
    original: Any = vars(payments)["change_paid_total"]

    def change_paid_total(tx: Any, order: Any, amount: int) -> None:
        original(tx, order, amount)
        driver = tx.connection.connection.driver_connection
        driver.execute("COMMIT")
        driver.execute("BEGIN IMMEDIATE")

    vars(payments)["change_paid_total"] = change_paid_total


def _notes_jobs_as_done_before_they_are() -> None:
    """A job that was claimed is never looked at again."""
    original = run._claim

    def claim(tx: Any, condition: Any) -> Any:
        one = original(tx, condition)
        if one is not None:
            tx.execute(job.update().where(job.c.id == one.id).values(state="done"))
        return one

    vars(run)["_claim"] = claim


def _names_a_backup_before_it_is_written() -> None:
    """As if a backup were written in its place and not beside it."""
    original = backup._write

    def write(source: Any, work: Any, unfinished: Any) -> Any:
        return original(source, work, work.parent / unfinished.name)

    vars(backup)["_write"] = write


PLANTS: Mapping[str, Callable[[], None]] = {
    action.__name__.removeprefix("_"): action
    for action in (
        _charges_without_a_key,
        _answers_before_the_commit,
        _forgets_its_answers,
        _sells_what_is_not_there,
        _commits_half_a_payment,
        _notes_jobs_as_done_before_they_are,
        _names_a_backup_before_it_is_written,
    )
}
