"""Names say what a value is. These words name anything, and so nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMPTY = {"one", "said", "found", "kept", "asked", "wanted", "told", "given", "heap", "heaps"}


def empty_names(file: Path) -> Iterator[str]:
    """Variables and parameters of a file that are named by an empty word, with their lines.

    Fields of classes are left out: some bear the names of columns, which a release has.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    fields = {id(node.target) for each in classes for node in each.body if isinstance(node, ast.AnnAssign)}
    for node in (node for node in ast.walk(tree) if id(node) not in fields):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) if name in EMPTY:
                yield f"{node.lineno}: {name}"


@pytest.mark.parametrize("folder", ["core", "federation", "plugins", "tests/core"])
def test_no_variable_is_named_by_a_word_that_says_nothing(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*.py") if "migrations" not in file.parts]
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in empty_names(file)] == []


def test_such_a_name_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def f(said):\n    return [one for one in said if (row := one)]\n", encoding="utf-8")
    assert list(empty_names(file)) == ["1: said", "2: one"]
