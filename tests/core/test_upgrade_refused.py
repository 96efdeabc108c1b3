"""An upgrade that cannot succeed does not start; one that fails midway says how to continue, and how to go back."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from commensal.base.clock import SystemClock
from commensal.base.errors import Busy, SettingsError, StoreError
from commensal.base.languages.catalogs import spaced
from commensal.instance import open_instance
from commensal.instance.instance import DATABASE, UpgradeRecord, read_upgrade_record, write_upgrade_record
from commensal.instance.instance import FILE as BROUGHT
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.manifest import Manifest, revisions_of
from commensal.parts.backups.restore import restore
from commensal.parts.backups.settings import with_database
from commensal.parts.cli import app
from commensal.parts.terminal.shell import told
from commensal.parts.upgrading.preflight import preflight
from commensal.parts.upgrading.upgrade import upgrade
from commensal.storage.database.migrate import drop_tables
from commensal.storage.database.presence import exclusive_access
from commensal.storage.database.revisions import NewerDatabase, OlderDatabase

from .keeping import postgresql_tools
from .released import BASELINE, BEFORE_BASELINE, FIRST, FOLDER, folder, kept_rows, store_of, unpack, url
from .test_proven_backups import forge

__all__ = ["folder", "postgresql_tools", "url"]  # fixtures
pytestmark = pytest.mark.bundled


@pytest.fixture
def plain_url(new_postgresql: Callable[[str], str]) -> Iterator[str]:
    """An empty database whose owner may not create another, so that nothing can be tried on a copy."""
    address = make_url(new_postgresql("template0"))
    role = f"plain_{address.database}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'plain'"))
        connection.execute(text(f"ALTER DATABASE {address.database} OWNER TO {role}"))
    yield address.set(username=role, password="plain").render_as_string(hide_password=False)
    with admin.connect() as connection:
        for statement in (f"REASSIGN OWNED BY {role} TO CURRENT_USER", f"DROP OWNED BY {role}", f"DROP ROLE {role}"):
            connection.execute(text(statement))
    admin.dispose()


def run_upgrade(folder: Path) -> None:
    with preflight(folder, folder / "backups", clock=SystemClock()) as plan:
        upgrade(plan)


def run(*words: object) -> tuple[int, str]:
    """Runs a command in this process and returns its exit code and output; raises its exception."""
    result = CliRunner().invoke(app, list(map(str, words)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def change(folder: Path, url: str, statement: str) -> None:
    with closing(store_of(folder, url)) as store, store.write() as tx:
        tx.execute(text(statement))


def applied_revisions(folder: Path, url: str = "") -> dict[str, list[str]]:
    with closing(store_of(folder, url)) as store, store.read() as tx:
        return revisions_of(tx)


@pytest.mark.parametrize(
    "words", [("serve", "--port", "0"), ("work", "--once"), ("check",), ("upgrade",), ("migrate",)]
)
def test_an_older_program_refuses_a_newer_database(words: tuple[str, ...], folder: Path, url: str) -> None:
    unpack(FIRST, folder, url)
    change(folder, url, "UPDATE alembic_version SET version_num = '9999_future'")
    at = datetime(2030, 1, 2, tzinfo=UTC)
    write_upgrade_record(folder, UpgradeRecord(version="9.9", before="0.1.0", at=at, backup="/backups/old.zip"))
    with pytest.raises(NewerDatabase) as error:
        run(*words, "--instance", folder)
    message = str(error.value)
    assert "9999_future, which this version of Commensal does not know. Install the version that wrote it." in message
    assert message.endswith("That was Commensal 9.9, on 2030-01-02. The backup from before is /backups/old.zip.")
    assert applied_revisions(folder, url)["alembic_version"] == ["9999_future"]


@pytest.mark.parametrize(
    "words", [("serve", "--port", "0"), ("check",), ("upgrade",), ("migrate",), ("export", "x.zip")]
)
def test_an_instance_from_before_the_baseline_is_sent_to_the_program_of_that_release(
    words: tuple[str, ...], folder: Path, url: str
) -> None:
    unpack(BEFORE_BASELINE, folder, url)
    before = applied_revisions(folder, url)
    with pytest.raises(OlderDatabase, match=r"upgrade it once with Commensal 0\.2\.0"):
        run(*words, "--instance", folder)
    assert applied_revisions(folder, url) == before


def test_a_backup_from_before_the_baseline_is_refused_with_what_to_do(folder: Path) -> None:
    with pytest.raises(OlderDatabase, match=r"Restore or upgrade it once with Commensal 0\.2\.0"):
        restore(FOLDER / BEFORE_BASELINE / "sqlite.zip", folder, unproven=True, clock=SystemClock())
    assert not folder.exists()


def test_a_newer_plugin_is_refused_by_name(folder: Path) -> None:
    unpack(FIRST, folder)
    change(folder, "", "UPDATE webhooks_revision SET version_num = 'webhooks_0009'")
    with pytest.raises(NewerDatabase, match="webhooks_0009, which this version of the plugin 'webhooks' does not know"):
        run_upgrade(folder)


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("work", "--once"), ("check",), ("export", "out.zip")])
def test_who_meets_an_older_database_is_told_to_upgrade(words: tuple[str, ...], folder: Path) -> None:
    unpack(FIRST, folder)
    with pytest.raises(StoreError, match="older than this version; run `commensal upgrade"):
        run(*words, "--instance", folder)


def test_nothing_is_upgraded_while_the_instance_runs(folder: Path, url: str) -> None:
    unpack(FIRST, folder, url)
    run_upgrade(folder)
    with open_instance(folder) as running:
        run_upgrade(folder)  # nothing to migrate, so the running instance does not matter
        with running.store.write() as tx:
            drop_tables(tx, "webhooks")
        holder = rf" \(process {os.getpid()} on .+\)" if url else ""
        with pytest.raises(Busy, match=f"the instance is running{holder}; stop `commensal serve`"):
            run_upgrade(folder)
        assert "webhooks_revision" not in applied_revisions(folder, url)
    run_upgrade(folder)
    assert "webhooks_revision" in applied_revisions(folder, url)


def test_a_server_that_does_not_answer_is_told_before_anything_is_done(folder: Path) -> None:
    unpack(FIRST, folder)
    file = folder / "instance.toml"
    url = "postgresql://val:hunter2@127.0.0.1:1/val"
    file.write_text(with_database(file.read_text(encoding="utf-8"), url), encoding="utf-8")
    with pytest.raises(StoreError, match=r"^The database does not answer: .*refused") as error:
        run_upgrade(folder)
    assert "hunter2" not in str(error.value)
    assert not (folder / "backups").exists()


def test_a_server_that_goes_away_during_an_upgrade_is_told(folder: Path, new_postgresql: Callable[[str], str]) -> None:
    url = new_postgresql("template0")
    unpack(FIRST, folder, url)
    with (
        pytest.raises(StoreError, match=r"^The database does not answer: "),
        preflight(folder, folder / "backups", clock=SystemClock()) as plan,
        plan.store.read() as tx,
    ):
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_nobody_starts_during_an_upgrade(folder: Path, url: str) -> None:
    unpack(FIRST, folder, url)
    run_upgrade(folder)
    with closing(store_of(folder, url)) as store:
        with exclusive_access(store), pytest.raises(Busy, match="being upgraded; start again"):
            open_instance(folder)
        open_instance(folder).close()


def test_plugins_that_are_not_there_are_named_before_anything_is_done(folder: Path) -> None:
    unpack(FIRST, folder)
    settings = folder / "instance.toml"
    settings.write_text(settings.read_text().replace('["shop", ', '["ghost", "shop", '))
    with pytest.raises(SettingsError, match="ghost: it is not installed"):
        run_upgrade(folder)
    assert not (folder / "backups").exists()


def test_tables_of_a_plugin_that_is_not_enabled_are_left_as_they_are(folder: Path) -> None:
    unpack(FIRST, folder)
    settings = folder / "instance.toml"
    settings.write_text(settings.read_text().replace('"webhooks"', '"cash"').replace('"cash", ', "", 1))
    _, output = run("upgrade", "--dry-run", "--instance", folder)
    assert "tables of webhooks, not enabled, stay as they are" in output


def test_a_disk_without_room_stops_it_before_anything_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack(FIRST, folder)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 2_000_000, 2_000_000))
    with pytest.raises(StoreError, match=r"may need \d+ MB .* has 1 MB free. Make room"):
        run_upgrade(folder)
    assert not (folder / "backups").exists()


def record_broken_upgrade(folder: Path, backup: Path, *revisions: str) -> None:
    at = datetime(2030, 1, 2, tzinfo=UTC)
    record = UpgradeRecord(version="0.3", before=FIRST, at=at, backup=str(backup), revisions=revisions, finished=False)
    write_upgrade_record(folder, record)


def test_one_that_was_broken_off_half_way_needs_no_room_for_another_backup(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(FIRST, folder)
    backup = back_up(folder, folder / "backups", clock=SystemClock()).file
    record_broken_upgrade(folder, backup, BASELINE, "0079_line_costs")  # of which the first has run
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5_000_000, 5_000_000))
    run_upgrade(folder)
    assert list((folder / "backups").glob("*.zip")) == [backup]


def test_one_that_was_broken_off_does_not_go_on_with_a_backup_that_somebody_has_changed(
    folder: Path, tmp_path: Path
) -> None:
    unpack(FIRST, folder)
    backup = back_up(folder, folder / "backups", clock=SystemClock()).file
    record_broken_upgrade(folder, backup, BASELINE, "0079_line_costs")
    forge(backup, tmp_path)
    with pytest.raises(StoreError, match="somebody has changed it"):
        run_upgrade(folder)
    assert BASELINE in str(applied_revisions(folder, ""))


@pytest.mark.parametrize("revisions", [("0079_line_costs",), ("0077_merged_orders", BASELINE)])
def test_a_backup_from_before_somebody_could_order_is_not_taken_for_one_of_now(
    revisions: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    """The upgrade broke off before its first step, and the old version went on serving; or after its last step, and the
    new version went on serving until an even later one was installed."""
    unpack(FIRST, folder)
    old = tmp_path / "old.zip"
    shutil.copy(FOLDER / FIRST / "sqlite.zip", old)
    record_broken_upgrade(folder, old, *revisions)
    with preflight(folder, folder / "backups", clock=SystemClock()) as plan:
        outcome = upgrade(plan)
    assert outcome.backup is not None
    assert outcome.backup.parent == folder / "backups"
    record = read_upgrade_record(folder)
    assert record is not None
    assert (record.before, record.backup) == ("0.3" if BASELINE in revisions else FIRST, str(outcome.backup))


def test_an_instance_that_is_not_sound_is_not_upgraded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack(FIRST, folder)
    change(folder, "", "UPDATE stock_lot SET reserved = reserved + 1")
    before = applied_revisions(folder)
    with pytest.raises(StoreError, match=r"so nothing was changed.* movements add up") as error:
        run_upgrade(folder)
    assert applied_revisions(folder) == before
    assert read_upgrade_record(folder) is None
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    message = told(error.value)
    french = "La sauvegarde n’est pas bonne, donc rien n’a été changé. StoreError : La copie n’est pas saine"
    assert message.startswith(spaced("fr", french))
    assert "mais la somme de ses mouvements est" in message


def test_a_database_without_tables_is_for_migrate(folder: Path) -> None:
    unpack(FIRST, folder)
    (folder / DATABASE).unlink()
    with pytest.raises(StoreError, match=r"there is more of this instance: images/"):
        run_upgrade(folder)
    shutil.rmtree(folder / "images")
    with pytest.raises(StoreError, match="`commensal migrate`"):
        run_upgrade(folder)
    run("migrate", "--instance", folder)
    record = read_upgrade_record(folder)
    assert record is not None
    assert record.version == version("commensal")
    (folder / DATABASE).unlink()
    with pytest.raises(StoreError, match=r"there is more of this instance: upgrade\.json"):
        open_instance(folder)
    (folder / BROUGHT).unlink()
    with pytest.raises(StoreError, match="empty; run `commensal migrate"):
        open_instance(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_does_not_upgrade_what_belongs_to_somebody_else(folder: Path) -> None:
    unpack(FIRST, folder)
    os.chown(folder / "instance.toml", 65534, 65534)
    with pytest.raises(SettingsError, match="runuser -u nobody -- commensal upgrade"):
        run_upgrade(folder)


def test_a_revision_that_fails_is_found_on_the_copy(folder: Path, url: str) -> None:
    unpack(FIRST, folder, url)
    change(folder, url, "DROP TABLE webhooks_revision")  # its tables are there, but the upgrade takes them for missing
    before = applied_revisions(folder, url)
    with pytest.raises(StoreError, match=r"so nothing was changed.*webhooks_0001_first"):
        run_upgrade(folder)
    assert applied_revisions(folder, url) == before


def test_a_step_that_fails_half_way_says_how_to_go_on_and_back(folder: Path, plain_url: str, tmp_path: Path) -> None:
    unpack(FIRST, folder, plain_url)
    change(folder, plain_url, "ALTER TABLE webhooks_revision RENAME TO kept_aside")
    with closing(store_of(folder, plain_url)) as store, store.read() as tx:
        rows = kept_rows(tx)
    code, output = run("upgrade", "--instance", folder)
    (backup,) = (folder / "backups").glob("*.zip")
    assert code == 3
    assert "stopped   webhooks_0001_first" in output
    assert f"run `commensal upgrade --instance {folder}` again" in output
    assert f"`commensal restore {backup} --instance {folder}-restored --database URL-OF-AN-EMPTY-DATABASE`" in output
    with zipfile.ZipFile(backup) as archive:
        manifest = Manifest.read(archive.read("manifest.json"))
    assert manifest.revisions["alembic_version"] == [BASELINE]
    assert manifest.counts == {name: len(rows[name]) for name in manifest.counts}
    change(folder, plain_url, "ALTER TABLE kept_aside RENAME TO webhooks_revision")
    code, output = run("upgrade", "--instance", folder)
    assert code == 0
    assert f"backup    {backup}, of the attempt that was broken off, is whole" in output
    assert list((folder / "backups").glob("*.zip")) == [backup]


def test_where_the_first_step_fails_the_old_version_still_starts(folder: Path, plain_url: str) -> None:
    unpack(FIRST, folder, plain_url)
    run_upgrade(folder)
    change(folder, plain_url, "DROP TABLE webhooks_revision")
    code, output = run("upgrade", "--instance", folder)
    assert code == 3
    old_version = f"commensal=={version('commensal')}"
    assert f"nothing has changed: install {old_version} and start the instance as before" in output
