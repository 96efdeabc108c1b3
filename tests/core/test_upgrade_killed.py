"""An upgrade is killed wherever it can be: it goes on, or the old version starts, and nothing is lost.

The process is a real one and ends by SIGKILL at a named place of the production code.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from commensal.base.clock import SystemClock
from commensal.hooks.loading import load_plugins, migration_folders
from commensal.instance import load_settings, open_instance
from commensal.instance.instance import UpgradeRecord, read_upgrade_record, write_upgrade_record
from commensal.parts.backups.manifest import revisions_of
from commensal.parts.checks import broken_invariants
from commensal.storage.database.migrate import drop_tables, missing_revisions

from .keeping import postgresql_tools
from .released import FIRST, kept_rows, store_of, tables_with_lost_rows, unpack
from .shell import Shell

__all__ = ["postgresql_tools"]  # fixtures
pytestmark = pytest.mark.bundled
KILLED = -signal.SIGKILL

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(shell: Shell) -> Command:
    """Runs a command in its own process, killed at a failpoint; returns the exit code and the output."""

    def run(*words: object, failpoint: str = "") -> tuple[int, str]:
        result = shell.run(*words, failpoint=failpoint, env={**os.environ, "COLUMNS": "400"})
        return result.returncode, result.stdout + result.stderr

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "val"


def pending_revisions(folder: Path, url: str) -> list[str]:
    settings = load_settings(folder)
    lines = migration_folders(load_plugins(settings, clock=SystemClock()))
    with closing(store_of(folder, url)) as store:
        return missing_revisions(store, lines)


def unpack_with_pending_revisions(folder: Path, url: str) -> list[str]:
    """Unpacks an instance of the first release and drops a plugin's tables; returns the revisions that it lacks."""
    unpack(FIRST, folder, url)
    with closing(store_of(folder, url)) as store, store.write() as tx:
        drop_tables(tx, "webhooks")
    pending = pending_revisions(folder, url)
    assert len(pending) >= 2
    return pending


def test_killed_anywhere_on_sqlite_it_goes_on_with_the_first_backup(command: Command, tmp_path: Path) -> None:
    """Each revision runs twice: first on the copy of the backup, to try it."""
    steps = len(unpack_with_pending_revisions(tmp_path / "first", ""))
    points = [("backup.copied:1", 0), ("migration.committed:1", 0), ("backup.named:1", 0), ("upgrade.backed_up:1", 0)]
    for done in (0, steps - 1):
        points += [(f"migration.before_commit:{steps + done + 1}", done)]
        points += [(f"migration.committed:{steps + done + 1}", done + 1)]
    points += [("upgrade.migrated:1", steps), ("upgrade.checked:1", steps)]
    for number, (failpoint, done) in enumerate(points):
        _kill(command, tmp_path / str(number), "", failpoint, done)


def test_killed_anywhere_on_postgresql_it_goes_on_with_the_first_backup(
    command: Command, tmp_path: Path, new_postgresql: Callable[[str], str]
) -> None:
    steps = len(unpack_with_pending_revisions(tmp_path / "first", new_postgresql("template0")))
    points = [("upgrade.backed_up:1", 0), (f"migration.before_commit:{2 * steps}", steps - 1)]
    points += [(f"migration.committed:{steps + 1}", 1)]
    for number, (failpoint, done) in enumerate(points):
        _kill(command, tmp_path / str(number), new_postgresql("template0"), failpoint, done)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_back_without_another_environment_is_typed_again_where_it_was_killed(
    command: Command, folder: Path, request: pytest.FixtureRequest, database: str
) -> None:
    """As in containers, where each version has an image of its own."""
    url = "" if database == "sqlite" else request.getfixturevalue("new_postgresql")("template0")
    unpack_with_pending_revisions(folder, url)
    write_upgrade_record(folder, UpgradeRecord(version="6.0.0", at=SystemClock().now()))
    with closing(store_of(folder, url)) as store, store.read() as tx:
        before, old = kept_rows(tx), revisions_of(tx)
    back = ("upgrade", "--back", "--instance", folder)
    for failpoint in ("upgrade.migrated:1", "returning.restored:1", "returning.replaced:1"):
        words = back if failpoint.startswith("returning") else ("upgrade", "--instance", folder)
        code, output = command(*words, failpoint=failpoint)
        assert code == KILLED, f"{failpoint}: {output}"
    for _ in range(2):
        code, output = command(*back)
        assert code == 0, output
        assert "is that of Commensal 6.0.0, as it was before the upgrade" in output
    with closing(store_of(folder, url)) as store, store.read() as tx:
        assert (kept_rows(tx), revisions_of(tx)) == (before, old)
    assert not (folder / ".before").exists()


def _kill(command: Command, folder: Path, url: str, failpoint: str, done: int) -> None:
    """Kills an upgrade at the failpoint, after `done` revisions, and checks the instance; then upgrades again."""
    pending = unpack_with_pending_revisions(folder, url)
    with closing(store_of(folder, url)) as store, store.read() as tx:
        before, old = kept_rows(tx), revisions_of(tx)
    code, output = command("upgrade", "--instance", folder, failpoint=failpoint)
    assert code == KILLED, f"{failpoint}: {output}"
    assert pending_revisions(folder, url) == pending[done:], failpoint
    with closing(store_of(folder, url)) as store, store.read() as tx:
        assert tables_with_lost_rows(before, kept_rows(tx)) == [], failpoint
        if not done:  # the old version still finds its own tables, and starts
            assert (kept_rows(tx), revisions_of(tx)) == (before, old), failpoint
    first_backup = _age_backup(folder)
    code, output = command("upgrade", "--instance", folder)
    assert code == 0, f"{failpoint}: {output}"
    continues = first_backup is not None and done > 0
    assert ("goes on where it was" in output) == continues, failpoint
    if continues:  # with what was backed up before the first step
        assert sorted((folder / "backups").glob("*.zip")) == [first_backup], failpoint
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert tables_with_lost_rows(before, kept_rows(tx)) == [], failpoint
        assert broken_invariants(tx) == []
    assert not list((folder / "backups").glob(".commensal-*")), failpoint
    last = read_upgrade_record(folder)
    assert last is not None
    assert last.finished, failpoint


def _age_backup(folder: Path) -> Path | None:
    """Renames the backup of the killed upgrade, so that another one would be seen, and returns it; None if the upgrade
    had not started to change anything."""
    record = read_upgrade_record(folder)
    if record is None:
        return None
    older = folder / "backups" / "first.zip"
    Path(record.backup).rename(older)
    write_upgrade_record(folder, replace(record, backup=str(older)))
    return older
