"""A plugin keeps to its own tables, addresses, jobs and commands, and to a name that nobody else uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from sqlalchemy import inspect, text
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

from commensal.api.endpoint import Call, Routes
from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError, SettingsError, StoreError
from commensal.base.ids import SeededIds
from commensal.hooks import specifications
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, Secret
from commensal.parts.cli import app
from commensal.parts.cli import commands as plugin_commands
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.storage.database import Store
from commensal.storage.database.migrate import drop_tables, migrate, tables_of
from commensal.storage.jobs import Periodic, Work

Functions = Callable[..., Any]


def plugin(**functions: Functions) -> ModuleType:
    module = ModuleType("probe")
    for name, function in functions.items():
        function.__name__ = name
        setattr(module, name, hookimpl(function))
    return module


def instance_with(store: Store, clock: ManualClock, ids: SeededIds, folder: Path, **modules: ModuleType) -> Instance:
    settings = InstanceSettings(name="Test", plugins={"enabled": list(modules)})
    return Instance(folder, settings, store, load_plugins(settings, clock=clock, modules=modules), clock, ids)


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("enabled", "message"),
    [
        (["Probe"], "'Probe' is not an id"),
        (["a-b"], "'a-b' is not an id"),
        (["a/b"], "'a/b' is not an id"),
        (["x" * 41], "is not an id"),
        (["probe", "probe_more"], "'probe' would own tables of 'probe_more'"),
        (["customer"], "'customer' would own tables of 'customer_"),
        (["job"], "'job' would own tables of 'job_slot'"),
        (["probe", "probe"], "'probe' is named twice"),
    ],
)
def test_a_name_that_would_own_what_is_anothers_is_refused(
    clock: ManualClock, enabled: list[str], message: str
) -> None:
    settings = InstanceSettings(name="Test", plugins={"enabled": enabled})
    with pytest.raises(SettingsError, match=message):
        load_plugins(settings, clock=clock, modules={name: plugin() for name in enabled})


# ------------------------------------------------------------------------------------------------ tables

FIRST = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "{plugin}_0001", None, None, None
def upgrade():
    op.create_table("{plugin}_thing", sa.Column("id", sa.Text(), primary_key=True), sqlite_strict=True)
    {more}
def downgrade(): ...
"""


def write_revision(folder: Path, plugin: str, more: str = "") -> Path:
    folder = folder / plugin
    folder.mkdir(exist_ok=True)
    (folder / f"{plugin}_0001.py").write_text(FIRST.format(plugin=plugin, more=more), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "statement",
    [
        'op.create_table("other_thing", sa.Column("id", sa.Text()))',
        'op.add_column("person", sa.Column("sneaked", sa.Text()))',
        'op.create_index("ix_sneaked", "person", ["name"])',
        'op.drop_table("job_slot")',
        'op.rename_table("job_slot", "probe_slot")',
    ],
)
def test_a_revision_that_touches_what_is_anothers_is_undone(store: Store, tmp_path: Path, statement: str) -> None:
    with pytest.raises(PluginError, match=r"'probe' failed in migrations: probe_0001 touches .*named probe_") as error:
        migrate(store, {"probe": write_revision(tmp_path, "probe", statement)})
    assert "sneaked" not in str(error.value)
    with store.read() as tx:
        names = inspect(tx.connection).get_table_names()
        columns = [column["name"] for column in inspect(tx.connection).get_columns("person")]
    assert not {"probe_thing", "probe_slot", "other_thing"} & set(names)
    assert "job_slot" in names
    assert "sneaked" not in columns


def test_a_revision_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="'probe' failed in migrations: probe_0001: ZeroDivisionError"):
        migrate(store, {"probe": write_revision(tmp_path, "probe", "1 / 0")})
    with store.read() as tx:
        assert tables_of(tx, "probe") == []


def test_a_plugin_that_goes_leaves_its_tables_and_finds_them_again(store: Store, tmp_path: Path) -> None:
    folders = {"probe": write_revision(tmp_path, "probe")}
    assert migrate(store, folders) == ["probe_0001"]
    with store.write() as tx:
        tx.execute(text("INSERT INTO probe_thing VALUES ('kept')"))
    assert migrate(store, {}) == []
    assert migrate(store, folders) == []
    with store.read() as tx:
        assert tx.value(text("SELECT id FROM probe_thing")) == "kept"


