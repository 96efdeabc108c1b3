"""Plugins that come and go: enabled, uninstalled, removed, and installed again. Orders outlive them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, insert, select, text
from starlette.testclient import TestClient
from typer.testing import CliRunner

from commensal.base import entry_points as installed
from commensal.base.clock import ManualClock
from commensal.base.errors import CommensalError, PluginError, Problem, SettingsError
from commensal.base.ids import SeededIds
from commensal.base.languages.catalogs import spaced
from commensal.enterprises.installed import installed_plugins
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, open_instance
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.shipping import RELEASE
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.cli import app
from commensal.parts.cli.check import report_plugins
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.parts.setup.begin import begin_instance
from commensal.people.tables import api_token, person
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_shop
from commensal.testing.probe import GOOD, Probe, World, build

COMMENSAL = Path(sys.executable).with_name("commensal")
NONE: Any = None

# ------------------------------------------------------------------------------------------------ orders


@pytest.fixture
def world(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> World:
    """A shop whose orders have a fee and a shipping option of the plugin."""
    return build(store, clock, ids, tmp_path, Probe("", "raises", sick=False))


def test_why_a_plugin_is_missing_is_said_in_the_language_of_who_reads_it(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not in the language of the shell that started the instance."""
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    settings = InstanceSettings(name="Val", plugins={"enabled": ["ghost"]})
    hooks = load_plugins(settings, clock=clock, forgiving=True)
    with store.read() as tx:
        about = {
            language: plugin.about
            for language in ("en", "fr")
            for plugin in installed_plugins(tx, hooks, language)
            if plugin.plugin == "ghost"
        }
    assert about["en"].startswith("it is not installed; install its package")
    assert about["fr"].startswith(spaced("fr", "elle n’est pas installée ; installez son paquet"))


def place_probe_order(world: World) -> Order:
    wish = Wish(items={world.item: 2}, name="Ada", email="ada@example.org", shipping="probe:van")
    return world.instance.store.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))


Act = Callable[[Transaction, Instance, Order, World], Order]
ACTS: dict[str, Act] = {
    "cancelled": lambda tx, instance, order, world: cancel_order(tx, instance.hooks, order),
    "changed": lambda tx, instance, order, world: change_order(tx, instance.hooks, order, items={world.item: 3}),
    "received otherwise": lambda tx, instance, order, world: change_order(tx, instance.hooks, order, shipping=""),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("cause", ["taken out of the instance", "switched off by the shop"])
def test_an_order_can_be_changed_and_cancelled_when_its_plugin_is_gone(
    world: World, clock: ManualClock, ids: SeededIds, tmp_path: Path, cause: str, act: str
) -> None:
    order = place_probe_order(world)
    assert (order.adjustments_total, order.shipping_label) == (10, "Van")
    store, current = world.instance.store, world.instance
    if cause == "switched off by the shop":
        with store.write() as tx:
            tx.execute(enterprise_plugin.delete())
    else:
        settings = InstanceSettings(name="Test")
        current = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    with store.write() as tx:
        after = ACTS[act](tx, current, locked_order(tx, order.id, enterprise_id="shop"), world)
        assert broken_invariants(tx) == []
    if act == "cancelled":
        assert (after.state, after.shipping_label) == ("Cancelled", "Van")
    else:
        assert after.adjustments_total == 0, "what it had priced falls away"
    if act == "changed":
        assert after.shipping_label == "Van"
    assert current.hooks.failures == []


@pytest.mark.parametrize("returns", [True, False])
def test_a_place_that_a_vanished_plugin_had_booked_is_given_back_when_it_returns(
    world: World, clock: ManualClock, ids: SeededIds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, returns: bool
) -> None:
    """If the plugin stays away, the core stops asking for the release once the distribution is over."""
    released: list[str] = []
    order, store = place_probe_order(world), world.instance.store
    settings = InstanceSettings(name="Test")
    without_plugin = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    with store.write() as tx:
        cancel_order(tx, without_plugin.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    clock.advance(hours=2)
    run_due(without_plugin, work_of(without_plugin))

    def release_shipping(order_id: str) -> bool:
        released.append(order_id)
        return True

    monkeypatch.setitem(GOOD, "release_shipping", release_shipping)
    settings = world.instance.settings
    modules = {"probe": Probe("", "raises", sick=False).module()}
    with_plugin = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock, modules=modules), clock, ids)
    clock.advance(hours=2 if returns else 24 * 30)
    while run_due(with_plugin, work_of(with_plugin)):
        pass
    assert released == ([order.id] if returns else [])
    with store.read() as tx:
        assert tx.value(select(func.count()).where(job.c.kind == RELEASE, job.c.state != "done")) == 0


