"""Failures of plugins are kept for the operator, from any process, and nothing waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks import specifications
from commensal.hooks.breaker import Failure
from commensal.hooks.failures import MAX_TEXT, Failures, Recorder, failures_by_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.storage.database import Store


def failure(clock: ManualClock, what: str = "KeyError: x", hook: str = "menu_items") -> Failure:
    return Failure("probe", hook, what, clock.now())


def failures_kept(store: Store) -> Failures:
    with store.read() as tx:
        return failures_by_plugin(tx)["probe"]


def test_failures_are_counted_and_the_last_is_told(store: Store, clock: ManualClock) -> None:
    recorder = Recorder(store)
    for _ in range(100):
        recorder.keep(failure(clock))
    clock.advance(minutes=1)
    recorder.keep(failure(clock, "it took too long", "price_adjustments"))
    recorder.flush()
    assert failures_kept(store) == Failures(
        count=101, hook="price_adjustments", what="it took too long", last_at=clock.now()
    )


def test_two_processes_count_together(store: Store, database_url: str, clock: ManualClock, ids: SeededIds) -> None:
    other = Store(database_url, clock=clock, ids=ids)
    recorders = Recorder(store), Recorder(other)
    for recorder in (*recorders, *recorders):
        recorder.keep(failure(clock))
    for recorder in recorders:
        recorder.flush()
    assert failures_kept(store).count == 4
    other.close()


def test_whoever_holds_the_database_does_not_wait_for_it(store: Store, clock: ManualClock) -> None:
    recorder = Recorder(store)
    with store.write() as tx:
        tx.execute(text("DELETE FROM plugin_failure"))
        recorder.keep(failure(clock))
        recorder.keep(failure(clock))
    recorder.flush()
    assert failures_kept(store).count == 2


def test_a_thread_is_there_only_while_there_is_something_to_keep(store: Store, clock: ManualClock) -> None:
    recorder = Recorder(store)
    for count in (1, 2):
        recorder.keep(failure(clock))
        recorder.flush()
        assert not [thread for thread in threading.enumerate() if thread.name == "failures of plugins"]
        assert failures_kept(store).count == count


def test_what_cannot_be_kept_is_in_the_log_and_harms_nobody(
    tmp_path: Path, clock: ManualClock, ids: SeededIds, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}", clock=clock, ids=ids)
    recorder = Recorder(store)
    recorder.keep(failure(clock))
    recorder.flush()
    store.close()
    assert "failures of plugins could not be kept" in capsys.readouterr().out


def test_odd_and_endless_texts_are_kept_as_far_as_they_can_be(store: Store, clock: ManualClock) -> None:
    recorder = Recorder(store)
    recorder.keep(failure(clock, "a\0b é " + "x" * 5000))
    recorder.flush()
    assert failures_kept(store).what.startswith("ab é xxx")
    assert len(failures_kept(store).what) < MAX_TEXT


def test_an_instance_that_closes_keeps_what_is_waiting(
    store: Store, database_url: str, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> None:
    probe = ModuleType("probe")
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    hooks = load_plugins(settings, clock=clock, modules={"probe": probe})
    second_store = Store(database_url, clock=clock, ids=ids)
    instance = Instance(tmp_path, settings, second_store, hooks, clock, ids)
    hooks.blame(specifications.menu_items, "probe", "its links are not links")
    instance.close()
    assert failures_kept(store).what == "its links are not links"
