"""Plugins use only the public names, and the core imports no plugin."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pytest

import commensal
import commensal.pages
import commensal.testing
from commensal import trade
from commensal.base.deprecated import RemovedIn1Warning

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "commensal"
# The faces of rooms: those with a stub of their names.
FACES = {
    ".".join(("commensal", *stub.parent.relative_to(CORE).parts)): importlib.import_module(
        ".".join(("commensal", *stub.parent.relative_to(CORE).parts))
    )
    for stub in sorted(CORE.glob("**/__init__.pyi"))
    if stub.parent.name not in ("commensal", "testing")
}
TIERS: dict[str, ModuleType] = {"commensal": commensal, "commensal.pages": commensal.pages, **FACES}
OLD_NAMES = {"promise", "customer_by_email"}  # only plugins of earlier releases use them
COOKBOOK = ROOT / "plugins" / "COOKBOOK.md"
FEDERATED = ("commensal_federation.messaging", "commensal_federation.documents")
GUESTS = [*sorted(ROOT.glob("plugins/commensal_*")), *sorted(ROOT.glob("federation/commensal_*"))]


@pytest.mark.parametrize(
    "package", [commensal, commensal.testing, *FACES.values()], ids=lambda package: package.__name__
)
def test_each_public_name_is_what_type_checkers_are_told(package: ModuleType) -> None:
    stub = ast.parse(Path(package.__file__ or "").with_suffix(".pyi").read_text(encoding="utf-8"))
    modules_by_name = {
        alias.asname: f"{package.__name__}.{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(name for name in modules_by_name if name) == package.__all__
    for name, module in modules_by_name.items():
        assert getattr(importlib.import_module(module), name or "") is getattr(package, name or "")


@pytest.mark.parametrize("package", TIERS.values(), ids=TIERS)
def test_what_a_field_holds_stands_where_pydoc_shows_it(package: ModuleType) -> None:
    """In the docstring of its class: comments beside fields are seen by nobody who has the package installed."""
    declared = re.compile(r"^    (\w+): [^\n]*  # (?!noqa|type:)", re.MULTILINE)
    types = [
        value for name in package.__all__ if is_dataclass(value := getattr(package, name)) and isinstance(value, type)
    ]
    commented = {
        f"{shape.__name__}.{field}"
        for shape in types
        if shape.__module__.startswith("commensal.")
        for field in declared.findall(inspect.getsource(shape))
    }
    assert len(types) > 2 or package.__name__ in FACES, "a face may have functions alone"
    assert commented == set()


def test_the_words_that_a_field_may_hold_stand_where_pydoc_shows_it() -> None:
    """A signature names only the alias of the type: `kind: 'Kind'` tells nobody that there is a kind "flag"."""
    unexplained = {
        f"{shape.__name__}.{field.name}: {word}"
        for shape in (getattr(commensal, name) for name in dir(commensal))
        if is_dataclass(shape) and isinstance(shape, type)
        if shape not in (commensal.NamesSale, commensal.NamesShipping)  # they set their kind themselves
        for field in fields(shape)
        for word in _words(shape, field)
        if not re.search(rf"\b{word}\b", f"{shape.__doc__} {inspect.signature(shape)}")
    }
    assert unexplained == set()


def _words(shape: type, field: Field[Any]) -> list[str]:
    """The words that the type of a field names, if it is a Literal, also by an alias of its module."""
    annotation: object = field.type
    for base in shape.__mro__:
        if isinstance(annotation, str) and annotation in (names := vars(sys.modules[base.__module__])):
            annotation = names[annotation]
    return [word for word in get_args(annotation) if word] if get_origin(annotation) is Literal else []


def test_what_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="frobnicate"):
        commensal.frobnicate  # type: ignore[attr-defined]  # noqa: B018
    assert set(commensal.__all__) <= set(dir(commensal))


def test_no_public_name_hides_a_room() -> None:
    rooms = {module.name for module in pkgutil.iter_modules([str(CORE)])}
    assert not rooms & set(commensal.__all__)


@pytest.mark.parametrize("package", [CORE, *GUESTS], ids=lambda package: package.name)
def test_libraries_are_used_by_their_public_modules_only(package: Path) -> None:
    """A private module of a library may be missing in its next version, or in an older allowed one."""
    private = [
        f"{file.relative_to(package)}: {module}"
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
        for module in ([node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names])
        if module and module.partition(".")[0] not in sys.stdlib_module_names
        if any(part.startswith("_") for part in module.split("."))
    ]
    assert private == []


@pytest.mark.parametrize("package", GUESTS, ids=lambda package: package.name)
def test_plugins_use_public_names_only(package: Path) -> None:
    for file, module, names in _imports(package):
        if module.split(".")[0] == "commensal":
            assert module in TIERS, f"{file.relative_to(ROOT)} imports {module}"
            assert set(names) <= set(TIERS[module].__all__), f"{file.relative_to(ROOT)} imports {names}"
        elif module.startswith("commensal_") and module not in FEDERATED:
            assert module.split(".")[0] == package.name, f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("tier", TIERS)
def test_every_public_name_is_used_by_a_plugin(tier: str, tmp_path: Path) -> None:
    """By a bundled one, or by a recipe of the cookbook."""
    recipes = re.findall(
        r"^```python file=commensal_.*?\n(.*?)^```$", COOKBOOK.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for number, code in enumerate(recipes):
        (tmp_path / f"recipe_{number}.py").write_text(code, encoding="utf-8")
    packages = [*GUESTS, tmp_path]
    used = {name for package in packages for _, module, names in _imports(package) if module == tier for name in names}
    assert set(TIERS[tier].__all__) - OLD_NAMES == used


def test_what_only_plugins_that_sell_use_stands_in_the_faces_of_rooms() -> None:
    """The first tier is what pretix would call stable: names of rooms that a small plugin uses, too."""
    small = {
        name
        for package in GUESTS
        if package.name not in ("commensal_shop", "commensal_office", "commensal_federation", "commensal_transport")
        for _, module, names in _imports(package)
        if module in FACES
        for name in names
    }
    assert small == set()


def test_what_every_plugin_may_use_stays_small() -> None:
    assert len({*commensal.__all__, *commensal.pages.__all__}) <= 350


def test_names_are_still_found_where_earlier_releases_had_them() -> None:
    """0.1.0 had all in `commensal`, 0.2.0 what sells in `commensal.trade`."""
    for name in commensal.pages.__all__:
        assert getattr(commensal, name) is getattr(commensal.pages, name)
    moved = {name: face for face in FACES.values() for name in face.__all__}
    for place in (commensal, trade):
        for name, face in moved.items():
            with pytest.warns(RemovedIn1Warning, match=f"commensal.trade.{name} is {face.__name__}.{name} now"):
                assert getattr(place, name) is getattr(face, name)


def test_the_core_imports_no_plugin() -> None:
    for file, module, _ in _imports(CORE):
        assert not module.startswith("commensal_"), f"{file.relative_to(ROOT)} imports {module}"


@cache
def _imports(package: Path) -> list[tuple[Path, str, list[str]]]:
    """The absolute imports anywhere in a file: the file, the module, the names."""
    return [imported for file in sorted(package.rglob("*.py")) for imported in _imports_of(file)]


def _imports_of(file: Path) -> Iterator[tuple[Path, str, list[str]]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((file, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield file, node.module or "", [alias.name for alias in node.names]
