"""What /-/health tells: everybody whether the instance is up, operators and their monitors why it is not."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, event, insert, text, update
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError, StoreError, Unavailable
from commensal.base.ids import SeededIds
from commensal.enterprises.tokens import make_token
from commensal.hooks.breaker import Failure
from commensal.hooks.failures import note_failures
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, Secret, load_settings
from commensal.instance.instance import UpgradeRecord, write_upgrade_record
from commensal.instance.settings import LimitSettings, WatchingSettings
from commensal.parts.backups.backup import back_up
from commensal.parts.checks import damaged_pages
from commensal.parts.cli.output import explain_error
from commensal.parts.monitoring.environment import health_problems, warnings, without_checksums
from commensal.parts.monitoring.health import degrading_problems
from commensal.parts.monitoring.watched import Noticed
from commensal.parts.serving.work import answering
from commensal.people.actor import OPERATOR, SELF
from commensal.people.people import Person
from commensal.storage.database import Store
from commensal.storage.jobs import enqueue
from commensal.storage.jobs.clock import EVERY_MINUTE
from commensal.storage.jobs.tables import job, job_slot
from commensal.testing.placed import a_shop

from .keeping import path_with_postgresql

SECRET = "a monitor's own secret"
MONITOR = {"Authorization": f"Bearer {SECRET}"}
Somebody = Callable[..., Person]


@pytest.fixture
def settings() -> InstanceSettings:
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    watching = WatchingSettings(secret=Secret(SECRET))
    return InstanceSettings(name="Test", base_url="http://testserver", language="en", limits=limits, watching=watching)


def reasons(client: TestClient) -> list[str]:
    answer = client.get("/-/health", headers=MONITOR)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded" if answer.json()["reasons"] else "ok")
    return [str(reason) for reason in answer.json()["reasons"]]


def test_a_sound_instance_is_ok(client: TestClient) -> None:
    answer = client.get("/-/health", headers=MONITOR)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "reasons": []})
    assert answer.headers["cache-control"] == "no-store"


# ------------------------------------------------------------------------------------------------ who may see why


def test_strangers_learn_the_status_alone(client: TestClient, store: Store, clock: ManualClock) -> None:
    park_a_job(store)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Forwarded-For": "127.0.0.1"}, {"Cookie": "session=x"}):
        answer = client.get("/-/health", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "degraded"}), headers


def test_an_operators_token_opens_the_reasons_and_nobody_elses(
    client: TestClient, store: Store, somebody: Somebody
) -> None:
    def token(name: str, scope: str, *, operator: bool) -> dict[str, str]:
        person = somebody(name, operator=operator)
        with store.write() as tx:
            token = make_token(tx, person.id, name="monitor", scopes={scope})
        return {"Authorization": f"Bearer {token.secret}"}

    park_a_job(store)
    assert "reasons" in client.get("/-/health", headers=token("Ada", OPERATOR, operator=True)).json()
    assert "reasons" not in client.get("/-/health", headers=token("Bob", SELF, operator=True)).json()
    assert "reasons" not in client.get("/-/health", headers=token("Eve", SELF, operator=False)).json()


def test_an_instance_without_a_secret_has_none_that_opens_it(
    instance: Instance, client: TestClient, store: Store
) -> None:
    object.__setattr__(instance.settings, "watching", WatchingSettings())
    for header in ("Bearer ", "Bearer", f"Bearer {SECRET}"):
        assert "reasons" not in client.get("/-/health", headers={"Authorization": header}).json()


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "instance.toml"
    file.write_text('name = "x"\n[watching]\nsecret = "hunter2"')
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="at least 20 characters") as error:
        load_settings(tmp_path)
    assert "hunter2" not in str(error.value)


# ------------------------------------------------------------------------------------------------ reasons


def park_a_job(store: Store) -> None:
    with store.write() as tx:
        enqueue(tx, "mail", {})
        tx.execute(update(job).values(state="parked"))


def test_parked_jobs_are_a_reason(client: TestClient, store: Store) -> None:
    park_a_job(store)
    assert reasons(client) == ["1 jobs are parked after their last try; `commensal jobs` lists them."]


def test_jobs_that_nobody_does_are_a_reason(client: TestClient, store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        enqueue(tx, "mail", {})
    clock.advance(minutes=5)
    assert reasons(client) == []
    clock.advance(seconds=1)
    assert reasons(client) == ["1 jobs are overdue by more than 5 minutes; is a worker running?"]


def work_once(store: Store) -> None:
    with store.write() as tx:
        tx.execute(insert(job_slot).values(name=EVERY_MINUTE, slot=tx.now))


def test_a_worker_that_has_stopped_is_a_reason(client: TestClient, store: Store, clock: ManualClock) -> None:
    work_once(store)
    clock.advance(minutes=5)
    assert reasons(client) == []
    clock.advance(minutes=5)
    assert reasons(client) == [
        "No worker has done anything since 2026-06-04 10:00 UTC; run `commensal work`, or serve with jobs."
    ]


def test_a_clock_that_was_set_back_is_a_reason(client: TestClient, store: Store, clock: ManualClock) -> None:
    work_once(store)
    clock.advance(hours=-2)
    assert reasons(client) == [
        "The clock says 2026-06-04 08:00 UTC, but work was done at 2026-06-04 10:00. Set it if it is wrong "
        "(`timedatectl set-ntp true`); if it is right, `commensal check --clock-is-right` says so."
    ]


def test_a_plugin_that_failed_lately_is_a_reason(client: TestClient, store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        note_failures(tx, [Failure("pickup", "shipping_options", "it took too long", tx.now)])
    assert reasons(client) == ["The plugin pickup failed in shipping_options lately; `commensal plugins` tells how."]
    clock.advance(minutes=15)
    assert reasons(client) == []


def test_a_disk_that_is_nearly_full_is_a_reason(
    client: TestClient, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**8, 10**8))
    assert reasons(client) == [f"Only 95 MB are free in {instance.folder.resolve()}; make room."]


def test_a_database_that_was_put_in_place_of_the_one_that_was_opened_is_a_reason(
    client: TestClient, store: Store, clock: ManualClock
) -> None:
    assert reasons(client) == []
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    clock.advance(seconds=1)
    assert reasons(client) == ["The database was migrated or replaced since this process began; restart it."]


# ------------------------------------------------------------------------------------------------ down, and cheap


def break_database(store: Store) -> None:
    """Breaks the database: overwrites the SQLite file, or shuts connections out of the PostgreSQL database."""
    address = make_url(store.url)
    if address.get_backend_name() == "sqlite":
        for pool in store.pools:
            pool.dispose()
        Path(str(address.database)).write_bytes(b"This is not a database." * 1000)
        return
    admin = create_engine(
        address.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{address.database}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": address.database},
        )
    admin.dispose()


def test_an_instance_whose_database_is_gone_is_down_and_the_monitor_still_learns_why(
    client: TestClient, store: Store, clock: ManualClock
) -> None:
    assert client.get("/-/health").status_code == 200
    break_database(store)
    clock.advance(seconds=1)
    answer = client.get("/-/health", headers=MONITOR)
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert answer.json()["reasons"][0].startswith("The database does not answer: ")
    assert answer.json()["reasons"][0].count("cannot be used") == 0, "it is told once"
    assert 'commensal_problems{code="no_database"} 1.0' in client.get("/-/metrics", headers=MONITOR).text
    for headers in ({}, {"Authorization": "Bearer of somebody"}):
        stranger = client.get("/-/health", headers=headers)
        assert (stranger.status_code, stranger.json()) == (503, {"status": "down"})


def test_asking_often_costs_three_statements_a_second(client: TestClient, store: Store, clock: ManualClock) -> None:
    statements: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def count_selects(times: int) -> int:
        statements.clear()
        for _ in range(times):
            assert client.get("/-/health", headers=MONITOR).json()["status"] == "ok"
        return len([statement for statement in statements if statement.startswith("SELECT")])

    assert count_selects(20) == 3
    clock.advance(seconds=0.9)
    assert count_selects(20) == 0
    with store.write() as tx:
        for _ in range(300):
            enqueue(tx, "mail", {})
        tx.execute(update(job).values(due_at=tx.now + timedelta(days=1)))
    clock.advance(seconds=0.1)
    assert count_selects(20) == 3


def test_a_worker_tells_its_health_on_loopback(instance: Instance, store: Store) -> None:
    with answering(instance, 0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/-/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert httpx.get(f"http://127.0.0.1:{port}/-/metrics").status_code == 404
        with pytest.raises(SettingsError, match=f"Port {port} of 127.0.0.1 cannot be used"), answering(instance, port):
            raise AssertionError


def test_health_figures_check_and_the_operators_page_name_the_same_conditions(
    client: TestClient, instance: Instance, store: Store, clock: ManualClock
) -> None:
    """A job that is parked, one without a worker, an upgrade that was broken off, and an answer of 5xx, which only the
    process knows that gave it."""
    write_upgrade_record(instance.folder, UpgradeRecord(version="0.2", at=clock.now(), finished=False))
    with store.write() as tx:
        enqueue(tx, "late", {})
        parked = enqueue(tx, "mail", {})
        tx.execute(update(job).where(job.c.id == parked).values(state="parked"))
    clock.advance(minutes=10)
    instance.state.of(Noticed).count_failure()
    texts = {str(problem): problem.code for problem in degrading_problems(instance)}
    assert set(texts.values()) == {"parked", "overdue", "unfinished_upgrade", "failed_requests"}
    assert set(reasons(client)) == set(texts)
    figures = client.get("/-/metrics", headers=MONITOR).text
    assert [code for code in texts.values() if f'commensal_problems{{code="{code}"}} 1.0' not in figures] == []
    assert set(texts) <= set(map(str, health_problems(instance))), "the operator's page"
    assert set(texts) <= set(map(str, warnings(instance))), "commensal check"


def test_a_damaged_page_of_postgresql_is_told_once_it_was_read(
    new_postgresql: Callable[..., str],
    settings: InstanceSettings,
    clock: ManualClock,
    ids: SeededIds,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the backup of the night at the latest, which reads all tables: it fails, and health says why. Where `amcheck`
    may be used, `check` finds it, and damaged indexes."""
    monkeypatch.setenv("PATH", path_with_postgresql())
    whole = new_postgresql()
    with closing(Store(whole, clock=clock, ids=ids)) as store, store.write() as tx:
        a_shop(tx)
        tx.execute(text("CREATE EXTENSION amcheck"))
    url = new_postgresql(template=str(make_url(whole).database))  # a copy of the files, none of whose pages was read
    with closing(Store(url, clock=clock, ids=ids)) as store:
        with store.read() as tx:
            folder, checked = tx.connection.execute(
                text("SELECT current_setting('data_directory'), current_setting('data_checksums')")
            ).one()
            files = [
                Path(folder, tx.value(text(f"SELECT pg_relation_filepath('{name}')")))
                for name in ("sale_session", "pk_supplied_product")
            ]
        assert list(without_checksums(checked)) == []
        assert [problem.code for problem in without_checksums("off")] == ["no_checksums"]
        for file in files:
            with file.open("r+b") as pages:
                pages.seek(8000)
                pages.write(b"damaged")
        instance = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
        assert "damaged_pages" not in {problem.code for problem in health_problems(instance)}
        (tmp_path / "instance.toml").write_text(
            f'name = "Test"\nbase_url = "http://testserver"\n[database]\nurl = "{url}"\n'
        )
        (tmp_path / "instance.toml").chmod(0o600)
        with pytest.raises(StoreError, match=r"(?s)pg_dump failed: .*invalid page in block 0"):
            back_up(tmp_path, tmp_path / "backups", clock=clock)
        told_pages = [str(problem) for problem in health_problems(instance) if problem.code == "damaged_pages"]
        assert len(told_pages) == 1
        assert told_pages[0].startswith("PostgreSQL has read a damaged page, last on 20")
        names = [problem.values["name"] for problem in damaged_pages(store)]
        assert names == ["sale_session", "pk_supplied_product"]
        with pytest.raises(Unavailable) as refused, store.read() as tx:
            tx.value(text("SELECT count(*) FROM sale_session"))
        assert "invalid page in block 0" in explain_error(refused.value)
        assert "restore the newest backup into a new database" in explain_error(refused.value)
