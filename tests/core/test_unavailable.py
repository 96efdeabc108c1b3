"""A database whose disk is full, or whose server goes away: 503, one line in the log, and no plugin is blamed."""

from __future__ import annotations

import errno
import io
import json
import sqlite3
import subprocess
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient

from commensal import Call, Endpoint, Instance, Routes, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.errors import StoreError, Unavailable
from commensal.base.ids import SeededIds
from commensal.base.logs import configure_logs
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.parts.cli.check import report_state
from commensal.parts.cli.output import explain_error
from commensal.parts.monitoring.environment import health_problems
from commensal.parts.monitoring.health import Watcher
from commensal.parts.serving.app import make_app
from commensal.storage.database import Store, Transaction
from commensal.storage.database.errors import FULL, advice, why_unavailable
from commensal.storage.jobs import Job, Periodic, PermanentFailure, Work, enqueue
from commensal.storage.jobs.periodic import run_periodic, tick
from commensal.storage.jobs.run import run_due


@pytest.fixture
def log_text() -> Iterator[io.StringIO]:
    out = io.StringIO()
    configure_logs(out, format="json")
    yield out
    configure_logs()


def break_database(tx: Transaction) -> None:
    """Breaks the database for real: SQLite may not add a page, and PostgreSQL ends the session as in a restart."""
    if tx.postgresql:
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    else:
        tx.execute(text("PRAGMA max_page_count=1"))
        enqueue(tx, "note", {"text": "x" * 1_000_000})
    tx.execute(text("SELECT 1"))


def breaking_plugin() -> types.ModuleType:
    """Returns a plugin whose endpoint and hooks break the database."""
    module, routes = types.ModuleType("clumsy"), Routes("clumsy")

    @routes.post("/break", scope="public")
    def break_it(call: Call) -> None:
        """Breaks the database."""
        break_database(call.tx)

    @hookimpl
    def endpoints() -> Sequence[Endpoint]:
        return routes.endpoints

    @hookimpl
    def warnings(instance: Instance) -> None:
        with instance.store.write() as tx:
            break_database(tx)

    @hookimpl
    def menu_items(tx: Transaction) -> None:
        break_database(tx)

    vars(module).update(endpoints=endpoints, warnings=warnings, menu_items=menu_items)
    return module


@pytest.fixture
def with_breaking_plugin(
    store: Store, clock: ManualClock, ids: SeededIds, settings: InstanceSettings, tmp_path: Path
) -> Instance:
    chosen_settings = InstanceSettings(
        name="Test", base_url="http://testserver", limits=settings.limits, plugins={"enabled": ["clumsy"]}
    )
    hooks = load_plugins(chosen_settings, clock=clock, modules={"clumsy": breaking_plugin()})
    return Instance(tmp_path, chosen_settings, store, hooks, clock, ids)


def test_a_request_gets_503_and_the_log_one_line(with_breaking_plugin: Instance, log_text: io.StringIO) -> None:
    with TestClient(make_app(with_breaking_plugin), raise_server_exceptions=False) as client:
        answer = client.post("/api/-/clumsy/break")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "60"
        health = client.get("/-/health")
    lines = [json.loads(line) for line in log_text.getvalue().splitlines()]
    (failure,) = [line for line in lines if line["event"] == "request failed"]
    assert "cannot be used" in failure["why"]
    assert "exception" not in failure
    assert len(failure["why"]) < 300
    assert with_breaking_plugin.hooks.failures == [], "its endpoint is not to blame"
    assert health.json()["status"] == "degraded", "a request was answered with 5xx"


def test_no_plugin_is_blamed(with_breaking_plugin: Instance) -> None:
    with pytest.raises(Unavailable):
        with_breaking_plugin.hooks.each(specifications.warnings, instance=with_breaking_plugin)
    with pytest.raises(Unavailable), with_breaking_plugin.store.write() as tx:
        with_breaking_plugin.hooks.each(specifications.menu_items, tx=tx, person_id=None, language="en")
    assert with_breaking_plugin.hooks.failures == []


