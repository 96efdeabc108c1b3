"""Backups are copied to another place, and the trial brings them back from there: by the real rclone and restic."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.base.clock import SystemClock
from commensal.base.errors import SettingsError, StoreError
from commensal.cli import app
from commensal.instance import load_settings
from commensal.instance.begin import begin_instance
from commensal.operations.backups.elsewhere import fetch_newest, push
from commensal.operations.backups.restore import restore
from commensal.storage.backups.files import newest_in


@pytest.fixture(params=["rclone", "restic"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for backups, in another folder of this machine."""
    if shutil.which(request.param) is None and "CI" not in os.environ:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RESTIC_PASSWORD", "poires")
    place = tmp_path / "elsewhere"
    if request.param == "restic":
        subprocess.run(["restic", "init", "--quiet", "--repo", place], check=True)
    return f"{request.param}:{place}"


@pytest.fixture
def val(elsewhere: str, tmp_path: Path) -> Path:
    folder = tmp_path / "val"
    begin_instance(folder, name="Val", backups=tmp_path / "disk", plugins=())
    settings = folder / "instance.toml"
    settings.write_text(settings.read_text().replace("[backups]", f'[backups]\nelsewhere = "{elsewhere}"'))
    return folder


def run(*words: str) -> str:
    return CliRunner().invoke(app, words, catch_exceptions=False, env={"COLUMNS": "400"}).output


def test_a_backup_is_copied_elsewhere_and_restored_from_there(val: Path, elsewhere: str, tmp_path: Path) -> None:
    assert f"copied to {elsewhere}" in run("backup", "--instance", str(val))
    assert f"was brought back from {elsewhere}" in run("backup", "--test", "--instance", str(val))
    newest = newest_in(tmp_path / "disk")
    shutil.rmtree(val)
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "new").mkdir()
    fetched = fetch_newest(elsewhere, tmp_path / "new")
    assert fetched.name == newest.name
    restore(fetched, tmp_path / "again", clock=SystemClock())
    settings = load_settings(tmp_path / "again")
    assert (settings.name, settings.backups.elsewhere) == ("Val", ""), "a copy does not write among the original's"


def test_a_place_that_is_not_there_is_told(elsewhere: str, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    if elsewhere.startswith("rclone:"):  # which would make the folder
        (tmp_path / "elsewhere").write_text("a file")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "commensal-20260604T000000Z.zip").touch()
    with pytest.raises(StoreError, match=f"^{elsewhere.partition(':')[0]}: "):
        push(tmp_path / "disk", elsewhere)


def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"rclone is not installed.*apt install rclone"):
        push(tmp_path, "rclone:val:backups")


@pytest.mark.parametrize("place", ["s3:bucket", "rclone:", "rclone:--config=x", "restic:a b"])
def test_a_place_of_another_form_is_refused(place: str, tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    settings = tmp_path / "val" / "instance.toml"
    settings.write_text(settings.read_text().replace("[backups]", f'[backups]\nelsewhere = "{place}"'))
    with pytest.raises(SettingsError, match=r"backups\.elsewhere: .* must be like"):
        load_settings(tmp_path / "val")
