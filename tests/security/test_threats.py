"""The table of threats: each has its tests, and a canary that fails without the defence."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from .named import ROOT, is_a_test

TABLE: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "tests/security/threats.toml").read_text(encoding="utf-8"))


def _mistakes(table: dict[str, dict[str, Any]]) -> list[str]:
    messages = [
        f"{threat}: say which tests and which canaries" for threat, row in table.items() if not _is_complete(row)
    ]
    tests_named = [(threat, test) for threat, row in table.items() for tests in row.values() for test in tests]
    return messages + [f"{threat}: there is no {test}" for threat, test in tests_named if not is_a_test(test)]


def _is_complete(row: dict[str, Any]) -> bool:
    return set(row) == {"tests", "canaries"} and all(row.values())


def test_every_threat_has_its_tests_and_its_canary() -> None:
    assert _mistakes(TABLE) == []
    assert len(TABLE) >= 20


@pytest.mark.parametrize(
    "row",
    [
        {"tests": ["tests/security/test_threats.py::test_every_threat_has_its_tests_and_its_canary"]},
        {"tests": ["tests/security/test_threats.py::test_no_such_test"], "canaries": ["x"]},
        {"tests": ["tests/security/test_threats.py::test_every_threat_has_its_tests_and_its_canary"], "canaries": []},
    ],
)
def test_a_threat_without_them_is_found(row: dict[str, Any]) -> None:
    assert _mistakes({"something new": row})
