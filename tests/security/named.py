"""Checks whether the tests named in tables exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def _tests_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def is_a_test(test: str) -> bool:
    """Returns whether ``tests/…/test_x.py::test_y`` is a test."""
    path, _, name = test.partition("::")
    file = ROOT / path
    is_test_name = file.name.startswith("test_") and name.startswith("test_")
    return is_test_name and file.is_file() and name in _tests_in(file)
