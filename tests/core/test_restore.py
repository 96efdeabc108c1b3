"""Backups become instances again, on both databases; archives that were tampered with, or made to do harm, do not."""

from __future__ import annotations

import hashlib
import json
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import delete, inspect, text
from sqlalchemy.exc import DatabaseError
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import CommensalError, SettingsError, StoreError
from commensal.instance import open_instance
from commensal.instance.backup_key import FILE
from commensal.instance.instance import read_upgrade_record
from commensal.parts.backups.archive import Archive
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.manifest import FileEntry, Manifest
from commensal.parts.backups.restore import RESTORED, restore
from commensal.parts.checks import broken_invariants
from commensal.parts.serving.app import make_app
from commensal.stock.tables import stock_movement

from .keeping import PASSWORD, buy, folder, make_instance, open_store, postgresql_tools, sqlite_url, write_settings
from .shell import Shell

__all__ = ["folder", "postgresql_tools", "sqlite_url"]  # fixtures
COMMENSAL = Path(sys.executable).with_name("commensal")


@pytest.fixture
def empty_database(database_url: str, new_postgresql: Callable[[str], str]) -> str:
    """The URL of a database to restore a PostgreSQL backup to; empty for SQLite, which needs none."""
    return new_postgresql("template0") if database_url.startswith("postgresql") else ""


