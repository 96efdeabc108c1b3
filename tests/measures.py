"""Counts the house: files, lines and imports of its three rings (kernel, parts, plugins).

``make measures`` prints the table, and CI does. `core/ARCHITECTURE.md` says what it should become.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "commensal"
# What puts the rooms together: public names, all tables, names of release 0.2.0.
ASSEMBLY = ("__main__", "pages", "schema", "trade")
WINGS = {"federation": [ROOT / "federation"], "plugins": [ROOT / "plugins"], "tests": [ROOT / "tests"]}
CRUMB = 40  # lines


@dataclass(frozen=True)
class Count:
    """`crumbs`: files of at most `CRUMB` lines; `imports`: lines of imports; `single`: functions that only one place
    names, besides the one that defines them."""

    files: int
    lines: int
    crumbs: int
    imports: int
    functions: int
    single: int


def count(files: Sequence[Path]) -> Count:
    texts = [file.read_text("utf-8") for file in files]
    trees = [ast.parse(text) for text in texts]
    names = Counter(name for tree in trees for name in _named(tree))
    functions = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    lengths = [text.count("\n") for text in texts]
    return Count(
        files=len(files),
        lines=sum(lengths),
        crumbs=sum(length <= CRUMB for length in lengths),
        imports=sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in imports),
        functions=len(functions),
        single=sum(names[name] == 1 for name in functions),
    )


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def files_of(folders: Collection[Path]) -> list[Path]:
    """All modules in these folders, also of plugins that tests bring, but not what was installed there."""
    files = (file for folder in folders for file in folder.rglob("*.py"))
    return sorted(file for file in files if "node_modules" not in file.parts)


def _rings() -> Iterator[tuple[str, list[Path]]]:
    """The kernel, and the parts around it, which may use the kernel's faces and never the other way."""
    parts = files_of([CORE / "parts", CORE / "testing"])
    assembly = {CORE / f"{name}.py" for name in ASSEMBLY}
    yield "kernel", [file for file in files_of([CORE]) if file not in parts and file not in assembly]
    yield "parts", [*parts, *sorted(assembly)]


def rows() -> Iterator[tuple[str, Count]]:
    for ring, files in _rings():
        yield ring, count(files)
    for wing, folders in WINGS.items():
        yield wing, count(files_of(folders))
    production = [CORE, *(folder for wing, folders in WINGS.items() if wing != "tests" for folder in folders)]
    yield "production", count(files_of(production))


def table() -> str:
    head = f"{'':<16}{'files':>7}{'lines':>9}{f'≤ {CRUMB}':>7}{'imports':>9}{'functions':>11}{'named once':>12}"
    lines = [
        f"{name:<16}{it.files:>7,}{it.lines:>9,}{it.crumbs / it.files:>7.0%}{it.imports / it.lines:>9.1%}"
        f"{it.functions:>11,}{it.single:>12,}"
        for name, it in rows()
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    print(table())
