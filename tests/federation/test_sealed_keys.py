"""Keys are kept away from the machine in one file, which is worth nothing without its passphrase."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import commensal
from commensal.base.errors import Conflict
from commensal.parts.cli import app
from commensal.parts.setup.begin import begin_instance
from commensal_federation.identity.keys import seal, unseal

PASSPHRASE = "trois caisses de poires"
NOBODY = 65534  # a user without rights


def keys(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (folder / "keys").glob("*.key")}


def test_lost_keys_are_put_back_from_the_file_and_none_is_replaced(tmp_path: Path) -> None:
    folder, file = tmp_path / "val", tmp_path / "keys.sealed"
    begin_instance(folder, name="Val", plugins=("federation",))

    def run(*words: str, typed: str = f"{PASSPHRASE}\n") -> Result:
        return CliRunner().invoke(app, ["federation", "keys", *words, "--instance", str(folder)], input=typed)

    key_of_backups = folder / "keys" / "backups.key"
    before_keys = tmp_path / "before.sealed"
    alone = run("backup", str(before_keys), typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert "before.sealed holds backups.key." in alone.output.replace("\n", " "), alone.output
    kept = key_of_backups.rename(tmp_path / "kept")
    asked_for_nothing = run("backup", str(file), typed="")
    assert "`commensal keys init` makes them" in str(asked_for_nothing.exception)
    assert "Put back: backups.key." in run("restore", str(before_keys)).output
    assert key_of_backups.read_text() == kept.read_text()
    assert run("init").exit_code == 0
    before = keys(folder)
    assert {"root.key", "k1.key"} <= set(before)
    backup = run("backup", str(file), typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert backup.exit_code == 0, backup.output
    assert file.stat().st_mode & 0o077 == 0
    assert not any(text.strip() in file.read_text() for text in before.values())

    (folder / "keys" / "k1.key").unlink()
    assert isinstance(run("restore", str(file), typed="another passphrase\n").exception, Conflict)
    assert "k1.key" not in keys(folder)
    assert "Put back: k1.key." in run("restore", str(file)).output
    assert keys(folder) == before
    assert (folder / "keys" / "k1.key").stat().st_mode & 0o077 == 0

    (folder / "keys" / "k1.key").write_text("another")
    (folder / "keys" / "root.key").unlink()
    refused = run("restore", str(file)).exception
    assert "is another key. Nothing was changed" in str(refused)
    assert "root.key" not in keys(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_root_keeps_the_file_where_only_root_may_write(tmp_path: Path) -> None:
    """Commands of root run as the owner of the folder, who may neither read nor write in /root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder, file, passphrase = Path(place, "val"), tmp_path / "keys.sealed", tmp_path / "passphrase"
        tmp_path.chmod(0o700)
        passphrase.write_text(PASSPHRASE)
        begin_instance(folder, name="Val", plugins=("federation",))
        for path in (folder.parent, folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        program = ["cat", os.__file__, commensal.__file__]
        if subprocess.run(program, capture_output=True, user=NOBODY, group=NOBODY, check=False).returncode:
            pytest.skip("here only root can read the program")

        def run(*words: str | Path) -> None:
            """In a process of its own, since root gives its rights up for good."""
            line = [Path(sys.executable).with_name("commensal"), *words, "--instance", folder]
            result = subprocess.run(line, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stdout + result.stderr

        run("federation", "keys", "init")
        run("federation", "keys", "backup", file, "--passphrase-file", passphrase)
        assert file.stat().st_uid == 0
        (folder / "keys" / "k1.key").unlink()
        run("federation", "keys", "restore", file, "--passphrase-file", passphrase)
        assert (folder / "keys" / "k1.key").stat().st_uid == NOBODY


@pytest.mark.parametrize("content", [b"", b"{}", b'{"salt": "zz", "token": ""}', b'{"salt": "00", "token": "x"}'])
def test_what_is_no_file_of_sealed_keys_is_refused(content: bytes) -> None:
    with pytest.raises(Conflict, match="or this is not a file of sealed keys"):
        unseal(content, PASSPHRASE)


def test_a_short_passphrase_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="at least 12 characters"):
        seal(tmp_path, "poires")
