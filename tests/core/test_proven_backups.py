"""A backup is the instance's own, proven by its key: who can write where it lies puts nothing into a restore."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import zipfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError, StoreError
from commensal.instance.backup_key import FILE
from commensal.parts.backups.archive import Archive
from commensal.parts.backups.backup import back_up, try_elsewhere, try_newest
from commensal.parts.backups.export import export, import_instance
from commensal.parts.backups.restore import restore
from commensal.parts.cli import app
from commensal.parts.setup.begin import begin_instance
from commensal.parts.upgrading.bringing_back import bring_back

from .keeping import folder, make_instance, postgresql_tools, sqlite_url
from .released import FOLDER as RELEASES
from .test_export import forge as forge_file

__all__ = ["folder", "postgresql_tools", "sqlite_url"]  # fixtures


@pytest.fixture
def backup(folder: Path, sqlite_url: str, clock: ManualClock) -> Path:
    make_instance(folder, sqlite_url)
    return back_up(folder, folder / "backups", clock=clock).file


def forge(file: Path, work: Path) -> None:
    """Makes somebody else the reader of a customer's mail, and every hash and size of the archive right again."""
    with zipfile.ZipFile(file) as archive:
        contents, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    copy = work / "forged.db"
    copy.write_bytes(contents["database.sqlite"])
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE customer_order SET email = 'mallory@example.org'")
    database.close()
    contents["database.sqlite"] = copy.read_bytes()
    manifest = json.loads(contents.pop("manifest.json"))
    for name, content in contents.items():
        manifest["files"][name] = {"size": len(content), "sha256": sha256(content).hexdigest()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.comment = comment
    copy.unlink()


def test_a_backup_that_somebody_has_changed_with_all_its_hashes_is_not_restored(
    folder: Path, backup: Path, tmp_path: Path, clock: ManualClock
) -> None:
    forge(backup, tmp_path)
    with pytest.raises(StoreError, match="somebody has changed it"):
        restore(backup, tmp_path / "new", clock=clock)
    with pytest.raises(StoreError, match="somebody has changed it"):
        try_newest(folder, backup.parent, clock=clock)
    assert not (tmp_path / "new").exists()


def test_without_the_proof_the_forgery_would_be_restored_as_sound(
    backup: Path, tmp_path: Path, clock: ManualClock
) -> None:
    forge(backup, tmp_path)
    restore(backup, tmp_path / "new", unproven=True, clock=clock)
    with sqlite3.connect(tmp_path / "new" / "commensal.db") as database:
        assert database.execute("SELECT email FROM customer_order").fetchall() == [("mallory@example.org",)]
    database.close()


def test_an_upgrade_does_not_go_back_to_a_copy_that_somebody_has_changed(
    folder: Path, backup: Path, tmp_path: Path, clock: ManualClock
) -> None:
    forge(backup, tmp_path)
    with pytest.raises(StoreError, match="somebody has changed it"):
        bring_back(folder, backup, clock=clock)
    assert not list(tmp_path.rglob("*.newer")), "the database was replaced"


def test_an_export_that_somebody_has_changed_is_not_imported(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    file, forged = tmp_path / "val.zip", tmp_path / "forged.zip"
    export(folder, file, clock=clock)

    def with_another_reader(rows: bytes) -> bytes:
        return re.sub(rb'"email":"[^"]+"', b'"email":"mallory@example.org"', rows)

    forge_file(file, forged, "tables/customer_order.jsonl", with_another_reader)
    with pytest.raises(StoreError, match="Make a new one with `commensal export`"):
        import_instance(forged, tmp_path / "new", clock=clock)
    assert not (tmp_path / "new").exists()
    other = tmp_path / "elsewhere" / "new"
    words = ["import", str(file), "--instance", str(other)]
    assert "is no export of" in str(CliRunner().invoke(app, words).exception)
    imported = CliRunner().invoke(app, [*words, "--key", str(folder / FILE)])
    assert imported.exit_code == 0, imported.output


def test_a_copy_elsewhere_that_somebody_has_changed_is_not_called_sound(
    folder: Path, backup: Path, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    rclone = programs / "rclone"  # a place that is a folder, as rclone reads it
    rclone.write_text('#!/bin/sh\ncase $1 in lsf) ls "$4";; copyto) cp "$2" "$3";; esac\n')
    rclone.chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    place = tmp_path / "place"
    shutil.copytree(backup.parent, place)
    assert try_elsewhere(folder, f"rclone:{place}", clock=clock).name == backup.name
    forge(place / backup.name, tmp_path)
    with pytest.raises(StoreError, match="somebody has changed it"):
        try_elsewhere(folder, f"rclone:{place}", clock=clock)


def test_an_old_backup_does_not_pass_for_a_new_one(folder: Path, backup: Path, clock: ManualClock) -> None:
    later = clock.now() + timedelta(days=30)
    backup.rename(backup.with_name(f"commensal-{later:%Y%m%dT%H%M%SZ}.zip"))
    clock.advance(days=31)
    with pytest.raises(StoreError, match="the name of another moment"):
        try_newest(folder, backup.parent, clock=clock)


def test_on_another_machine_the_key_is_named(folder: Path, backup: Path, tmp_path: Path, clock: ManualClock) -> None:
    away = tmp_path / "away"
    away.mkdir()
    key = (folder / FILE).rename(away / "val.key")
    with pytest.raises(StoreError, match=r"--key keys/backups\.key"):
        restore(backup, tmp_path / "machine" / "new", clock=clock)
    restore(backup, tmp_path / "machine" / "new", key=key, clock=clock)
    key.write_text("no key\n")
    with pytest.raises(SettingsError, match="holds no key of backups"):
        restore(backup, tmp_path / "machine" / "other", key=key, clock=clock)
    with pytest.raises(StoreError, match="No such file"):
        restore(backup, tmp_path / "machine" / "other", key=tmp_path / "lost.key", clock=clock)


def test_another_instance_proves_nothing(backup: Path, tmp_path: Path, clock: ManualClock) -> None:
    begin_instance(tmp_path / "elsewhere" / "other", name="Other", plugins=())
    with pytest.raises(StoreError, match=r"is no backup of .*/elsewhere/other/keys/backups\.key"):
        restore(backup, tmp_path / "elsewhere" / "new", clock=clock)


def test_a_backup_of_the_release_before_is_restored_when_somebody_says_so(tmp_path: Path, clock: ManualClock) -> None:
    old = RELEASES / "0.2.0" / "sqlite.zip"
    words = ["restore", str(old), "--instance", str(tmp_path / "new")]
    refused = CliRunner().invoke(app, words).exception
    assert isinstance(refused, StoreError)
    assert "was written by Commensal 0.2.0, before archives did so" in str(refused)
    assert CliRunner().invoke(app, [*words, "--unproven"]).exit_code == 0
    both = CliRunner().invoke(app, [*words, "--unproven", "--key", str(tmp_path / "k")]).exception
    assert isinstance(both, SettingsError)
    new = back_up(tmp_path / "new", tmp_path / "backups", clock=clock)
    restore(new.file, tmp_path / "again", clock=clock)


def test_a_new_instance_has_its_key_before_its_first_backup_and_keeps_it_to_itself(
    tmp_path: Path, clock: ManualClock
) -> None:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    key = tmp_path / "val" / FILE
    assert key.stat().st_mode & 0o077 == 0
    before = key.read_text()
    new = back_up(tmp_path / "val", tmp_path / "backups", clock=clock)
    assert key.read_text() == before
    assert "keys/" in new.manifest.left_out, "the operator is told to keep it elsewhere"
    with Archive.open(new.file) as archive:
        assert not any("key" in name for name in archive.manifest.files)