def test_a_restored_instance_serves_and_takes_orders(
    folder: Path, database_url: str, empty_database: str, tmp_path: Path, clock: ManualClock
) -> None:
    item = make_instance(folder, database_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    new_folder = tmp_path / "elsewhere" / "val"
    restored = restore(backup.file, new_folder, database=empty_database, key=folder / FILE, clock=clock)
    assert restored.waiting == {"mail": 2}
    assert restored.absent == {}
    assert stat.S_IMODE(new_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((new_folder / "instance.toml").stat().st_mode) == 0o600
    assert PASSWORD not in (new_folder / "instance.toml").read_text(encoding="utf-8")
    assert (new_folder / "images" / f"{'a' * 64}.webp").read_bytes() == b"RIFF a picture"
    assert (new_folder / RESTORED).read_text() == f"{clock.now().isoformat()}\n"
    record = read_upgrade_record(new_folder)
    assert record is not None
    assert record.version == version("commensal"), "so that its next upgrade can be undone"
    with open_instance(new_folder) as instance:
        buy(instance.store, item)
        with instance.store.read() as tx:
            assert broken_invariants(tx) == []
        with pytest.raises(DatabaseError, match="only grows"), instance.store.write() as tx:
            tx.execute(delete(stock_movement))
        with TestClient(make_app(instance)) as client:
            assert client.get("/api/openapi.json").status_code == 200
        assert instance.store.url != database_url


def test_files_with_secrets_need_not_be_on_the_other_machine(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    url_file = tmp_path / "url"
    url_file.write_text(sqlite_url, encoding="utf-8")
    (folder / "instance.toml").write_text(
        f'name = "Val"\n[database]\nurl_file = "{url_file}"\n[mail]\npassword_file = "{secret}"\n', encoding="utf-8"
    )
    backup = back_up(folder, folder / "backups", clock=clock)
    assert backup.manifest.left_out == ("database.url_file", "mail.password_file", "keys/")
    secret.unlink()
    url_file.unlink()
    restore(backup.file, tmp_path / "new", clock=clock)
    with open_instance(tmp_path / "new") as instance:
        assert instance.settings.name == "Val"


def test_an_instance_is_never_overwritten(folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    before = sorted(folder.rglob("*"))
    with pytest.raises(SettingsError, match="not empty"):
        restore(backup.file, folder, clock=clock)
    assert sorted(folder.rglob("*")) == before
    (tmp_path / "new").mkdir()
    restore(backup.file, tmp_path / "new", clock=clock)
    assert (tmp_path / "new" / "commensal.db").exists()


def test_what_a_killed_restore_has_left_is_in_nobodys_way(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    restoring = subprocess.Popen([COMMENSAL, "restore", backup.file, "--instance", tmp_path / "new"])
    while restoring.poll() is None and not list(tmp_path.glob(".new.part/*")):
        pass
    restoring.kill()
    assert restoring.wait() == -signal.SIGKILL
    assert not (tmp_path / "new").exists()
    restore(backup.file, tmp_path / "new", clock=clock)
    assert not list(tmp_path.glob(".new*"))


def test_a_database_with_tables_is_refused(
    folder: Path, new_postgresql: Callable[..., str], tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, new_postgresql())
    backup = back_up(folder, folder / "backups", clock=clock)
    with pytest.raises(SettingsError, match="there are tables in it"):
        restore(backup.file, tmp_path / "new", database=new_postgresql(), clock=clock)
    with pytest.raises(SettingsError, match="name an empty one with --database"):
        restore(backup.file, tmp_path / "new", clock=clock)
    assert not (tmp_path / "new").exists()


def test_a_database_that_cannot_be_reached_is_told_in_words(
    folder: Path, new_postgresql: Callable[..., str], tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, new_postgresql())
    backup = back_up(folder, folder / "backups", clock=clock)
    for url, message in (
        ("postgresql://val:hunter2@127.0.0.1:1/val", "^--database: .*refused"),
        ("mysql://127.0.0.1/val", "a URL like postgresql"),
        ("val", "a URL like postgresql"),
    ):
        with pytest.raises(CommensalError, match=message) as error:
            restore(backup.file, tmp_path / "new", database=url, clock=clock)
        assert "hunter2" not in str(error.value)
    write_settings(folder, "postgresql://val:hunter2@127.0.0.1:1/val")
    with pytest.raises(StoreError, match="cannot be read") as error_of_backup:
        back_up(folder, tmp_path / "backups", clock=clock)
    assert "hunter2" not in str(error_of_backup.value)
    assert [file.name for file in (tmp_path / "backups").iterdir()] == [".lock"]


def test_a_backup_goes_to_the_kind_of_database_that_it_came_from(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    with pytest.raises(SettingsError, match="commensal export"):
        restore(backup.file, tmp_path / "new", database="postgresql://nobody@127.0.0.1:1/none", clock=clock)


@pytest.mark.bundled
def test_an_older_backup_is_brought_to_this_version(sqlite_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """The backup has none of the plugin's tables; the restored instance has those of its last revision."""
    folder = tmp_path / "val"
    make_instance(folder, sqlite_url)
    write_settings(folder, sqlite_url, plugins=("vouchers",))
    store = open_store(sqlite_url)
    with store.write() as tx:
        for name in sorted(inspect(tx.connection).get_table_names(), reverse=True):
            if name.startswith("vouchers_"):
                tx.execute(text(f"DROP TABLE {name}"))
    store.close()
    with pytest.raises(StoreError, match="commensal upgrade"):
        open_instance(folder)
    backup = back_up(folder, folder / "backups", clock=clock)
    assert not any(name.startswith("vouchers") for name in backup.manifest.counts)
    restore(backup.file, tmp_path / "new", clock=clock)
    with open_instance(tmp_path / "new") as instance, instance.store.read() as tx:
        assert "vouchers_revision" in inspect(tx.connection).get_table_names()


def test_a_backup_of_a_newer_version_is_refused(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    newer_format = change(
        backup.file, tmp_path / "later.zip", manifest=lambda text: text.replace(b'"format": 1', b'"format": 2')
    )
    with pytest.raises(StoreError, match="newer version"):
        restore(newer_format, tmp_path / "new", clock=clock)

    def with_unknown_revision(content: bytes) -> bytes:
        (tmp_path / "copy.db").write_bytes(content)
        store = open_store(f"sqlite:///{tmp_path / 'copy.db'}")
        with store.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = '0999_of_tomorrow'"))
        store.close()
        return (tmp_path / "copy.db").read_bytes()

    with Archive.open(backup.file) as archive:
        entry_before = archive.manifest.files["database.sqlite"]
        archive.extract("database.sqlite", tmp_path / "before.db")
    content = with_unknown_revision((tmp_path / "before.db").read_bytes())
    entry_after = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}

    def with_new_entry(manifest: bytes) -> bytes:
        values = json.loads(manifest)
        values["files"]["database.sqlite"] = entry_after
        return json.dumps(values).encode()

    assert entry_after["sha256"] != entry_before.sha256
    newer = change(backup.file, tmp_path / "newer.zip", manifest=with_new_entry, database_sqlite=lambda _: content)
    with pytest.raises(StoreError, match="0999_of_tomorrow, which this version of Commensal does not know"):
        restore(newer, tmp_path / "new", unproven=True, clock=clock)
    assert not (tmp_path / "new").exists()


Change = Callable[[bytes], bytes]


def change(file: Path, target: Path, *, manifest: Change = bytes, **kwargs: Change) -> Path:
    """Writes a copy of the archive with changed contents; the manifest changes only if `manifest` is given."""
    changes = {
        "manifest.json": manifest,
        **{name.replace("_", "."): change_content for name, change_content in kwargs.items()},
    }
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, changes.get(entry.filename, bytes)(old.read(entry)))
    return target


def test_what_was_cut_off_or_changed_is_refused_and_leaves_nothing(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    archive_bytes, damaged, new_folder = backup.file.read_bytes(), tmp_path / "bad.zip", tmp_path / "new"
    for length in (0, 1, len(archive_bytes) // 2, len(archive_bytes) - 200):
        damaged.write_bytes(archive_bytes[:length])
        with pytest.raises(StoreError, match="damaged, or no archive"):
            restore(damaged, new_folder, unproven=True, clock=clock)
    changes: list[dict[str, Change]] = [
        {"instance_toml": lambda content: content.replace(b"Paniers", b"Raniers")},
        {"instance_toml": lambda content: content + b"x = 1"},
        {"database_sqlite": lambda content: content[:-1] + b"x"},
        {"manifest": lambda content: content.replace(b'"customer_order": 1', b'"customer_order": 2')},
        {"manifest": lambda content: b"[]"},
        {"manifest": lambda content: b"{" + b"x" * 100},
    ]
    for change_set in changes:
        with pytest.raises(StoreError):
            restore(change(backup.file, damaged, **change_set), new_folder, unproven=True, clock=clock)
    assert not new_folder.exists()
    assert not list(tmp_path.glob(".new*"))
    with pytest.raises(StoreError, match="There is no"):
        restore(tmp_path / "nothing.zip", new_folder, clock=clock)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "images/../../evil", "a/b/c", "images/.hidden", ".hidden", "images//x", "a\\b", "x/"],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path, clock: ManualClock) -> None:
    archive_file = tmp_path / "in" / "bad.zip"
    archive_file.parent.mkdir()
    with zipfile.ZipFile(archive_file, "w") as archive:
        archive.writestr("manifest.json", manifest_of({name: (4, "0" * 64)}))
        archive.writestr(name, b"evil")
    with pytest.raises(StoreError, match="nothing was unpacked"):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_link_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    archive_file, link = tmp_path / "bad.zip", zipfile.ZipInfo("images/link.webp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive_file, "w") as archive:
        archive.writestr("manifest.json", manifest_of({"images/link.webp": (11, "0" * 64)}))
        archive.writestr(link, b"/etc/passwd")
    with pytest.raises(StoreError, match="nothing was unpacked"):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)


def test_a_way_of_packing_that_takes_memory_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    archive_file = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive_file, "w", compression=zipfile.ZIP_LZMA) as archive:
        archive.writestr("manifest.json", manifest_of({}))
    with pytest.raises(StoreError, match="packed in a way"):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)


def test_an_archive_that_unpacks_to_more_than_the_disk_holds_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    huge = 1 << 60
    archive_file = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive_file, "w") as archive:
        archive.writestr("manifest.json", manifest_of({"instance.toml": (huge, "0" * 64)}))
        archive.writestr("instance.toml", b"")
        archive.getinfo("instance.toml").file_size = huge  # the size in its list of contents
    with pytest.raises(StoreError, match="room for"):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)
    assert not (tmp_path / "new").exists()


def test_an_archive_that_holds_more_than_it_says_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    archive_file = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive_file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest_of({"instance.toml": (10, "0" * 64)}))
        archive.writestr("instance.toml", b" " * 50_000_000)
        archive.getinfo("instance.toml").file_size = 10
    with pytest.raises(StoreError):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)
    with zipfile.ZipFile(archive_file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 70_000_000)
    with pytest.raises(StoreError, match="too large"):
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)


