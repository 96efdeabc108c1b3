"""Backups are copied to another place, and the trial brings them back from there: by the real rclone and restic.

The places are a folder, and a bucket of a storage that speaks S3 over HTTP.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from commensal.base.clock import SystemClock
from commensal.base.errors import SettingsError, StoreError
from commensal.instance import load_settings, open_instance
from commensal.instance.backup_key import FILE
from commensal.parts.backups.elsewhere import fetch_newest, push
from commensal.parts.backups.restore import restore
from commensal.parts.backups.upkeep.upkeep import BACKUP, TRIAL, newest_done, newest_in
from commensal.parts.cli import app
from commensal.parts.setup.begin import begin_instance


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """The address of a storage that speaks S3, without buckets."""
    command = [sys.executable, "-m", "moto.server", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = next(match[0] for line in process.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
    yield address
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(params=["rclone", "restic", "rclone-s3", "restic-s3"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for backups: another folder of this machine, or a bucket."""
    program, _, kind = request.param.partition("-")
    if shutil.which(program) is None and "CI" not in os.environ:
        pytest.skip(f"{program} is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RESTIC_PASSWORD", "poires")
    place = str(tmp_path / "elsewhere")
    if kind == "s3":
        place = _bucket(request.getfixturevalue("storage"), program, tmp_path.name, monkeypatch)
    if program == "restic":
        subprocess.run(["restic", "init", "--quiet", "--repo", place], check=True)
    return f"{program}:{place}"


def _bucket(storage: str, program: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes a bucket, tells the program the way to it, and returns the program's name for a folder of it."""
    credentials = {"ACCESS_KEY_ID": "val", "SECRET_ACCESS_KEY": "sound of the wind"}
    settings = {f"AWS_{name}": value for name, value in credentials.items()}
    if program == "rclone":
        settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": storage, **credentials}
        settings = {f"RCLONE_CONFIG_STORAGE_{name}": value for name, value in settings.items()}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)  # with it, rclone 1.60 refuses its own transport
    httpx.put(f"{storage}/backups").raise_for_status()
    return f"storage:backups/{folder}" if program == "rclone" else f"s3:{storage}/backups/{folder}"


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
    with open_instance(val) as instance, instance.store.read() as tx:
        assert newest_done(tx, BACKUP), "the operator's page says when, as of the worker's"
        assert newest_done(tx, TRIAL)
    newest = newest_in(tmp_path / "disk", SystemClock().now())
    key = (val / FILE).rename(tmp_path / "kept.key")
    shutil.rmtree(val)
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "new").mkdir()
    fetched = fetch_newest(elsewhere, tmp_path / "new", SystemClock().now())
    assert fetched.name == newest.name
    restore(fetched, tmp_path / "again", key=key, clock=SystemClock())
    settings = load_settings(tmp_path / "again")
    assert (settings.name, settings.backups.elsewhere) == ("Val", ""), "a copy does not write among the original's"


@pytest.mark.parametrize("elsewhere", ["rclone", "restic"], indirect=True)
def test_a_place_that_is_not_there_is_told(elsewhere: str, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    if elsewhere.startswith("rclone:"):  # which would make the folder
        (tmp_path / "elsewhere").write_text("a file")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "commensal-20260604T000000Z.zip").touch()
    with pytest.raises(StoreError, match=f"^{elsewhere.partition(':')[0]}: .*(does not exist|not a directory)"):
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
