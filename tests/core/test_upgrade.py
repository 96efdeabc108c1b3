"""Instances of every release become instances of today, on both databases, with all their data."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock, SystemClock
from commensal.instance import load_settings, open_instance
from commensal.instance.instance import DATABASE, read_upgrade_record
from commensal.parts.backups.backup import try_newest
from commensal.parts.backups.manifest import revisions_of
from commensal.parts.backups.restore import restore
from commensal.parts.checks import broken_invariants
from commensal.parts.demo.fill import PASSWORD
from commensal.parts.serving.app import make_app
from commensal.parts.setup.begin import begin_instance
from commensal.parts.upgrading.preflight import preflight
from commensal.parts.upgrading.upgrade import UpgradeResult, upgrade

from .keeping import postgresql_tools
from .released import FIRST, FOLDER, RELEASES, folder, kept_rows, shape, store_of, tables_with_lost_rows, unpack, url
from .shell import Shell

Run = Callable[..., subprocess.CompletedProcess[str]]

__all__ = ["folder", "postgresql_tools", "url"]  # fixtures
pytestmark = pytest.mark.bundled


def run_upgrade(folder: Path, on_step: Callable[[str, str], None] = lambda step, detail: None) -> UpgradeResult:
    with preflight(folder, folder / "backups", clock=SystemClock()) as plan:
        return upgrade(plan, on_step=on_step)


@pytest.fixture
def run(shell: Shell) -> Run:
    return partial(shell.run, env={**os.environ, "COLUMNS": "400"})


def test_the_first_release_is_kept_and_small() -> None:
    assert FIRST in RELEASES
    assert sum(file.stat().st_size for file in (FOLDER / FIRST).iterdir()) < 350_000


@pytest.mark.parametrize("release", RELEASES)
def test_an_instance_of_an_earlier_release_becomes_one_of_today(release: str, folder: Path, url: str) -> None:
    unpack(release, folder, url)
    with closing(store_of(folder, url)) as store, store.read() as tx:
        before = kept_rows(tx)
    outcome = run_upgrade(folder)
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert tables_with_lost_rows(before, kept_rows(tx)) == []
        assert broken_invariants(tx) == []
    assert outcome.problems == ()
    record = read_upgrade_record(folder)
    assert record is not None
    assert record.finished
    if outcome.backup is not None:  # without newer revisions there is nothing to go back to
        assert try_newest(folder, folder / "backups", clock=SystemClock()) == outcome.backup


@pytest.mark.parametrize("release", RELEASES)
def test_an_upgraded_database_is_made_like_that_of_a_new_instance(
    release: str, folder: Path, url: str, new_postgresql: Callable[[str], str]
) -> None:
    unpack(release, folder, url)
    run_upgrade(folder)
    fresh = folder.with_name("fresh")
    plugins = load_settings(folder).enabled_plugins  # the plugins of that release
    begin_instance(fresh, name="Fresh", database=new_postgresql("template0") if url else "", plugins=plugins)
    with open_instance(folder) as old, old.store.read() as tx:
        upgraded_shape = shape(tx)
    with open_instance(fresh) as new, new.store.read() as tx:
        fresh_shape = shape(tx)
    assert upgraded_shape == fresh_shape


@pytest.mark.parametrize("release", RELEASES)
def test_customers_go_on_ordering_after_an_upgrade(release: str, folder: Path, url: str) -> None:
    """A customer of that release logs in with their old password and buys in the sale that was open."""
    manifest = unpack(release, folder, url)
    run_upgrade(folder)
    with (
        open_instance(folder, clock=ManualClock(manifest.made_at)) as instance,
        TestClient(make_app(instance)) as client,
    ):
        with instance.store.read() as tx:
            email = kept_rows(tx)["customer"][0]["email"]
        client.headers["Origin"] = "http://testserver"
        assert client.post("/api/sessions", json={"email": email, "password": PASSWORD}).status_code == 201
        assert _order(client, email)["state"] == "Held"
        with instance.store.read() as tx:
            assert broken_invariants(tx) == []


def _order(client: TestClient, email: str) -> dict[str, Any]:
    (sale,) = client.get("/api/sale-sessions").json()["items"]
    session = f"/api/sale-sessions/{sale['session']['id']}"
    offers = client.get(f"{session}/offers", params={"limit": 3}).json()["items"]
    items = {"items": {offer["item_id"]: 1 for offer in offers}}
    shipping = next(iter(client.post(f"{session}/quote", json=items).json()["shipping_options"]))
    wish = {**items, "name": "Ada", "email": email, "shipping": shipping, "payment_method": "cash:cash"}
    answer = client.post(f"{session}/orders", json=wish, headers={"Idempotency-Key": "the first after the upgrade"})
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()["order"]
    return order


def test_images_stay_where_they_were_after_an_upgrade(folder: Path) -> None:
    unpack(FIRST, folder)
    run_upgrade(folder)
    with open_instance(folder) as instance, TestClient(make_app(instance)) as client, instance.store.read() as tx:
        images = kept_rows(tx)["image"]
        assert images
        for image in images:
            assert client.get(f"/api/images/{image['id']}").headers["content-type"] == "image/webp"


@pytest.mark.parametrize("release", RELEASES)
def test_a_backup_of_an_earlier_release_becomes_an_instance_of_today(release: str, folder: Path) -> None:
    restore(FOLDER / release / "sqlite.zip", folder, unproven=True, clock=SystemClock())
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert broken_invariants(tx) == []


def test_a_second_upgrade_has_nothing_to_do(folder: Path, url: str) -> None:
    unpack(FIRST, folder, url)
    first = run_upgrade(folder)
    second = run_upgrade(folder)
    assert (second.revisions, second.backup) == ((), None)
    record = read_upgrade_record(folder)
    assert record is not None
    assert record.backup == str(first.backup)


def test_each_step_is_told_as_it_is_done(folder: Path) -> None:
    unpack(FIRST, folder)
    steps: list[str] = []
    with preflight(folder, folder / "backups", clock=SystemClock()) as plan:
        upgrade(plan, on_step=lambda step, detail: steps.append(f"{step} {detail}"))
    assert steps[0].startswith(f"backup {folder / 'backups'}")
    assert steps[1:-1] == [f"migrated {revision}" for revision in plan.revisions]
    assert steps[-1].startswith("checked")


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(run: Run, folder: Path) -> None:
    unpack(FIRST, folder)
    before = _content(folder)
    with preflight(folder, folder / "backups", clock=SystemClock()) as plan:
        revisions = plan.revisions
    result = run("upgrade", "--dry-run", "--instance", folder)
    assert (result.returncode, result.stderr) == (0, "")
    for revision in revisions:
        assert f"migrate {revision}" in result.stdout
    assert "Nothing was changed." in result.stdout
    assert _content(folder) == before


def _content(folder: Path) -> tuple[object, ...]:
    """Returns everything in the database, and the other files of the instance."""
    with closing(store_of(folder)) as store, store.read() as tx:
        rows, revisions = kept_rows(tx), revisions_of(tx)
    others = {path for path in folder.rglob("*") if not path.name.startswith(DATABASE)}
    return rows, revisions, {other: other.read_bytes() for other in others if other.is_file()}


def test_an_operator_upgrades_and_is_told_what_comes_next(run: Run, folder: Path) -> None:
    unpack(FIRST, folder)
    result = run("check", "--instance", folder)
    assert f"commensal upgrade --instance {folder}" in result.stderr
    upgrade_result = run("upgrade", "--instance", folder)
    assert (upgrade_result.returncode, upgrade_result.stderr) == (0, "")
    assert "Start the instance again: " in upgrade_result.stdout
    check_result = run("check", "--instance", folder)
    assert check_result.returncode == 0, check_result.stdout + check_result.stderr
