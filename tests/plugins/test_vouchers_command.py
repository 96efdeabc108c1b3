"""Codes on the command line, as a hub makes them before its market."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import commensal_vouchers
from commensal.base.errors import CommensalError
from commensal.base.languages.shell import told
from commensal.instance import open_instance
from commensal.instance.begin import begin_instance
from commensal.testing.placed import a_shop

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command of the plugin at an instance with a shop. One that `fails` gives its error."""
    begin_instance(tmp_path, name="Halle", plugins=("vouchers",))
    with open_instance(tmp_path) as opened, opened.store.write() as tx:
        a_shop(tx)
    own = typer.Typer()
    commensal_vouchers.commands(own)

    def command(*words: str, fails: bool = False) -> str:
        ran = CliRunner().invoke(own, [*words, "--instance", str(tmp_path)])
        assert (ran.exit_code != 0) == fails, ran.output
        if isinstance(ran.exception, CommensalError):
            return told(ran.exception)
        return ran.output.replace("\u202f", " ").replace("\xa0", " ")

    return command


def test_a_hub_makes_codes_on_the_command_line(run: Run, tmp_path: Path) -> None:
    assert run("add", "shop", "10%", "--code", "juin", "--once", "--name", "Fête") == "JUIN  10 %  0  Fête\n"
    file = tmp_path / "codes.csv"
    assert "20 codes in" in run("add", "shop", "2,50", "--count", "20", "--uses", "1", "--csv", str(file))
    assert file.read_text(encoding="utf-8-sig").count("2,50") == 20
    assert run("card", "shop", "30").startswith("GC-")
    listed = run("list", "shop").splitlines()
    assert len(listed) == 22
    assert sum("0/1" in line for line in listed) == 20
    assert "is not a number" in run("card", "shop", "much", fails=True)
    assert "at most 100" in run("add", "shop", "200%", fails=True)


def test_in_a_french_shell_a_plugin_answers_in_french(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    file = tmp_path / "codes.csv"
    assert run("add", "shop", "2,50", "--count", "3", "--csv", str(file)) == f"3 codes dans {file}\n"
    assert "au plus de 100" in run("add", "shop", "200%", fails=True)
