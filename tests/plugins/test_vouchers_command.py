"""Codes on the command line, as a hub makes them before its market."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import commensal_vouchers
from commensal.base.errors import CommensalError
from commensal.instance import open_instance
from commensal.parts.setup.begin import begin_instance
from commensal.parts.terminal.shell import told
from commensal.testing.placed import a_shop

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command of the plugin at an instance with a shop. A command that `fails` returns its error."""
    begin_instance(tmp_path, name="Halle", plugins=("vouchers",))
    with open_instance(tmp_path) as instance, instance.store.write() as tx:
        a_shop(tx)
    plugin_app = typer.Typer()
    commensal_vouchers.commands(plugin_app)

    def command(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(plugin_app, [*words, "--instance", str(tmp_path)])
        assert (result.exit_code != 0) == fails, result.output
        if isinstance(result.exception, CommensalError):
            return told(result.exception)
        return result.output.replace("\u202f", " ").replace("\xa0", " ")

    return command


def test_a_hub_makes_codes_on_the_command_line(run: Run, tmp_path: Path) -> None:
    assert run("add", "shop", "10%", "--code", "juin", "--once", "--name", "Fête") == "JUIN  10 %  0  Fête\n"
    file = tmp_path / "codes.csv"
    assert "20 codes in" in run("add", "shop", "2,50", "--count", "20", "--uses", "1", "--csv", str(file))
    assert file.read_text(encoding="utf-8-sig").count("2,50") == 20
    assert run("card", "shop", "30").startswith("GC-")
    lines = run("list", "shop").splitlines()
    assert len(lines) == 22
    assert sum("0/1" in line for line in lines) == 20
    assert "is not a number" in run("card", "shop", "much", fails=True)
    assert "at most 100" in run("add", "shop", "200%", fails=True)


def test_in_a_french_shell_a_plugin_answers_in_french(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    file = tmp_path / "codes.csv"
    assert run("add", "shop", "2,50", "--count", "3", "--csv", str(file)) == f"3 codes dans {file}\n"
    assert "au plus de 100" in run("add", "shop", "200%", fails=True)
