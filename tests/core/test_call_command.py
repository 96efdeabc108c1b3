"""``commensal call``: every endpoint of the API from the shell, with its own checks and in the audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .shell import Shell

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, shell: Shell) -> Run:
    """Runs a command at an instance with a hub, and returns what it prints."""

    def command(*words: str, fails: bool = False) -> str:
        result = shell.run(*words, "--instance", tmp_path / "val")
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result.stderr if fails else result.stdout

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
        "a@example.org",
    )
    command("user", "marie@example.org", "--name", "Marie", "--password", "a long enough password")
    command("enterprise", "add", "Val", "--owner", "marie@example.org", "--hub")
    return command


def test_an_enterprise_is_changed_and_the_audit_trail_says_by_which_command(run: Run) -> None:
    before = json.loads(run("call", "enterprise", "enterprise=val"))
    changed = run("call", "edit_enterprise", "enterprise=val", f"version={before['version']}", "city=Tours")
    assert json.loads(changed)["city"] == "Tours"
    (entry,) = [json.loads(line) for line in run("audit", "--format", "jsonl").splitlines() if "Tours" in line]
    assert "commensal call edit_enterprise" in json.dumps(entry)


def test_a_value_is_read_by_the_type_that_is_declared(run: Run) -> None:
    """A text may look like JSON, and a decimal is typed like any number."""
    version = json.loads(run("call", "enterprise", "enterprise=val"))["version"]
    values = ("name=null", "street=12", "city=true", "description=[1]", "vat_number=1e3", "latitude=47.39")
    run("call", "edit_enterprise", "enterprise=val", f"version={version}", "longitude=0.68", "is_hub=true", *values)
    shown = json.loads(run("call", "enterprise", "enterprise=val"))
    assert [shown[name] for name in ("name", "street", "city", "description")] == ["null", "12", "true", "[1]"]
    assert "is_hub" in run("call", "edit_enterprise", "enterprise=val", "version=2", "is_hub=perhaps", fails=True)


def test_a_member_of_the_body_may_be_called_like_a_value_of_the_address(run: Run) -> None:
    assert "body.order" in run("call")
    merging = ("call", "merge", "enterprise=val", "order=018f", "version=1")
    assert "'order' is a required" in run(*merging, fails=True)
    assert "no such order" in run(*merging, "body.order=018e", fails=True)


def test_what_is_wrong_is_named_and_changes_nothing(run: Run) -> None:
    assert "enterprise" in run("call", "edit_enterprise", "city=Tours", fails=True)
    assert "version=…" in run("call", "edit_enterprise", "enterprise=val", "city=Tours", fails=True)
    assert "town" in run("call", "edit_enterprise", "enterprise=val", "version=1", "town=Tours", fails=True)
    assert "no enterprise nobody" in run("call", "enterprise", "enterprise=nobody", fails=True)
    assert "name=value" in run("call", "enterprise", "val", fails=True)
    assert "no endpoint own_goal" in run("call", "own_goal", fails=True)
    assert json.loads(run("call", "enterprise", "enterprise=val"))["city"] != "Tours"


def test_a_change_of_an_older_version_is_refused(run: Run) -> None:
    version = json.loads(run("call", "enterprise", "enterprise=val"))["version"]
    run("call", "edit_enterprise", "enterprise=val", f"version={version}", "city=Tours")
    assert "changed" in run("call", "edit_enterprise", "enterprise=val", f"version={version}", "city=Blois", fails=True)


def test_what_is_noted_in_a_name_needs_one_and_accounts_of_persons_are_not_the_operators(run: Run) -> None:
    listed = run("call")
    reading = ("call", "read_product_list", "enterprise=val")
    assert "--by ADDRESS" in run(*reading, fails=True)
    assert "edit_enterprise" in listed
    assert "no endpoint my_sessions" in run("call", "my_sessions", fails=True)


def test_a_file_is_read_and_an_answer_is_written_and_never_over_another(run: Run, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("name,unit_type,units,price\nLeek,kg,1,2.40\n", encoding="utf-8")
    read = json.loads(
        run(
            "call",
            "read_product_list",
            "enterprise=val",
            "dry_run=true",
            "--file",
            str(goods),
            "--by",
            "marie@example.org",
        )
    )
    assert read
    target = tmp_path / "list.csv"
    run("call", "write_product_list", "enterprise=val", "--output", str(target))
    assert target.read_text(encoding="utf-8-sig")
    assert str(target) in run("call", "write_product_list", "enterprise=val", "--output", str(target), fails=True)
