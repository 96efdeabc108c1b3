"""``commensal person`` and ``commensal audit``, used from the operator's shell."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .shell import Shell

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, shell: Shell) -> Run:
    """Runs a command at an instance with a hub that Marie owns; Zoé has an account."""

    def command(*words: str, fails: bool = False) -> str:
        result = shell.run(*words, "--instance", tmp_path / "val")
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result.stdout + result.stderr

    command(
        "init",
        "--name",
        "Val",
        "--base-url",
        "http://127.0.0.1:8000",
        "--language",
        "en",
        "--timezone",
        "Europe/Paris",
        "--sender",
        "hello@example.org",
    )
    for name in ("marie", "zoe"):
        command("user", f"{name}@example.org", "--name", name.title(), "--password", "a long enough password")
    command("enterprise", "add", "Val", "--owner", "marie@example.org", "--hub")
    return command


def test_somebody_is_handed_their_data_and_forgotten_from_the_shell(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "zoe.zip"
    run("person", "export", "zoe@example.org", str(file))
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("person.json"))[0]["email"] == "zoe@example.org"
    assert file.stat().st_mode & 0o077 == 0
    assert "person: 1 rows would be blanked" in run("person", "erase", "zoe@example.org", "--dry-run")
    result = run("person", "erase", "zoe@example.org", fails=True)
    assert "Forget zoe@example.org? This cannot be taken back." in result
    assert "person: 1 rows would be blanked" in result, "nobody confirms at the shell, so nothing has happened"
    assert "person: 1 rows blanked" in run("person", "erase", "zoe@example.org", "--yes")
    assert "Nothing is known here" in run("person", "erase", "zoe@example.org", fails=True)
    assert "no other owner" in run("person", "erase", "marie@example.org", fails=True)
    assert "people would be forgotten: 0" in run("person", "retention", "--dry-run")

    entries = [json.loads(line) for line in run("audit", "--format", "jsonl").splitlines()]
    actions = {(entry["actor"], entry["command"], entry["action"], entry["object_kind"]) for entry in entries}
    assert ("shell", "commensal person erase", "forgot", "person") in actions
    assert ("shell", "commensal enterprise add", "made", "enterprise") in actions
    assert "zoe@" not in json.dumps(entries)
    assert "made enterprise" in run("audit", "--enterprise", "val", "--object", "enterprise")
    for text in ("soon", "0001-01-01T00:00+14:00"):
        assert "is not a moment" in run("audit", "--since", text, fails=True)
