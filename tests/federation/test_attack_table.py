"""The tables of attacks and bounds in federation/ATTACKS.md: nothing is missing, and what they name exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "federation" / "ATTACKS.md").read_text(encoding="utf-8")
PAGES = {"code": ROOT / "federation" / "commensal_federation", "tests": ROOT / "tests" / "federation"}
ATTACKS = 49


@cache
def names_in(file: Path) -> frozenset[str]:
    """The names of functions and methods in a file."""
    if not file.is_file():
        return frozenset()
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return frozenset(node.name for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def functions_named(cell: str, kind: str) -> list[tuple[Path, str]]:
    """Returns the functions that a cell names: `file::one`, and others of the same file after it."""
    functions, file = [], Path()
    for quoted in re.findall(r"`([^`]+)`", cell):
        path, _, name = quoted.rpartition("::")
        if path:
            file = ROOT / path if "/" in path and (ROOT / path).exists() else PAGES[kind] / path
        functions.append((file, name))
    return functions


def rows(text: str, title: str) -> list[list[str]]:
    _, _, rest = text.partition(f"## {title}")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def mistakes(text: str) -> list[str]:
    messages = []
    attacks = {row[0]: row for row in rows(text, "Attacks")}
    messages += [f"{number} is missing" for number in range(1, ATTACKS + 1) if str(number) not in attacks]
    for number, row in attacks.items():
        if len(row) != 6:
            messages.append(f"{number}: {len(row)} cells")
            continue
        defence, refused, canary = row[3:]
        messages += [f"{number}: there is no {name} in {file.name}" for file, name in _absent(defence, "code")]
        for cell in (refused, canary):
            messages += [f"{number}: there is no {name} in {file.name}" for file, name in _absent(cell, "tests")]
            if not functions_named(cell, "tests"):
                messages.append(f"{number}: no test is named")
        if not functions_named(defence, "code") and len(defence) < 20:
            messages.append(f"{number}: say what stands against it, or why it cannot apply")
    for row in rows(text, "What a peer may cost"):
        messages += [f"{row[0]}: there is no {name} in {file.name}" for file, name in _absent(row[-1], "code")]
    return messages


def _absent(cell: str, kind: str) -> list[tuple[Path, str]]:
    return [(file, name) for file, name in functions_named(cell, kind) if name not in names_in(file)]


def test_every_attack_has_its_defence_its_test_and_its_canary() -> None:
    assert mistakes(PAGE) == []


@pytest.mark.parametrize(
    ("claim", "replacement", "expected"),
    [
        ("| 13 |", "| 130 |", "13 is missing"),
        ("::_refuse_turning_back`", "::_welcome`", "33: there is no _welcome in supplier.py"),
        ("::test_30_a_script", "::test_30_no_script", "30: there is no test_30_no_script"),
        ("::refuse_over_quota`", "::over_quota`", "there is no over_quota in limits.py"),
    ],
)
def test_a_table_that_claims_too_much_is_found(claim: str, replacement: str, expected: str) -> None:
    assert claim in PAGE
    assert any(expected in mistake for mistake in mistakes(PAGE.replace(claim, replacement)))
