"""What a served program owes to its users: its source, and where to report a weakness."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Unfit
from commensal.instance import Instance
from commensal.instance.settings import SecuritySettings
from commensal.parts.serving.app import make_app

from .shell import Shell

ROOT = Path(__file__).parents[2]


def served(instance: Instance, contact: str = "") -> TestClient:
    settings = replace(instance.settings, base_url="https://val.example", security=SecuritySettings(contact=contact))
    return TestClient(make_app(replace(instance, settings=settings)))


@pytest.mark.long  # seconds
@pytest.mark.bundled
def test_the_source_of_what_runs_can_be_had_and_runs(client: TestClient, tmp_path: Path) -> None:
    answer = client.get("/source.zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "source")
    (project,) = (tmp_path / "source").iterdir()
    assert tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["name"] == "commensal"
    assert "GNU AFFERO" in (project / "LICENSE").read_text("utf-8")
    assert not list(project.rglob("*.pyc"))
    command = "import commensal, commensal_federation, commensal_shop; print(commensal.__file__)"
    paths = [str(project / folder) for folder in ("core", "federation", "plugins")]
    printed = subprocess.run(
        [sys.executable, "-I", "-B", "-c", f"import sys; sys.path[:0] = {paths!r}; {command}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.startswith(str(project))


def test_who_finds_a_weakness_is_told_where_to_report_it(instance: Instance, clock: ManualClock) -> None:
    answer = served(instance, contact="security@val.example").get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields.pop("Expires") > clock.now().isoformat()
    assert fields == {
        "Contact": "mailto:security@val.example",
        "Preferred-Languages": "en",
        "Canonical": "https://val.example/.well-known/security.txt",
    }


def test_a_page_may_be_the_contact_and_without_one_there_is_no_such_file(instance: Instance) -> None:
    text = served(instance, contact="https://val.example/report").get("/.well-known/security.txt").text
    assert text.startswith("Contact: https://val.example/report\n")
    assert served(instance).get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize("contact", ["marie", "http://val.example", "a b@val.example", "x@val.example\nContact: y@z"])
def test_a_contact_that_nobody_could_reach_is_refused(contact: str) -> None:
    with pytest.raises(Unfit, match=r"security\.contact"):
        SecuritySettings(contact=contact)


def test_every_setting_is_printed_without_an_instance(shell: Shell, tmp_path: Path) -> None:
    printed = shell.run("settings", cwd=tmp_path)
    assert (printed.returncode, printed.stdout) == (0, (ROOT / "instance.example.toml").read_text("utf-8"))
