"""A plugin that hangs inside a transaction loses it: others go on at once, and nothing it did is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError, StoreError
from commensal.base.ids import SeededIds
from commensal.hooks import specifications
from commensal.hooks.contract import hookimpl
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.hooks.watchdog import TookTooLong, Watchdog
from commensal.instance import InstanceSettings
from commensal.people.tables import person
from commensal.storage.database import Store, Transaction

NONE: Any = None
SHORT = 0.05  # seconds a hook may take in these tests; hanging code ends by an event
PERSON = {"name": "Ada", "phone": "", "language": "fr", "is_operator": False, "version": 1}
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


class Stuck:
    """A hook that hangs until the test sets `go`, and then calls `then`."""

    def __init__(self, then: Callable[[Transaction], object] = lambda tx: None) -> None:
        self.inside, self.go, self._then = threading.Event(), threading.Event(), then

    def __call__(self, tx: Transaction) -> None:
        self.inside.set()
        assert self.go.wait(30)
        self._then(tx)


def hooks_with(clock: ManualClock, act: Callable[[Transaction], object], hook: str = "settle_adjustments") -> Hooks:
    def implementation(tx: Transaction) -> None:
        act(tx)

    implementation.__name__ = hook
    module = ModuleType("stuck")
    setattr(module, hook, hookimpl(implementation))
    return load_plugins(
        InstanceSettings(name="Test", plugins={"enabled": ["stuck"]}), clock=clock, modules={"stuck": module}
    )


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for hook in (specifications.settle_adjustments, specifications.price_adjustments):
        monkeypatch.setattr(hook, "contract", replace(hook.contract, timeout=SHORT))


def settle(hooks: Hooks, tx: Transaction) -> None:
    hooks.tell(specifications.settle_adjustments, "stuck", tx=tx, order=NONE, before=(), after=())


def add_person(tx: Transaction, email: str) -> None:
    tx.execute(insert(person).values(id=email, email=email, created_at=tx.now, **PERSON))


def emails(store: Store) -> list[str]:
    with store.read() as tx:
        return [row["email"] for row in tx.all(select(person.c.email).order_by(person.c.email))]


class StuckThread:
    """Runs `act` in another thread, which gets stuck in a plugin; `error` is the exception it ended with."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._act, self._thread = act, threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self.error = error

    @property
    def busy(self) -> bool:
        return self._thread.is_alive()

    def wait_for_end(self) -> BaseException | None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.error


def test_others_write_while_the_plugin_still_hangs(store: Store, clock: ManualClock) -> None:
    stuck = Stuck()
    hooks = hooks_with(clock, stuck)
    with store.write() as tx:
        add_person(tx, "ada")

    def order() -> None:
        with store.write() as tx:
            tx.execute(update(person).values(name="taken"))
            settle(hooks, tx)

    other = StuckThread(order)
    assert stuck.inside.wait(30)
    with store.write() as tx:  # the gate, or PostgreSQL's lock of the row, is free as soon as the deadline has passed
        tx.execute(update(person).values(phone="1"))
        add_person(tx, "bob")
    _until_failed(hooks)  # PostgreSQL releases the row before the watchdog has recorded the failure
    assert other.busy
    (failure,) = hooks.failures
    assert (failure.plugin, failure.hook, failure.what) == ("stuck", "settle_adjustments", "it took too long")
    stuck.go.set()
    error = other.wait_for_end()
    assert isinstance(error, PluginError)
    assert error.what == "it took too long"
    assert len(hooks.failures) == 1
    with store.read() as tx:
        assert [(row["name"], row["phone"]) for row in tx.all(select(person).order_by(person.c.id))] == [
            ("Ada", "1"),
            ("Ada", ""),
        ]


