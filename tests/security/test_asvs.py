"""The table of OWASP ASVS 5.0.0: nothing is missing, and what it names exists."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from .named import ROOT, is_a_test

TABLE: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "tests/security/asvs.toml").read_text(encoding="utf-8"))

# Levels 1 and 2 without LDAP, XPath, LaTeX, JNDI, memcache, GraphQL, WebSocket, SMS, SAML, an OAuth server and WebRTC;
# and 1.2.10, 1.3.12 and 1.5.3 of level 3.
APPLIES = """
1.1.1-2 1.2.1-5 1.2.9-10 1.3.1-7 1.3.10-12 1.4.2 1.5.1-3 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6
3.5.1-4 3.7.1-2 4.1.1-3 4.2.1 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.2-3
6.8.1-2 6.8.4 7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 11.1.1-2
11.2.1-3 11.3.1-3
11.4.1-4 11.5.1 11.6.1 12.1.1-2 12.2.1-2 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3
15.1.1-3 15.2.1-3 15.3.1-7 16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3
"""
CHAPTERS = {"10.1", "10.2", "10.5"}  # of clients of OAuth and OpenID Connect, as a whole
KINDS = {"tests", "document", "na", "missing"}


def _items() -> set[str]:
    numbers = set(CHAPTERS)
    for section, first, last in re.findall(r"(\d+\.\d+)\.(\d+)(?:-(\d+))?", APPLIES):
        numbers |= {f"{section}.{number}" for number in range(int(first), int(last or first) + 1)}
    return numbers


def _mistakes(table: dict[str, dict[str, Any]]) -> list[str]:
    messages = [f"{number} is missing" for number in sorted(_items() - set(table))]
    messages += [f"{number} is none of the items" for number in sorted(set(table) - _items())]
    for name, item in table.items():
        kinds = set(item) & KINDS
        if len(kinds) != 1 or set(item) - KINDS != {"asks"} or not item["asks"].strip():
            messages.append(f"{name}: say what it asks, and one of {', '.join(sorted(KINDS))}")
            continue
        (kind,) = kinds
        if not item[kind] or (kind in ("na", "missing") and len(item[kind]) < 12):
            messages.append(f"{name}: say why")
        if kind == "document":
            messages += [f"{name}: there is no {path}" for path in item[kind] if not (ROOT / path).is_file()]
        if kind == "tests":
            messages += [f"{name}: there is no {test}" for test in item[kind] if not is_a_test(test)]
    return messages


def test_every_item_has_its_tests_its_document_or_a_reason() -> None:
    assert _mistakes(TABLE) == []


def test_most_items_are_shown_by_tests() -> None:
    with_tests = [number for number, item in TABLE.items() if "tests" in item]
    without_tests = [number for number, item in TABLE.items() if "missing" in item]
    assert len(with_tests) > 140
    assert len(without_tests) < 15, without_tests


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "say what it asks"),
        ({"asks": "x", "tests": []}, "say why"),
        ({"asks": "x", "tests": ["tests/security/test_asvs.py::test_no_such_thing"]}, "there is no"),
        ({"asks": "x", "tests": ["tests/security/nowhere.py::test_x"]}, "there is no"),
        ({"asks": "x", "document": ["nowhere.md"]}, "there is no"),
        ({"asks": "x", "na": "no"}, "say why"),
        ({"asks": "x", "na": "a good reason", "missing": "a good reason"}, "one of"),
    ],
)
def test_a_table_that_claims_too_much_is_found(item: dict[str, Any], message: str) -> None:
    assert any(message in mistake for mistake in _mistakes({**TABLE, "1.1.1": item}))
    assert "1.1.1 is missing" in _mistakes({name: row for name, row in TABLE.items() if name != "1.1.1"})
