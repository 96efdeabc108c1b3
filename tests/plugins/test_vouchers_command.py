"""Codes on the command line, as a hub makes them before its market."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

import commensal_vouchers
from commensal.instance import open_instance
from commensal.instance.begin import begin_instance
from commensal.testing.placed import a_shop


def test_a_hub_makes_codes_on_the_command_line(tmp_path: Path) -> None:
    begin_instance(tmp_path, name="Halle", plugins=("vouchers",))
    with open_instance(tmp_path) as opened, opened.store.write() as tx:
        a_shop(tx)
    own = typer.Typer()
    commensal_vouchers.commands(own)

    def run(*words: str, fails: bool = False) -> str:
        ran = CliRunner().invoke(own, [*words, "--instance", str(tmp_path)])
        assert (ran.exit_code != 0) == fails, ran.output
        return str(ran.exception) if fails else ran.output.replace("\u202f", " ").replace("\xa0", " ")

    assert run("add", "shop", "10%", "--code", "juin", "--once", "--name", "Fête") == "JUIN  10 %  0  Fête\n"
    file = tmp_path / "codes.csv"
    assert "20 codes in" in run("add", "shop", "2,50", "--count", "20", "--uses", "1", "--csv", str(file))
    assert file.read_text(encoding="utf-8-sig").count("2,50") == 20
    assert run("card", "shop", "30").startswith("GC-")
    told = run("list", "shop").splitlines()
    assert len(told) == 22
    assert sum("0/1" in line for line in told) == 20
    assert "is not a number" in run("card", "shop", "much", fails=True)
    assert "at most 100" in run("add", "shop", "200%", fails=True)