def test_only_its_own_tables_are_dropped(store: Store, tmp_path: Path) -> None:
    migrate(store, {"probe": write_revision(tmp_path, "probe"), "probe_two": write_revision(tmp_path, "probe_two")})
    with store.write() as tx:
        assert sorted(drop_tables(tx, "probe")) == ["probe_revision", "probe_thing"]
        assert sorted(tables_of(tx, "probe_two")) == ["probe_two_revision", "probe_two_thing"]
        assert tables_of(tx, "person") == []
    assert migrate(store, {"probe": write_revision(tmp_path, "probe")}) == ["probe_0001"]


def test_a_database_that_a_newer_version_of_a_plugin_has_written_is_refused(store: Store, tmp_path: Path) -> None:
    folders = {"probe": write_revision(tmp_path, "probe")}
    migrate(store, folders)
    with store.write() as tx:
        tx.execute(text("UPDATE probe_revision SET version_num = 'probe_0009'"))
    with pytest.raises(StoreError, match="probe_0009, which this version of the plugin 'probe' does not know"):
        migrate(store, folders)


# ------------------------------------------------------------------------------------------------ addresses and jobs

routes_of_probe = Routes("probe")


@routes_of_probe.get("/directory", scope="public")
def claim(call: Call) -> str:
    """Tells that the plugin answers."""
    return "the plugin's"


