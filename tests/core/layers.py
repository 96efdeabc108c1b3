"""Reads which module imports which, and tells the imports that run against the order of wings and rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Import:
    """One module takes names from another; both are dotted paths below the package."""

    importer: str
    imported: str


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted path below it; the package itself is the empty path."""
    return {_dotted(file.relative_to(package)): file for file in package.rglob("*.py")}


def imports_of(package: Path) -> set[Import]:
    """All imports inside the package that run, also those inside functions; imports for type checkers are left out."""
    modules = modules_of(package)
    return {
        Import(name, imported)
        for name, file in modules.items()
        for imported in _imported(name, file, package.name, modules)
    }


def upward(imports: set[Import], order: Sequence[str]) -> set[Import]:
    """The imports of a room that stands before the imported one in `order` (lowest first).

    A room is a dotted path that is a prefix of a module's; of several prefixes the longest counts. Imports from or to
    modules outside all rooms are not judged.
    """
    place = {room: number for number, room in enumerate(order)}

    def floor(module: str) -> int | None:
        parts = module.split(".")
        prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((place[prefix] for prefix in prefixes if prefix in place), None)

    def runs_upward(one: Import) -> bool:
        importer, imported = floor(one.importer), floor(one.imported)
        return importer is not None and imported is not None and importer < imported

    return {one for one in imports if runs_upward(one)}


def knots(imports: set[Import]) -> set[frozenset[str]]:
    """The rooms that import each other in a circle, as sets; a room is the first part of a module's path.

    The package's own module, its empty path, stands above all rooms and is left out.
    """
    graph: dict[str, set[str]] = {}
    for one in imports:
        importer, imported = one.importer.split(".")[0], one.imported.split(".")[0]
        if importer and imported and importer != imported:
            graph.setdefault(importer, set()).add(imported)
    reached = {room: _reached(graph, room) for room in graph}
    circles = (frozenset(other for other in seen if room in reached.get(other, ())) for room, seen in reached.items())
    return {circle for circle in circles if circle}


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """All rooms that imports lead to from this one, itself among them only where they lead back."""
    seen: set[str] = set()
    waiting = [*graph.get(start, ())]
    while waiting:
        room = waiting.pop()
        if room not in seen:
            seen.add(room)
            waiting += graph.get(room, ())
    return seen


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, file: Path, package: str, modules: dict[str, Path]) -> Iterator[str]:
    inside = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _running(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = _absolute(node, inside, package)
        if base is None:
            continue
        for alias in node.names:
            submodule = f"{base}.{alias.name}".lstrip(".")
            yield submodule if submodule in modules else base


def _absolute(node: ast.ImportFrom, inside: str, package: str) -> str | None:
    """The imported module's path below the package, or None for an import from elsewhere."""
    module = node.module or ""
    if node.level == 0:
        return module.removeprefix(package).lstrip(".") if module.split(".")[0] == package else None
    parents = inside.split(".") if inside else []
    return ".".join([*parents[: len(parents) - (node.level - 1)], *([module] if module else [])])


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below this one but what stands under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _running(child)
