"""Reads which module imports which, and finds the imports that run against the order of packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


@dataclass(frozen=True, order=True)
class Import:
    """One module takes names from another; both are dotted paths below the package."""

    importer: str
    imported: str


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted path below it; the package itself is the empty path."""
    return {_dotted(file.relative_to(package)): file for file in package.rglob("*.py")}


def imports_of(package: Path, *, loading: bool = False) -> set[Import]:
    """All imports inside the package that run, also those inside functions; imports for type checkers are left out.
    `loading`: only those that run when a module is loaded."""
    modules = modules_of(package)
    return {
        Import(name, imported)
        for name, file in modules.items()
        for imported in _imported(name, file, package.name, modules, loading)
    }


def circle_of(imports: set[Import]) -> list[str]:
    """Modules that need each other before any of them is loaded; [] if there are none."""
    needs: dict[str, set[str]] = {}
    for edge in imports:
        if edge.importer != edge.imported:
            needs.setdefault(edge.importer, set()).add(edge.imported)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def upward(imports: set[Import], order: Sequence[str]) -> set[Import]:
    """Returns the imports from a package into one that comes later in `order` (lowest first).

    A package is a dotted path that is a prefix of a module's; the longest prefix counts. Imports from or to
    modules outside all packages are ignored.
    """
    place = {room: number for number, room in enumerate(order)}

    def level_of(module: str) -> int | None:
        parts = module.split(".")
        prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((place[prefix] for prefix in prefixes if prefix in place), None)

    def runs_upward(edge: Import) -> bool:
        importer, imported = level_of(edge.importer), level_of(edge.imported)
        return importer is not None and imported is not None and importer < imported

    return {edge for edge in imports if runs_upward(edge)}


def knots(imports: set[Import]) -> set[frozenset[str]]:
    """Returns sets of packages that import each other in a circle; a package is the first part of a module's path.

    The module with the empty path is above all packages and is left out.
    """
    graph: dict[str, set[str]] = {}
    for edge in imports:
        importer, imported = edge.importer.split(".")[0], edge.imported.split(".")[0]
        if importer and imported and importer != imported:
            graph.setdefault(importer, set()).add(imported)
    reachable = {room: _reachable_from(graph, room) for room in graph}
    circles = (
        frozenset(other for other in others if room in reachable.get(other, ())) for room, others in reachable.items()
    )
    return {circle for circle in circles if circle}


def _reachable_from(graph: dict[str, set[str]], start: str) -> set[str]:
    """Returns all packages that imports lead to from this one; itself only if they lead back."""
    visited: set[str] = set()
    queue = [*graph.get(start, ())]
    while queue:
        room = queue.pop()
        if room not in visited:
            visited.add(room)
            queue += graph.get(room, ())
    return visited


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, file: Path, package: str, modules: dict[str, Path], loading: bool) -> Iterator[str]:
    inside = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _nodes_at_run_time(ast.parse(file.read_text(encoding="utf-8")), loading):
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


def _nodes_at_run_time(node: ast.AST, loading: bool) -> Iterator[ast.AST]:
    """Yields all nodes below this one, except those under `if TYPE_CHECKING:`, and in functions where only `loading`
    counts."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if loading and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from _nodes_at_run_time(child, loading)