def test_periodic_work_waits_in_silence_until_it_is_back(instance: Instance, log_text: io.StringIO) -> None:
    actions: list[Callable[[Transaction], object]] = [break_database]
    work = Work({}, (Periodic("sweep", timedelta(minutes=5), lambda tx: actions[-1](tx)),))
    tick(instance, work)
    assert log_text.getvalue() == ""
    actions.append(lambda tx: None)
    assert run_periodic(instance, work) == ["sweep"]


@pytest.mark.parametrize(
    "refusal", [ConnectionRefusedError(111, "Connection refused"), PermanentFailure("550 no such mailbox")]
)
def test_a_job_that_a_server_refuses_is_one_line_of_the_log(
    refusal: Exception, instance: Instance, log_text: io.StringIO
) -> None:
    def work_on(_: Instance, job: Job) -> None:
        raise refusal

    with instance.store.write() as tx:
        enqueue(tx, "sweep", {})
    assert run_due(instance, Work({"sweep": work_on}))
    line = json.loads(log_text.getvalue())
    assert (line["event"], "exception" in line) == ("job failed", False)
    assert str(refusal) in line["why"]


def test_a_job_that_the_database_cuts_off_is_one_line_of_the_log(instance: Instance, log_text: io.StringIO) -> None:
    def work_on(_: Instance, job: Job) -> None:
        try:
            with instance.store.write() as tx:
                break_database(tx)
        except Unavailable as error:  # as a backup tells it, whose pg_dump ends without an error of ours
            raise StoreError("The database cannot be read: {error}", error=error) from None

    with instance.store.write() as tx:
        enqueue(tx, "sweep", {})
    assert run_due(instance, Work({"sweep": work_on}))
    line = json.loads(log_text.getvalue())
    assert (line["event"], line["kind"], "exception" in line) == ("job failed", "sweep", False)
    assert "The database cannot be used" in line["why"]


def test_health_is_down_when_nothing_can_be_written(
    instance: Instance, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading still works: the pages of a shop are there, but no order can be placed, and `check` fails."""
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
    health = watcher.health()
    assert health.status == "down"
    assert "Nothing can be written" in health.reasons[0]
    assert health.reasons[0] in [str(problem) for problem in health_problems(instance)], "as on the office's page"
    assert health.codes == ("nothing_written",), "in the metrics"
    assert not report_state(instance)
    printed = capsys.readouterr().out
    assert "broken Nothing can be written" in printed
    assert "sound" not in printed


def test_a_writer_that_holds_the_database_for_a_moment_is_no_reason(instance: Instance, clock: ManualClock) -> None:
    watcher = Watcher(instance)
    assert watcher.health().status == "ok"
    clock.advance(seconds=11)
    with instance.store.write() as tx:
        assert watcher.health().status == "ok"
        clock.advance(seconds=121)
        reported = any("No write was possible" in reason for reason in watcher.health().reasons)
        assert reported != tx.postgresql, "writers of PostgreSQL do not wait for each other"


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


def test_a_full_disk_is_not_called_a_broken_one(tmp_path: Path) -> None:
    """SQLite calls it an error of the disk where it cannot make its index of the log."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "commensal", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    try:
        with closing(sqlite3.connect(tmp_path / "a.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE a (b)")
        with suppress(OSError), (tmp_path / "rest").open("wb", buffering=0) as rest:
            while True:
                rest.write(b"x" * 4096)
        with closing(sqlite3.connect(tmp_path / "a.db")) as database, pytest.raises(sqlite3.Error) as caught:
            database.execute("SELECT * FROM a")
        assert "disk I/O error" in str(caught.value)
        assert advice(why_unavailable(caught.value)) is FULL
        assert explain_error(caught.value).endswith("the disk is full. Make room on its disk.")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
