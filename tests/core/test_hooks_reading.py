"""The database keeps reading hooks from writing, and one that fails does not affect the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError, StoreError
from commensal.hooks import specifications
from commensal.hooks.contract import AnyHook, hook, hookimpl
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.people.tables import person
from commensal.storage.database import Store, Transaction
from commensal.storage.database.hold import Hold

NONE: Any = None
PERSON = {"name": "Ada", "phone": "", "language": "fr", "is_operator": False, "version": 1}


def add_person(tx: Transaction, email: str) -> None:
    tx.execute(insert(person).values(id=email, email=email, created_at=tx.now, **PERSON))


def emails(store: Store) -> list[str]:
    with store.read() as tx:
        return [row["email"] for row in tx.all(select(person.c.email).order_by(person.c.email))]


def read_hooks() -> list[AnyHook]:
    return [specifications.menu_items, specifications.reports, specifications.shipping_options]


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize("hook", read_hooks(), ids=lambda hook: hook.name)
def test_a_hook_that_reads_cannot_write_and_spoils_nothing(
    store: Store, clock: ManualClock, hook: AnyHook, writing: bool
) -> None:
    """The first plugin writes, the second asks the database: the first is left out, the second answers."""
    hooks = _load_two_plugins(clock, hook)
    arguments = dict.fromkeys(("person_id", "language", "enterprise_id", "session_id", "address"))
    with store.write() if writing else store.read() as tx:
        if writing:
            add_person(tx, "before")
        answers = hooks.each(hook, tx=tx, **arguments)
        assert [answer.plugin for answer in answers] == ["second"]
        if writing:
            add_person(tx, "then")
    assert [(failure.plugin, failure.hook) for failure in hooks.failures] == [("first", hook.name)]
    assert "read" in hooks.failures[0].what
    assert emails(store) == (["before", "then"] if writing else [])


def test_a_hook_that_nobody_keeps_to_reading_writes(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard: what the first plugin writes stays."""

    @contextmanager
    def read_unguarded(self: Hold) -> Iterator[Callable[[], None]]:
        yield lambda: None

    monkeypatch.setattr(Hold, "reading", read_unguarded)
    arguments = dict.fromkeys(("person_id", "language", "enterprise_id", "session_id", "address"))
    with store.write() as tx:
        hook: AnyHook = specifications.menu_items
        _load_two_plugins(clock, hook).each(hook, tx=tx, **arguments)
    assert emails(store) != []


def test_a_price_rule_that_writes_ends_the_order(store: Store, clock: ManualClock) -> None:
    hooks = _load_two_plugins(clock, specifications.price_adjustments)
    with pytest.raises(PluginError, match="'first' failed in price_adjustments"), store.write() as tx:
        add_person(tx, "before")
        hooks.each(specifications.price_adjustments, tx=tx, order=NONE, phase=NONE)
    assert emails(store) == []


def _load_two_plugins(clock: ManualClock, hook: AnyHook) -> Hooks:
    def write(tx: Transaction) -> None:
        add_person(tx, "sneaked")

    def ask(tx: Transaction) -> list[object]:
        assert tx.all(select(person)) is not None
        return []

    modules = {"first": ModuleType("first"), "second": ModuleType("second")}
    for module, function in zip(modules.values(), (write, ask), strict=True):
        function.__name__ = hook.name
        setattr(module, hook.name, hookimpl(function))
    return load_plugins(InstanceSettings(name="Test", plugins={"enabled": list(modules)}), clock=clock, modules=modules)


def test_a_block_inside_another_keeps_to_reading_until_the_outer_one_ends(store: Store) -> None:
    with store.write() as tx:
        with tx.hold.reading():
            with tx.hold.reading() as start_again:
                with pytest.raises((DBAPIError, StoreError)):
                    _try_to_write(tx)
                start_again()
            with pytest.raises((DBAPIError, StoreError)):
                _try_to_write(tx)
            start_again()
        add_person(tx, "after")
    assert emails(store) == ["after"]


def test_what_was_written_in_a_block_that_reads_is_undone_and_told(store: Store) -> None:
    with store.write() as tx:
        add_person(tx, "before")
        with pytest.raises((DBAPIError, StoreError)), tx.hold.reading():
            add_person(tx, "sneaked")
        add_person(tx, "after")
    assert emails(store) == ["after", "before"]


def _try_to_write(tx: Transaction) -> None:
    """Writes a row; PostgreSQL refuses the statement, on SQLite `refuse_writes` detects it."""
    add_person(tx, "sneaked")
    tx.hold.refuse_writes()


def test_a_hook_that_may_be_left_out_of_a_transaction_must_be_one_that_reads() -> None:
    with pytest.raises(ValueError, match="cannot be skipped"):
        hook(scope="instance", returns="each", where="transaction", on_error="skip")