def test_its_addresses_lie_under_its_name(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> None:
    def hello(request: Any) -> PlainTextResponse:
        return PlainTextResponse("the plugin's")

    routes = [Route("/", hello), Route("/api/directory", hello), Route("/-/other/x", hello)]
    probe = plugin(endpoints=lambda: routes_of_probe.endpoints, routes=lambda: routes)
    instance = instance_with(
        store, clock, ids, tmp_path, probe=probe, other=plugin(routes=lambda: [Route("/x", hello)])
    )
    with TestClient(make_app(instance)) as client:
        assert client.get("/api/directory").json()["items"] == []
        assert client.get("/api/-/probe/directory").json() == "the plugin's"
        assert client.get("/-/probe/").text == "the plugin's"
        assert client.get("/").status_code == 404
        assert client.get("/-/probe/-/other/x").text == "the plugin's"


def hello(request: Any) -> PlainTextResponse:
    return PlainTextResponse("the plugin's")


def test_addresses_that_a_standard_fixes_stand_where_it_says(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> None:
    probe = plugin(fixed_routes=lambda: [Route("/.well-known/food", hello), Route("/api/food/{id}", hello)])
    with TestClient(make_app(instance_with(store, clock, ids, tmp_path, probe=probe))) as client:
        assert client.get("/.well-known/food").text == client.get("/api/food/1").text == "the plugin's"


@pytest.mark.parametrize("path", ["/api/directory", "/.well-known/food"])
def test_an_address_that_somebody_has_claimed_stops_the_start(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, path: str
) -> None:
    first = plugin(fixed_routes=lambda: [Route("/.well-known/food", hello)])
    second = plugin(fixed_routes=lambda: [Route(path, hello)])
    instance = instance_with(store, clock, ids, tmp_path, first=first, second=second)
    with pytest.raises(PluginError, match=f"'second' failed in fixed_routes: {path} belongs to somebody else"):
        make_app(instance)


@pytest.mark.parametrize(
    "work",
    [
        Work({"mail": lambda instance, job: None}),
        Work({"probes.mail": lambda instance, job: None}),
        Work({}, (Periodic("complete_sales", timedelta(minutes=1), lambda tx: None),)),
    ],
)
def test_jobs_are_named_after_their_plugin(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, work: Work
) -> None:
    instance = instance_with(store, clock, ids, tmp_path, probe=plugin(jobs=lambda: work))
    with pytest.raises(PluginError, match=r"'probe' failed in jobs: '.*' must begin with 'probe\.'"):
        work_of(instance)


# ------------------------------------------------------------------------------------------------ commands


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs, under a name, a plugin with the command `hello`."""

    def add(app: typer.Typer) -> None:
        @app.command("hello")
        def hello() -> None:
            typer.echo("hello from the plugin")

        del hello

    def install(name: str) -> None:
        class Point:
            def load(self) -> ModuleType:
                return plugin(commands=lambda app: add(app))

        monkeypatch.setattr(plugin_commands, "plugin_entry_points", lambda: {name: Point()})

    return install


def test_commands_of_a_plugin_stand_under_its_name(commands: Callable[[str], None]) -> None:
    commands("probe")
    result = CliRunner().invoke(app, ["probe", "hello"])
    assert (result.exit_code, result.output) == (0, "hello from the plugin\n")
    assert CliRunner().invoke(app, ["hello"]).exit_code == 2
    assert CliRunner().invoke(app, ["nobody", "hello"]).exit_code == 2


def test_a_command_of_the_core_stays_the_cores(commands: Callable[[str], None]) -> None:
    commands("serve")
    result = CliRunner().invoke(app, ["serve", "hello"])
    assert "hello from the plugin" not in result.output
    assert result.exit_code == 2


# ------------------------------------------------------------------------------------------------ settings


@dataclass(frozen=True)
class ProbeSettings:
    """What the operator sets for the plugin."""

    key: Secret = Secret("")  # noqa: RUF009 - a string that cannot change
    tries: int = 3

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError("tries: at least one")


def with_table(clock: ManualClock, table: Any, **kwargs: Any) -> Any:
    received: list[Any] = []

    def menu_items(tx: Any, instance_settings: ProbeSettings) -> list[Any]:
        received.append(instance_settings)
        return []

    probe = plugin(instance_settings=lambda: ProbeSettings, menu_items=menu_items)
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"], **table, **kwargs})
    hooks = load_plugins(settings, clock=clock, modules={"probe": probe})
    nothing: Any = None
    hooks.each(specifications.menu_items, tx=nothing, person_id=None, language="en")
    return received[0]


def test_a_plugin_gets_what_the_operator_has_set_in_its_own_shape(clock: ManualClock) -> None:
    assert with_table(clock, {}) == ProbeSettings()
    received = with_table(clock, {"probe": {"key": "sesame", "tries": 5}})
    assert (received.key.reveal(), received.tries) == ("sesame", 5)
    assert "sesame" not in repr(received)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"prbe": {}}, r"plugins\.prbe: 'prbe' is not installed; did you mean 'probe'"),
        ({"probe": {"kay": "x"}}, r"plugins\.probe\.kay is unknown; did you mean 'key'"),
        ({"probe": {"tries": "5"}}, r"plugins\.probe\.tries: expected `int`, got `str`"),
        ({"probe": {"tries": 0}}, "tries: at least one"),
        ({"probe": "yes"}, r"plugins\.probe: a table was expected, like \[plugins\.probe\]"),
    ],
)
def test_what_the_operator_has_set_wrongly_is_named(clock: ManualClock, table: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        with_table(clock, table)


@dataclass(frozen=True)
class Demanding:
    """Settings without which the plugin could not start."""

    key: str


@pytest.mark.parametrize(("shape", "message"), [(int, "is not a dataclass"), (Demanding, "key of Demanding must have")])
@pytest.mark.parametrize("hook", ["instance_settings", "enterprise_settings"])
def test_a_shape_that_cannot_be_filled_names_its_plugin(
    clock: ManualClock, hook: str, shape: type, message: str
) -> None:
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    with pytest.raises(PluginError, match=f"'probe' failed in {hook}: .*{message}"):
        load_plugins(settings, clock=clock, modules={"probe": plugin(**{hook: lambda: shape})})


def test_no_secret_is_in_a_log_or_a_failure(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plugin fails while it holds the settings of the enterprise and the operator, and while it stores them."""

    def fails(tx: Any, settings: ProbeSettings, instance_settings: ProbeSettings) -> Any:
        text_of_settings = f"{settings} {instance_settings} {settings.key} {settings.key!r}"
        tx.execute(text("INSERT INTO person (id) VALUES (:key)"), {"key": settings.key.reveal()})
        raise AssertionError(text_of_settings)

    def shows(enterprise_id: str, settings: ProbeSettings) -> Any:
        raise ValueError(f"{settings} {settings.key}")

    probe = plugin(
        instance_settings=lambda: ProbeSettings,
        enterprise_settings=lambda: ProbeSettings,
        shipping_options=lambda tx, settings, instance_settings: fails(tx, settings, instance_settings),
        payment_methods=lambda enterprise_id, settings: shows(enterprise_id, settings),
    )
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"], "probe": {"key": "op-sesame"}})
    hooks = load_plugins(settings, clock=clock, modules={"probe": probe})
    instance = Instance(tmp_path, settings, store, hooks, clock, ids)
    settings_by_plugin = {"probe": {"key": "shop-sesame"}}
    common: dict[str, Any] = {"enterprise_id": "shop", "language": "en"}
    with store.read() as tx:
        shipping: dict[str, Any] = {"session_id": "x", "address": None, "order": None}
        assert hooks.each(specifications.shipping_options, settings_by_plugin, tx=tx, **common, **shipping) == []
    assert (
        hooks.each(specifications.payment_methods, settings_by_plugin, instance=instance, person_id=None, **common)
        == []
    )
    hooks.flush_failures()
    with store.read() as tx:
        failures = str(tx.all(text("SELECT what FROM plugin_failure")))
    output = capsys.readouterr()
    assert output.out.count("Traceback") >= 2
    assert "person" in failures
    assert "sesame" not in output.out + output.err + failures + repr(settings)