def test_its_connection_is_never_used_again_and_the_turn_ends_once(store: Store, clock: ManualClock) -> None:
    stuck = Stuck()
    connections = []

    def order() -> None:
        with store.write() as tx:
            connections.append(tx.connection.connection.driver_connection)
            settle(hooks, tx)

    hooks = hooks_with(clock, stuck)
    other = StuckThread(order)
    stuck.inside.wait(30)
    _until_failed(hooks)
    with store.write() as tx:  # this transaction holds the lock now; the other must not release it a second time
        stuck.go.set()
        other.wait_for_end()
        third = StuckThread(lambda: _write(store))
        add_person(tx, "ada")
    assert third.wait_for_end() is None
    assert emails(store) == ["ada", "third"]
    with store.engine.connect() as connection:
        assert connection.connection.driver_connection not in connections


def _write(store: Store) -> None:
    with store.write() as tx:
        add_person(tx, "third")


@pytest.mark.parametrize("reading", [False, True])
def test_what_the_plugin_does_afterwards_is_refused_and_what_it_answers_does_not_count(
    store: Store, clock: ManualClock, reading: bool
) -> None:
    error_names = []

    def write_anyway(tx: Transaction) -> None:
        for _ in range(2):
            try:
                add_person(tx, "late")
            except Exception as error:
                error_names.append(type(error).__name__)

    stuck = Stuck(then=write_anyway)
    hooks = hooks_with(clock, stuck, "price_adjustments" if reading else "settle_adjustments")

    def ask() -> None:
        with store.read() if reading else store.write() as tx:
            if reading:
                hooks.each(specifications.price_adjustments, tx=tx, order=NONE, phase=NONE)
            settle(hooks, tx)

    other = StuckThread(ask)
    stuck.inside.wait(30)
    _until_failed(hooks)
    stuck.go.set()
    assert isinstance(other.wait_for_end(), PluginError)
    assert len(error_names) == 2
    assert emails(store) == []


def _until_failed(hooks: Hooks) -> None:
    failure_kept = threading.Event()

    class Keeper:
        def keep(self, failure: object) -> None:
            failure_kept.set()

        def flush(self) -> None: ...

    hooks.keep_failures(Keeper())
    assert hooks.failures or failure_kept.wait(30)


def test_who_gets_over_the_error_does_not_get_a_commit(store: Store, clock: ManualClock) -> None:
    stuck = Stuck()
    hooks = hooks_with(clock, stuck)

    def order() -> None:
        with store.write() as tx:
            add_person(tx, "ada")
            with pytest.raises(PluginError):
                settle(hooks, tx)

    other = StuckThread(order)
    stuck.inside.wait(30)
    _until_failed(hooks)
    stuck.go.set()
    assert isinstance(other.wait_for_end(), StoreError)
    assert emails(store) == []


def test_a_call_inside_a_call_that_hangs_ends_both(store: Store, clock: ManualClock) -> None:
    stuck = Stuck()
    outer_errors: list[PluginError] = []

    def call_inner(tx: Transaction) -> None:
        try:
            settle(inner, tx)
        except PluginError as error:  # a plugin that catches the error
            outer_errors.append(error)

    inner, outer = hooks_with(clock, stuck), hooks_with(clock, call_inner)

    def order() -> None:
        with store.write() as tx:
            add_person(tx, "ada")
            settle(outer, tx)

    other = StuckThread(order)
    stuck.inside.wait(30)
    _until_failed(inner)
    stuck.go.set()
    assert isinstance(other.wait_for_end(), PluginError)
    assert len(outer_errors) == 1
    assert emails(store) == []


def test_a_statement_that_never_ends_is_interrupted(store: Store, clock: ManualClock) -> None:
    hooks = hooks_with(clock, lambda tx: tx.value(text(ENDLESS)))
    with pytest.raises(PluginError, match="too long"), store.write() as tx:
        add_person(tx, "ada")
        settle(hooks, tx)
    assert emails(store) == []


