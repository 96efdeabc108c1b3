"""A transaction undoes completely: rows, audited changes, and promised jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.core.desk import Desk

import commensal
from commensal.base.acting import Acting, acting
from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, StoreError
from commensal.hooks import specifications
from commensal.hooks.contract import AnyHook, hookimpl
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.products.tables import supplied_product
from commensal.storage.database import Transaction, refuse_conflict
from commensal.storage.jobs.enqueue import enqueue
from commensal.storage.jobs.tables import job

Undo = Callable[[Transaction, Callable[[], None]], None]
ROOT = Path(commensal.__file__).parents[2]


class Rollback(Exception):
    """Ends an attempt."""


def by_an_error(tx: Transaction, act: Callable[[], None]) -> None:
    with suppress(Rollback), tx.attempt():
        act()
        raise Rollback


def by_rolling_back(tx: Transaction, act: Callable[[], None]) -> None:
    with tx.attempt() as attempt:
        act()
        attempt.rollback()


def by_an_outer_attempt(tx: Transaction, act: Callable[[], None]) -> None:
    with tx.attempt() as attempt:
        with tx.attempt():
            act()
        attempt.rollback()


def by_a_refused_row(tx: Transaction, act: Callable[[], None]) -> None:
    with suppress(Conflict), refuse_conflict(tx, duplicate=Conflict("double", "It is there already.")):
        act()
        raise IntegrityError("", None, Exception("UNIQUE constraint failed"))


def by_a_block_that_reads(tx: Transaction, act: Callable[[], None]) -> None:
    with suppress(StoreError, DBAPIError), tx.hold.reading():
        act()


def by_starting_a_block_again(tx: Transaction, act: Callable[[], None]) -> None:
    with tx.hold.reading() as start_again:
        with suppress(DBAPIError):
            act()
        start_again()


WAYS: list[Undo] = [
    by_an_error,
    by_rolling_back,
    by_an_outer_attempt,
    by_a_refused_row,
    by_a_block_that_reads,
    by_starting_a_block_again,
]


@pytest.fixture
def desk(instance: Instance) -> Desk:
    return Desk(instance)


@contextmanager
def _record_wake_ups(instance: Instance) -> Iterator[list[bool]]:
    """Records whether a commit that promised work for now woke the workers."""
    wake_ups: list[bool] = []
    instance.store.wake_worker = lambda: wake_ups.append(True)
    yield wake_ups


@pytest.mark.parametrize("undo", WAYS, ids=lambda way: way.__name__)
def test_what_is_undone_leaves_no_row_no_trace_and_no_promise(desk: Desk, undo: Undo) -> None:
    store = desk.instance.store

    def change(tx: Transaction) -> None:
        tx.trace("exported", "shop")
        enqueue(tx, "mail", {})
        tx.execute(update(supplied_product).values(name="Wrong"))

    with store.read() as tx:
        names = tx.all(select(supplied_product.c.name))
    before = len(desk.trail())
    with _record_wake_ups(desk.instance) as wake_ups, store.write() as tx:
        undo(tx, lambda: change(tx))
    with store.read() as tx:
        assert tx.all(select(supplied_product.c.name)) == names
        assert tx.all(select(job.c.id)) == []
    assert (desk.trail()[: len(desk.trail()) - before], wake_ups) == ([], [])


def test_what_was_done_around_an_attempt_stays(desk: Desk) -> None:
    """Shows that undoing takes back only the attempt's own changes."""
    before = len(desk.trail())
    with _record_wake_ups(desk.instance) as wake_ups, desk.instance.store.write() as tx:
        enqueue(tx, "mail", {})
        tx.trace("first", "shop")
        by_an_error(tx, lambda: tx.trace("second", "shop"))
        with tx.attempt():
            tx.trace("third", "shop")
        by_rolling_back(tx, lambda: tx.trace("fourth", "shop"))
    actions = [entry.action for entry in desk.trail()[: len(desk.trail()) - before]]
    assert (actions, wake_ups) == (["third", "first"], [True])


def test_what_a_plugin_wrote_where_it_may_only_read_is_not_audited(desk: Desk, clock: ManualClock) -> None:
    def menu_items(tx: Transaction) -> list[object]:
        tx.trace("exported", "shop")
        tx.execute(update(supplied_product).values(name="Wrong"))
        return []

    module = ModuleType("sneaking")
    module.menu_items = hookimpl(menu_items)  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["sneaking"]})
    hooks = load_plugins(settings, clock=clock, modules={"sneaking": module})
    before = len(desk.trail())
    with desk.instance.store.write() as tx:
        hook: AnyHook = specifications.menu_items
        hooks.each(hook, tx=tx, person_id=None, language="en")
    assert len(desk.trail()) == before


def test_changes_of_one_transaction_have_the_author_they_had_when_they_were_made(desk: Desk) -> None:
    with desk.instance.store.write() as tx:
        tx.trace("first", "shop")
        with acting(Acting(kind="peer", command="message SaleProposal", client="https://b.example")):
            tx.trace("second", "shop")
        tx.trace("third", "shop")
    third, second, first = desk.trail()[:3]
    assert [entry.actor for entry in (first, second, third)] == ["nobody", "peer", "nobody"]
    assert (second.client, second.command) == ("https://b.example", "message SaleProposal")
    assert first.client == ""


def test_an_attempt_that_the_database_ended_dooms_the_transaction(instance: Instance) -> None:
    """SQLite rolls the whole transaction back when the disk is full. Whoever swallows the error commits nothing."""
    if instance.store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps its savepoints")
    with pytest.raises(StoreError, match="rolled back"), instance.store.write() as tx:
        enqueue(tx, "mail", {})
        with suppress(Rollback), tx.attempt():
            tx.connection.exec_driver_sql("ROLLBACK")
            raise Rollback
        with suppress(DBAPIError):
            enqueue(tx, "mail", {})
    with instance.store.read() as tx:
        assert tx.all(select(job.c.id)) == []


def test_every_partial_rollback_is_made_by_the_one_savepoint() -> None:
    """A second mechanism would forget what the first one remembers: the audit trail, promised jobs."""
    pattern = re.compile(r"begin_nested|\bSAVEPOINT\b(?! and)(?=[ \"'])")
    sources = [path for room in ("core", "federation", "plugins") for path in (ROOT / room).rglob("*.py")]
    files = [path.name for path in sources if pattern.search(path.read_text())]
    assert len(sources) > 500
    assert files == ["savepoint.py"]
