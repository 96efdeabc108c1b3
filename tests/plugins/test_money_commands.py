"""Money from the shell: settings of a plugin, statements of an account, payments of members."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from commensal.enterprises.customers import customer_for
from commensal.enterprises.enterprises import find_enterprise
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import open_instance
from commensal.parts.cli import app

Run = Callable[..., str]
IBAN = "FR7630006000011234567890189"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command at an instance with a hub that uses both plugins. A command that `fails` returns its error."""

    def command(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(app, [*words, "--instance", str(tmp_path / "val")])
        assert (result.exit_code != 0) == fails, result.output
        return str(result.exception) if fails else result.output

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
        "bonjour@example.org",
    )
    command("user", "marie@example.org", "--name", "Marie", "--password", "un mot de passe long")
    command("enterprise", "add", "Val", "--owner", "marie@example.org", "--hub")
    return command


def test_an_enterprise_sets_a_plugin_and_mistakes_are_named(run: Run, tmp_path: Path) -> None:
    assert "bank_transfer" in run("enterprise", "plugin", "val")
    error = run("enterprise", "plugin", "val", "bank_transfer", "--set", "iban=FR76", "--set", "holder=Val", fails=True)
    assert "is not an IBAN" in error
    assert "did you mean 'iban'" in run("enterprise", "plugin", "val", "bank_transfer", "--set", "ibann=1", fails=True)
    run("enterprise", "plugin", "val", "bank_transfer", "--set", f"iban={IBAN}", "--set", "holder=Les Paniers")
    assert '"days": 5' in run("enterprise", "plugin", "val", "bank_transfer", "--set", "days=5")
    with open_instance(tmp_path / "val") as instance, instance.store.read() as tx:
        row = enterprise_plugin.c
        stored = tx.value(select(row.settings).where(row.plugin == "bank_transfer"))
    assert stored == {"iban": IBAN, "holder": "Les Paniers", "days": 5}


def test_a_statement_is_taken_in_and_what_it_leaves_open_is_listed(run: Run, tmp_path: Path) -> None:
    run("enterprise", "plugin", "val", "bank_transfer", "--set", f"iban={IBAN}", "--set", "holder=Val")
    file = tmp_path / "releve.csv"
    file.write_text("date;libellé;montant\n03/06/2026;don d'une voisine;20,00\n", encoding="utf-8")
    command = ("bank_transfer", "import", str(file), "--enterprise", "val")
    assert "recorded 0, waiting for you 1, known before 0" in run(*command)
    assert "known before 1" in run(*command)
    output = run("bank_transfer", "open", "--enterprise", "val")
    assert "20.00 EUR" in output
    assert "There is no such order" in run(
        "bank_transfer", "settle", output.split()[0], "--order", "7", "--enterprise", "val", fails=True
    )


def test_a_member_pays_in(run: Run, tmp_path: Path) -> None:
    """By the endpoints of the plugin, as any other endpoint from the shell."""
    run("enterprise", "plugin", "val", "account")
    with open_instance(tmp_path / "val") as instance, instance.store.write() as tx:
        ada = customer_for(tx, find_enterprise(tx, "val").id, email="ada@example.org", name="Ada").id
    run("call", "open_customer_account", "enterprise=val", f"customer={ada}")
    paying_in = ("call", "write_account_entry", "enterprise=val", f"customer={ada}", "kind=paid in", "amount=2050")
    by = ("--by", "marie@example.org")
    assert json.loads(run(*paying_in, *by))["balance"] == 2050
    assert json.loads(run(*paying_in, *by))["balance"] == 4100
    assert "4100" in run("call", "list_accounts", "enterprise=val")
