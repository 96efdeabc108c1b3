"""A small module that only its neighbour imports is a part of that neighbour, and stands there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from .layers import imports_of, modules_of

ROOT = Path(__file__).parents[2]
PACKAGES = [
    ROOT / "core" / "commensal",
    ROOT / "federation" / "commensal_federation",
    *sorted((ROOT / "plugins").glob("commensal_*")),
]
SMALL = 60  # lines

# Modules that enter in a table what others hold: addresses, jobs, commands, hooks. So does the `__init__` of a package,
# which names what it exports. With everything in it, such a table could not be read any more.
REGISTRIES = {"app", "commands", "handlers", "jobs", "office", "pages", "routes", "server", "warnings", "work"}

# Modules that stay apart, with the reason. This list only gets shorter.
APART = {
    "commensal.api.streaming": "its importer would have 400 lines",
    "commensal.api.tracing": "its importer would have 400 lines",
    "commensal.parts.pages.other_origins": "a standard of its own: CORS",
    "commensal.testing.marked": "imports pytest, which its importer must not do when it is loaded",
    "commensal.people.one_time_codes": "a standard of its own: RFC 6238",
    "commensal_shop.devices": "a table of what browsers call themselves",
    "commensal_vouchers.proportion": "arithmetic, which its tests name",
}


def lonely_modules(package: Path) -> Iterator[str]:
    """Small modules of a package that one module imports, which is in the same folder and registers nothing."""
    modules = modules_of(package)
    importers = defaultdict[str, set[str]](set)
    for edge in imports_of(package):
        importers[edge.imported].add(edge.importer)
    for name, file in modules.items():
        if file.name in ("__init__.py", "tables.py") or {"migrations", "plugin_template", "messages"} & set(file.parts):
            continue
        if len(importers[name]) != 1 or len(file.read_text(encoding="utf-8").splitlines()) >= SMALL:
            continue
        (importer,) = importers[name]
        registers = modules[importer].name == "__init__.py" or modules[importer].stem in REGISTRIES
        if modules[importer].parent == file.parent and not registers:
            yield f"{package.name}.{name}"


def test_a_small_module_that_only_its_neighbour_imports_stands_apart_for_a_reason() -> None:
    assert {name for package in PACKAGES for name in lonely_modules(package)} == set(APART)


def test_a_module_that_only_its_neighbour_imports_is_found(tmp_path: Path) -> None:
    package = tmp_path / "bakery"
    package.mkdir()
    (package / "oven.py").write_text("from .dough import knead\n")
    (package / "dough.py").write_text("def knead(): ...\n")
    assert list(lonely_modules(package)) == ["bakery.dough"]
