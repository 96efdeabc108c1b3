"""`make quick` starts with the tests of changed files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from ..quick import ROOT, Quick, in_order, left_out, module_of


@dataclass(frozen=True)
class Case:
    nodeid: str
    path: Path


def test_a_changed_file_of_tests_comes_first_then_those_of_changed_modules_then_one_of_each_file() -> None:
    events, lots, quick = (ROOT / "tests" / "core" / f"test_{name}.py" for name in ("events", "lots", "quick"))
    tests = [Case(f"{file.name}:{number}", file) for file in (lots, quick, events) for number in (1, 2)]
    in_order(cast(list[Any], tests), ["tests/core/test_quick.py", "core/commensal/parts/event_delivery/tell.py"])
    expected = ["quick.py:1", "quick.py:2", "events.py:1", "events.py:2", "lots.py:1", "lots.py:2"]
    assert [test.nodeid for test in tests] == [f"test_{name}" for name in expected]


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("core/commensal/parts/event_delivery/tell.py", "commensal.parts.event_delivery.tell"),
        ("plugins/commensal_cash/__init__.py", "commensal_cash"),
        ("core/commensal/locale/fr.po", ""),
        ("tests/core/test_quick.py", ""),
    ],
)
def test_a_module_is_known_by_its_file(file: str, module: str) -> None:
    assert module_of(file) == module


def test_tests_are_skipped_when_the_time_is_over() -> None:
    over_time, in_time = Quick(-1), Quick(60)
    for quick in (over_time, in_time):
        quick.pytest_collection_finish()
    in_time.pytest_runtest_setup(cast(Any, None))
    with pytest.raises(pytest.skip.Exception, match="make test runs it"):
        over_time.pytest_runtest_setup(cast(Any, None))


def test_it_says_what_it_has_left_out() -> None:
    always = "type checks, long tests, and PostgreSQL. make test and make test-rest run them."
    assert left_out(0) == f"Left out: {always}"
    assert left_out(12) == f"Left out: 12 tests for which no time was left, {always}"