def test_an_open_cursor_does_not_keep_the_transaction(store: Store, clock: ManualClock) -> None:
    rows: list[Iterator[Any]] = []
    stuck = Stuck(then=lambda tx: list(rows[0]))

    def open_and_hang(tx: Transaction) -> None:
        rows.append(iter(tx.execute(text(ENDLESS.replace("count(*)", "i") + " LIMIT 5000"))))
        next(rows[0])
        stuck(tx)

    hooks = hooks_with(clock, open_and_hang)

    def order() -> None:
        with store.write() as tx:
            add_person(tx, "ada")
            settle(hooks, tx)

    other = StuckThread(order)
    stuck.inside.wait(30)
    _until_failed(hooks)
    _write(store)
    assert other.busy
    stuck.go.set()
    assert isinstance(other.wait_for_end(), PluginError)
    assert emails(store) == ["third"]


def test_a_database_in_memory_is_not_taken_but_nothing_is_kept(clock: ManualClock, ids: SeededIds) -> None:
    store = Store("sqlite://", clock=clock, ids=ids)
    with store.write() as tx:
        tx.execute(text("CREATE TABLE probe (id TEXT) STRICT"))
    stuck = Stuck()
    hooks = hooks_with(clock, stuck)

    def order() -> None:
        with store.write() as tx:
            tx.execute(text("INSERT INTO probe VALUES ('x')"))
            settle(hooks, tx)

    other = StuckThread(order)
    stuck.inside.wait(30)
    _until_failed(hooks)
    stuck.go.set()
    assert isinstance(other.wait_for_end(), PluginError)
    with store.write() as tx:
        assert tx.value(text("SELECT count(*) FROM probe")) == 0
        tx.execute(text("INSERT INTO probe VALUES ('y')"))
    store.close()


def test_a_call_that_ends_at_its_deadline_is_either_late_or_not() -> None:
    watchdog, expired, timed_out = Watchdog(), [], []
    for number in range(300):
        try:
            with watchdog.watch(number % 3 * 0.0001, lambda number=number: expired.append(number)):  # type: ignore[misc]
                pass
        except TookTooLong:
            timed_out.append(number)
            assert expired[-1] == number, "the action on lateness was done by now"
    assert expired == timed_out


def test_each_call_of_a_hook_has_all_the_time_of_its_contract() -> None:
    watchdog = Watchdog()
    call = watchdog.watch(30, lambda: None)
    deadlines = []
    for _ in range(2):
        with call:
            deadlines.append(call.deadline)
            assert watchdog.calls == {call}
        assert not watchdog.calls
    assert deadlines[0] < deadlines[1]


def test_the_watchdog_gets_over_what_it_cannot_take_away_and_watches_on() -> None:
    watchdog, expired = Watchdog(), threading.Event()

    def fail() -> None:
        raise OSError("the line is dead")

    with pytest.raises(TookTooLong), watchdog.watch(0, fail):
        _wait_for_watchdog(watchdog)
    with pytest.raises(TookTooLong), watchdog.watch(0, expired.set):
        assert expired.wait(30)


def _wait_for_watchdog(watchdog: Watchdog) -> None:
    """Waits until a call that is due now was seen by the watchdog."""
    was_called = threading.Event()
    with pytest.raises(TookTooLong), watchdog.watch(0, was_called.set):
        assert was_called.wait(30)


def test_a_turn_is_ended_in_another_process_too(tmp_path: Path, clock: ManualClock, ids: SeededIds) -> None:
    """Two stores of one file stand for two processes: the lock of the file is released, not only the thread's."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first, second = Store(url, clock=clock, ids=ids), Store(url, clock=clock, ids=ids)
    stuck = Stuck()
    hooks = hooks_with(clock, stuck)

    def order() -> None:
        with first.write() as tx:
            settle(hooks, tx)

    other = StuckThread(order)
    stuck.inside.wait(30)
    with second.write() as tx:
        tx.execute(text("CREATE TABLE probe (id TEXT) STRICT"))
    assert other.busy
    stuck.go.set()
    other.wait_for_end()
    first.close()
    second.close()
