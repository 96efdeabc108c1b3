"""Bugs that a programmer could have made, planted in a life: each must be found by one of the checks.

A check that finds none of them would prove nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from commensal.api import handler
from commensal.parts.backups import backup
from commensal.payments import payments
from commensal.stock import take
from commensal.storage.database import Store
from commensal.storage.jobs import run
from commensal.storage.jobs.tables import job

from . import till


def _charges_without_a_key() -> None:
    """Asks the provider under another name each time, so it cannot recognise a repeated request."""
    original = till.charge
    vars(till)["charge"] = lambda entry_id, *args: original(f"{entry_id}-{secrets.token_hex(4)}", *args)


def _answers_before_the_commit() -> None:
    """Answers that an order is placed while its commit is under way; the next read waits for the commit."""
    late_commits, read = list[threading.Timer](), Store.read

    def transact(self: Store, act: Callable[[Any], Any], *, seconds: float | None = None) -> Any:
        context = self.write(seconds=seconds)
        tx = context.__enter__()
        try:
            value = act(tx)
        except BaseException as error:
            context.__exit__(type(error), error, error.__traceback__)
            raise
        timer = threading.Timer(0.3, context.__exit__, (None, None, None))
        timer.start()
        late_commits[:] = [timer]
        return value

    def read_later(self: Store) -> Any:
        for commit in late_commits:
            commit.join()
        return read(self)

    Store.transact, Store.read = transact, read_later  # type: ignore[method-assign]


def _forgets_its_answers() -> None:
    """A repeated request is handled again."""
    vars(handler)["claim_key"] = lambda *_: None
    vars(handler)["store_answer"] = lambda *_: None


def _sells_what_is_not_there() -> None:
    """The guard reports that a lot would fall below zero, and is ignored."""
    original: Any = vars(take)["change_locked_levels"]
    vars(take)["change_locked_levels"] = lambda tx, lots, changes: original(tx, lots, changes) or True


def _commits_half_a_payment() -> None:
    """The order is paid, and the journal is written in a separate transaction."""
    original: Any = vars(payments)["change_paid_total"]

    def change_paid_total(tx: Any, order: Any, amount: int) -> None:
        original(tx, order, amount)
        driver = tx.connection.connection.driver_connection
        driver.execute("COMMIT")
        driver.execute("BEGIN IMMEDIATE")

    vars(payments)["change_paid_total"] = change_paid_total


def _notes_jobs_as_done_before_they_are() -> None:
    """A claimed job is never run again."""
    original = run._claim

    def claim(tx: Any, *conditions: Any) -> Any:
        claimed_job = original(tx, *conditions)
        if claimed_job is not None:
            tx.execute(job.update().where(job.c.id == claimed_job.id).values(state="done"))
        return claimed_job

    vars(run)["_claim"] = claim


def _names_a_backup_before_it_is_written() -> None:
    """A backup is written under its final name, and not beside it."""
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