def manifest_of(files: dict[str, tuple[int, str]]) -> bytes:
    return Manifest(
        kind="backup",
        database="sqlite",
        made_at=datetime(2026, 6, 4, tzinfo=UTC),
        commensal="0.1.0",
        plugins=(),
        revisions={},
        counts={},
        left_out=(),
        files={name: FileEntry(*entry) for name, entry in files.items()},
    ).encode()


def test_a_manifest_without_a_limit_would_be_unpacked_whatever_its_size(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard: 70 kB unpack to 70 MB before the check finds that they are not a manifest."""
    archive_file = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive_file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 70_000_000)
    assert archive_file.stat().st_size < 100_000
    monkeypatch.setattr("commensal.parts.backups.archive._LARGEST_MANIFEST", 1 << 40)
    with pytest.raises(StoreError) as error:
        restore(archive_file, tmp_path / "new", unproven=True, clock=clock)
    assert "too large" not in str(error.value)


def test_the_commands_say_what_was_done_and_what_is_left_to_do(
    folder: Path, sqlite_url: str, tmp_path: Path, shell: Shell
) -> None:
    make_instance(folder, sqlite_url)
    backups, new_folder = tmp_path / "disk", tmp_path / "new"

    def run(*words: object, code: int = 0) -> str:
        result = shell.run(*words)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    output = run("backup", "--instance", folder, "--to", backups)
    assert "opened and checked" in output
    assert "mail.password" in output
    assert "can be restored" in run("backup", "--instance", folder, "--to", backups, "--test")
    (file,) = backups.glob("*.zip")
    assert "StoreError: There is no backup in" in run("restore", folder, "--instance", new_folder, code=1)
    output = run("restore", backups, "--instance", new_folder)  # given a folder, it restores the newest backup
    assert "set again in" in output
    assert "2 mail" in output
    assert "--no-jobs" in output
    assert "sound" in run("check", "--instance", new_folder)
    assert "SettingsError" in run("restore", file, "--instance", new_folder, code=1)