# ------------------------------------------------------------------------------------------------ the operator

TINY = '''"""Tiny: counts what nobody needs."""
from dataclasses import dataclass
from pathlib import Path
from commensal import Secret, hookimpl

@dataclass(frozen=True)
class TinySettings:
    word: str = ""

@dataclass(frozen=True)
class OfInstance:
    key: Secret = Secret("")

@hookimpl
def enterprise_settings() -> type:
    return TinySettings

@hookimpl
def instance_settings() -> type:
    return OfInstance

@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
'''
REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "tiny_0001_first", None, None, None

def upgrade():
    op.create_table("tiny_thing", sa.Column("id", sa.Text(), primary_key=True), sqlite_strict=True)
"""


class Installed:
    """A package installed next to the others, as pip does it, that the test can remove again."""

    def __init__(self, site: Path) -> None:
        self.site, self._changes = site, 0

    def install(self) -> None:
        sys.modules.pop("tiny_plugin", None)  # a process that starts has not imported it from elsewhere
        (self.site / "tiny_plugin" / "migrations").mkdir(parents=True)
        (self.site / "tiny_plugin" / "__init__.py").write_text(TINY, encoding="utf-8")
        (self.site / "tiny_plugin" / "migrations" / "tiny_0001_first.py").write_text(REVISION, encoding="utf-8")
        metadata = self.site / "tiny_plugin-2.1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 2.1\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text("[commensal]\ntiny = tiny_plugin\n", encoding="utf-8")
        self._pass_time()

    def remove(self) -> None:
        shutil.rmtree(self.site / "tiny_plugin")
        shutil.rmtree(self.site / "tiny_plugin-2.1.dist-info")
        self._pass_time()

    def _pass_time(self) -> None:
        """Some clocks of file systems tick every few milliseconds, and Python asks them whether a folder changed."""
        self._changes += 1
        changed_at = self.site.stat().st_mtime_ns + self._changes * 10_000_000
        os.utime(self.site, ns=(changed_at, changed_at))


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    installed = Installed(tmp_path / "site")
    installed.site.mkdir()
    installed.install()
    monkeypatch.syspath_prepend(str(installed.site))
    monkeypatch.setenv("COLUMNS", "140")
    return installed


@pytest.fixture
def folder(tmp_path: Path, tiny: Installed) -> Path:
    """An instance with the tiny plugin, used by a shop, with a row in its table."""
    folder = tmp_path / "instance"
    begin_instance(folder, name="Les Paniers", plugins=("tiny",))
    with open_instance(folder) as instance, instance.store.write() as tx:
        a_shop(tx)
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="tiny", settings={}, version=1))
        tx.execute(text("INSERT INTO tiny_thing VALUES ('kept')"))
    return folder


def enable(folder: Path, *plugins: str) -> None:
    file = folder / "instance.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    other_lines = [line for line in lines if not line.startswith("enabled")]
    file.write_text("\n".join([*other_lines, f"enabled = {list(plugins)}"]), encoding="utf-8")


def run(folder: Path, *words: str) -> Any:
    """Runs the command and returns its result, whose exception is one of ours, if any."""
    result = CliRunner().invoke(app, [*words, "--instance", str(folder)])
    assert result.exception is None or isinstance(result.exception, CommensalError | SystemExit), result.exception
    return result


def test_a_plugin_that_was_uninstalled_is_missing_and_everybody_says_what_to_do(folder: Path, tiny: Installed) -> None:
    assert re.search(r"2\.1 +enabled", run(folder, "plugins").output)
    assert run(folder, "check").exit_code == 0
    tiny.remove()
    with pytest.raises(SettingsError, match=r"'tiny' is not installed.*Install its package, or take it out"):
        open_instance(folder)
    output = run(folder, "plugins").output
    assert "missing" in output
    assert "tiny is missing: it is not installed; install its package, or take it out of plugins.enabled" in output
    result = run(folder, "check")
    assert result.exit_code == 1
    assert "missing the plugin tiny: it is not installed" in result.output
    assert "sound" in result.output, "the books agree all the same"
    result_of_drop = run(folder, "plugin", "drop", "tiny", "--yes")
    assert "tiny is enabled; `commensal plugin disable tiny` comes first." in str(result_of_drop.exception)


def test_metadata_of_packages_are_read_again_only_after_one_comes_or_goes(
    tiny: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def note_read(group: str) -> Any:
        reads.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(installed, "entry_points", note_read)
    installed.read_entry_points.cache_clear()
    assert "tiny" in installed.plugin_entry_points()
    assert "tiny" in installed.plugin_entry_points()
    assert len(reads) == 1
    tiny.remove()
    assert "tiny" not in installed.plugin_entry_points()
    assert len(reads) == 2


def test_a_plugin_that_is_taken_out_keeps_its_tables_and_comes_back(folder: Path, tiny: Installed) -> None:
    tiny.remove()
    enable(folder)
    output = run(folder, "plugins").output
    assert "enterprises use it, and it is neither enabled nor installed" in output
    assert run(folder, "check").exit_code == 0
    tiny.install()
    assert "installed" in run(folder, "plugins").output
    enable(folder, "tiny")
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert tx.value(text("SELECT id FROM tiny_thing")) == "kept"
        assert instance.hooks.plugins() == ["tiny"]


def test_what_a_plugin_has_kept_can_be_dropped_once_it_is_out(folder: Path, tiny: Installed) -> None:
    tiny.remove()
    enable(folder)
    result = CliRunner().invoke(app, ["plugin", "drop", "tiny", "--instance", str(folder)], input="n\n")
    assert result.exit_code == 1
    assert "tiny_revision, tiny_thing" in run(folder, "plugin", "drop", "tiny", "--yes").output
    assert "has no tables of tiny" in str(run(folder, "plugin", "drop", "tiny", "--yes").exception)
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert tx.all(enterprise_plugin.select()) == []
    tiny.install()
    enable(folder, "tiny")
    assert run(folder, "migrate").exit_code == 0
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert tx.value(text("SELECT count(*) FROM tiny_thing")) == 0


def test_a_plugin_is_enabled_and_disabled_by_commands_while_the_instance_runs(folder: Path, tiny: Installed) -> None:
    """Only the list of plugins changes in instance.toml; who uses it is said before it is disabled."""
    file = folder / "instance.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('["tiny"]', "[\n  # ours\n]\n"), encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    with open_instance(folder) as instance, instance.store.write() as tx:
        tx.execute(text("DROP TABLE tiny_thing"))
        tx.execute(text("DROP TABLE tiny_revision"))
        tx.execute(enterprise_plugin.delete())
    with open_instance(folder):  # as a server that is running
        enabled = run(folder, "plugin", "enable", "tiny")
        assert "tiny is enabled." in enabled.output
        assert "notice at their next start. Restart them: " in enabled.output
        assert "commensal enterprise plugin ENTERPRISE tiny" in enabled.output
    assert "already" in str(run(folder, "plugin", "enable", "tiny").exception)
    with open_instance(folder) as instance, instance.store.write() as tx:
        assert tx.value(text("SELECT count(*) FROM tiny_thing")) == 0
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="tiny", settings={}, version=1))
    question = CliRunner().invoke(app, ["plugin", "disable", "tiny", "--instance", str(folder)], input="n\n")
    assert "One enterprise uses tiny. Disable it?" in question.output
    assert '"tiny"' in file.read_text(encoding="utf-8")
    assert "tiny is disabled" in run(folder, "plugin", "disable", "tiny", "--yes").output
    assert file.read_text(encoding="utf-8").split() == before.split()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "not enabled" in str(run(folder, "plugin", "disable", "tiny").exception)


def test_what_cannot_be_enabled_or_disabled_leaves_the_settings_as_they_are(folder: Path, tiny: Installed) -> None:
    file = folder / "instance.toml"
    before = file.read_text(encoding="utf-8").replace('front = "shop"', 'front = "tiny"')
    file.write_text(before, encoding="utf-8")
    assert "did you mean 'cash'?" in str(run(folder, "plugin", "enable", "cahs").exception)
    assert "name another plugin as `front`" in str(run(folder, "plugin", "disable", "tiny", "--yes").exception)
    assert file.read_text(encoding="utf-8") == before
    assert sorted(path.name for path in folder.glob("*instance.toml*")) == ["instance.toml"]


def test_a_plugin_that_cannot_be_imported_is_told_from_one_that_is_not_there(folder: Path, tiny: Installed) -> None:
    sys.modules.pop("tiny_plugin", None)
    (tiny.site / "tiny_plugin" / "__init__.py").write_text("import nothing_of_the_kind", encoding="utf-8")
    with pytest.raises(PluginError, match="'tiny' failed in loading: ModuleNotFoundError"):
        open_instance(folder)
    assert (
        "tiny is missing: ModuleNotFoundError: No module named 'nothing_of_the_kind'" in run(folder, "plugins").output
    )


@pytest.mark.parametrize(
    "does", ["import sys; sys.exit(3)", "raise BaseException('up')", "import time; time.sleep(600)"]
)
def test_an_installed_plugin_is_listed_without_being_imported(folder: Path, tiny: Installed, does: str) -> None:
    """An enabled one is imported; whatever it does in its import, except hanging, is reported under its name."""
    enable(folder)
    sys.modules.pop("tiny_plugin", None)
    (tiny.site / "tiny_plugin" / "__init__.py").write_text(f'"""Tiny: exits."""\n{does}\n', encoding="utf-8")
    result = run(folder, "plugins")
    assert (result.exit_code, "Exits." in result.output) == (0, True)
    if "sleep" not in does:
        enable(folder, "tiny")
        with pytest.raises(PluginError, match=r"'tiny' failed in loading: (SystemExit: 3|BaseException: up)"):
            open_instance(folder)
        sys.modules.pop("tiny_plugin", None)
        assert "tiny is missing" in run(folder, "plugins").output
        assert "tiny" in str(run(folder, "tiny", "anything").exception)


def test_a_file_with_a_plugins_secret_is_its_owners_alone(folder: Path) -> None:
    file = folder / "instance.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n[plugins.tiny]\nkey = 'sesame'\n", encoding="utf-8")
    open_instance(folder).close()
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others; run `chmod 600"):
        open_instance(folder)


# ------------------------------------------------------------------------------------------------ over the API


def a_member(store: Store, name: str, *scopes: str, operator: bool = False) -> dict[str, str]:
    with store.write() as tx:
        values = {"phone": "", "language": "en", "created_at": tx.now, "version": 1}
        values |= {"email": f"{name}@example.org", "name": name, "confirmed_at": tx.now}
        tx.execute(insert(person).values(id=name, is_operator=operator, **values))
        hashed = hashlib.sha256(f"cml_{name}".encode()).hexdigest()
        token = {"id": f"token-{name}", "hash": hashed, "person_id": name, "name": "test", "scopes": list(scopes)}
        tx.execute(insert(api_token).values(**token, created_at=tx.now))
        tx.execute(insert(enterprise_member).values(enterprise_id="shop", person_id=name, role="owner", since=tx.now))
    return {"Authorization": f"Bearer cml_{name}"}


def test_operators_see_every_plugin_over_the_api_and_nobody_else_does(world: World) -> None:
    world.probe.hook, world.probe.sick = "menu_items", True
    marie = a_member(world.instance.store, "marie", "operator", operator=True)
    ada = a_member(world.instance.store, "ada", "plugins:write")
    world.hooks.blame(specifications.menu_items, "probe", "KeyError: x")
    world.hooks.flush_failures()
    with TestClient(make_app(world.instance)) as client:
        (plugin,) = (
            plugin for plugin in client.get("/api/plugins", headers=marie).json() if plugin["plugin"] == "probe"
        )
        assert (plugin["state"], plugin["enterprises"], plugin["failures"]["count"]) == ("failing", 1, 1)
        assert (plugin["failures"]["hook"], plugin["failures"]["what"]) == ("menu_items", "KeyError: x")
        assert client.get("/api/plugins", headers=ada).status_code == 403
        assert client.get("/api/plugins").status_code == 401


def test_settings_are_tried_before_they_are_kept(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    problems: list[Problem] = []
    checks: list[str] = []

    def check(enterprise_id: str, settings: Any) -> list[Problem]:
        checks.append(f"{enterprise_id}: {settings.word}")
        return problems

    monkeypatch.setitem(GOOD, "check_settings", check)
    rebuilt = build_again(world)
    ada = a_member(world.instance.store, "ada", "plugins:write")
    url = "/api/enterprises/shop/plugins/probe"
    with TestClient(make_app(rebuilt)) as client:
        assert (
            client.put(url, json={"settings": {"word": "yes"}}, headers={**ada, "If-Match": '"1"'}).status_code == 200
        )
        problems.append(Problem("key_unknown", "The provider does not know this key.", "/settings/word"))
        response = client.put(url, json={"settings": {"word": "no"}}, headers={**ada, "If-Match": '"2"'})
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["/settings/word"]
        invalid = client.put(url, json={"settings": {"word": 1}}, headers={**ada, "If-Match": '"2"'})
        assert invalid.status_code == 422
        assert client.get("/api/enterprises/shop/plugins", headers=ada).json()[0]["settings"] == {"word": "yes"}
        assert client.delete(url, headers=ada).status_code == 204
        assert client.post(url, json={"settings": {"word": "no"}}, headers=ada).status_code == 422
        problems.clear()
        assert client.post(url, json={"settings": {"word": "well"}}, headers=ada).status_code == 201
    assert checks == ["shop: yes", "shop: no", "shop: no", "shop: well"], "not what the class refuses"
    assert report_plugins(rebuilt)
    problems.append(Problem("key_unknown", "The provider does not know this key.", "/settings/word"))
    assert not report_plugins(rebuilt)
    assert "settings shop, probe/settings/word: The provider does not know this key." in capsys.readouterr().out


def build_again(world: World) -> Instance:
    instance, modules = world.instance, {"probe": Probe("", "raises", sick=False).module()}
    hooks = load_plugins(instance.settings, clock=instance.clock, modules=modules)
    return Instance(instance.folder, instance.settings, instance.store, hooks, instance.clock, instance.ids)


# ------------------------------------------------------------------------------------------------ no plugin at all


def test_an_instance_without_plugins_serves_its_api(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    begin_instance(folder, name="Bare", plugins=(), new_enterprises="everybody")
    instance_option: tuple[str | Path, ...] = ("--instance", str(folder))
    marie: list[str | Path] = [
        COMMENSAL,
        "user",
        "marie@example.org",
        "--name",
        "Marie",
        "--password",
        "a long password",
        *instance_option,
    ]
    subprocess.run(marie, check=True)
    token_command = [
        COMMENSAL,
        "token",
        "marie@example.org",
        "--name",
        "test",
        "--scope",
        "self",
        "--scope",
        "enterprise:read",
        *instance_option,
    ]
    token = subprocess.run(token_command, check=True, capture_output=True, text=True).stdout.strip()
    server = subprocess.Popen(
        [COMMENSAL, "serve", "--port", "0", *instance_option], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Serving on ").strip()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=url, timeout=60) as client:
            created = client.post("/api/enterprises", json={"name": "La Ferme", "is_hub": True}, headers=headers)
            assert created.status_code == 201
            body = client.get(f"/api/enterprises/{created.json()['id']}", headers=headers).json()
            assert body["name"] == "La Ferme"
            assert client.get("/api/openapi.json").json()["openapi"].startswith("3.")
            assert client.get("/").status_code == 404
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)
    assert server.returncode == 0
