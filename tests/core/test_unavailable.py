"""A database whose disk is full, or whose server goes away: 503, one line in the log, and nobody's fault."""

from __future__ import annotations

import errno
import io
import json
import sqlite3
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from commensal import Call, Endpoint, Instance, Routes, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.errors import Unavailable
from commensal.base.ids import SeededIds
from commensal.base.logs import configure_logs
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.interfaces.app import make_app
from commensal.interfaces.monitoring.health import Watcher
from commensal.storage.database import Store, Transaction
from commensal.storage.database.unavailable import why_unavailable
from commensal.storage.jobs import Periodic, Work, promise
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.ticking import tick


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    out = io.StringIO()
    configure_logs(out, format="json")
    yield out
    configure_logs()


def break_off(tx: Transaction) -> None:
    """The real thing: SQLite may take no page more, and PostgreSQL ends the session as when it restarts."""
    if tx.postgresql:
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    else:
        tx.execute(text("PRAGMA max_page_count=1"))
        promise(tx, "note", {"text": "x" * 1_000_000})
    tx.execute(text("SELECT 1"))


def plugin() -> types.ModuleType:
    """Its endpoint and its hooks meet a database that is away."""
    module, routes = types.ModuleType("clumsy"), Routes("clumsy")

    @routes.post("/break", scope="public")
    def break_it(call: Call) -> None:
        """Meets a database that is away."""
        break_off(call.tx)

    @hookimpl
    def endpoints() -> Sequence[Endpoint]:
        return routes.endpoints

    @hookimpl
    def warnings(instance: Instance) -> None:
        with instance.store.write() as tx:
            break_off(tx)

    @hookimpl
    def menu_items(tx: Transaction) -> None:
        break_off(tx)

    vars(module).update(endpoints=endpoints, warnings=warnings, menu_items=menu_items)
    return module


@pytest.fixture
def clumsy(store: Store, clock: ManualClock, ids: SeededIds, settings: InstanceSettings, tmp_path: Path) -> Instance:
    chosen = InstanceSettings(
        name="Test", base_url="http://testserver", limits=settings.limits, plugins={"enabled": ["clumsy"]}
    )
    hooks = load_plugins(chosen, clock=clock, modules={"clumsy": plugin()})
    return Instance(tmp_path, chosen, store, hooks, clock, ids)


def test_a_request_gets_503_and_the_log_one_line(clumsy: Instance, written: io.StringIO) -> None:
    with TestClient(make_app(clumsy), raise_server_exceptions=False) as client:
        answer = client.post("/api/-/clumsy/break")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "60"
        health = client.get("/-/health")
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    (failed,) = [one for one in told if one["event"] == "request failed"]
    assert "cannot be used" in failed["why"]
    assert "exception" not in failed
    assert len(failed["why"]) < 300
    assert clumsy.hooks.failures == [], "its endpoint is not to blame"
    assert health.json()["status"] == "degraded", "a request was answered with 5xx"


def test_no_plugin_is_blamed(clumsy: Instance) -> None:
    with pytest.raises(Unavailable):
        clumsy.hooks.each(specifications.warnings, instance=clumsy)
    with pytest.raises(Unavailable), clumsy.store.write() as tx:
        clumsy.hooks.each(specifications.menu_items, tx=tx, person_id=None, language="en")
    assert clumsy.hooks.failures == []


def test_periodic_work_waits_in_silence_until_it_is_back(instance: Instance, written: io.StringIO) -> None:
    acts: list[Callable[[Transaction], object]] = [break_off]
    work = Work({}, (Periodic("sweep", timedelta(minutes=5), lambda tx: acts[-1](tx)),))
    tick(instance, work)
    assert written.getvalue() == ""
    acts.append(lambda tx: None)
    assert run_periodic(instance, work) == ["sweep"]


def test_health_is_down_when_nothing_can_be_written(instance: Instance, clock: ManualClock) -> None:
    """Reading works on: the pages of a shop are there, and no order can be placed."""
    watcher = Watcher(instance)
    assert watcher.health().status == "ok"

    @event.listens_for(instance.store.engine, "begin")
    def refuse(connection: Connection) -> None:
        if not connection.get_execution_options().get("reading"):
            read_only = (
                "SET TRANSACTION READ ONLY" if connection.dialect.name == "postgresql" else "PRAGMA query_only=1"
            )
            connection.exec_driver_sql(read_only)

    clock.advance(seconds=5)
    assert watcher.health().status == "ok", "one write stands for ten seconds"
    clock.advance(seconds=6)
    seen = watcher.health()
    assert seen.status == "down"
    assert "Nothing can be written" in seen.reasons[0]


def test_a_writer_that_holds_the_database_for_a_moment_is_no_reason(instance: Instance, clock: ManualClock) -> None:
    watcher = Watcher(instance)
    assert watcher.health().status == "ok"
    clock.advance(seconds=11)
    with instance.store.write() as tx:
        assert watcher.health().status == "ok"
        clock.advance(seconds=121)
        told = any("No write was possible" in reason for reason in watcher.health().reasons)
        assert told != tx.postgresql, "writers of PostgreSQL do not wait for each other"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "[Errno 28] No space left on device"),
        (OSError(errno.ENOENT, "No such file"), ""),
        (sqlite3.OperationalError("no such column: x"), ""),
        (ValueError("x"), ""),
    ],
)
def test_a_mistake_of_the_code_is_none_of_the_database(error: Exception, why: str) -> None:
    assert why_unavailable(error) == why
