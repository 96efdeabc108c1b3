"""Checks the code of a plugin: its imports, the arguments of its hooks, its description, its translations."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from ...base.entry_points import plugin_entry_points
from ...hooks.loading import all_hooks
from ...hooks.running import INSTANCE_SETTINGS, SETTINGS
from ..texts import Text, texts_in, translations_in
from .check import Subject, check, demand

_ANYTHING = ("", "Any", "object")
_PUBLIC = ("commensal", "commensal.pages")
_FEDERATED = ("commensal_federation.messaging", "commensal_federation.documents")


@check()
def it_loads(subject: Subject) -> None:
    """It is registered under its id, and implements existing hooks only, none of them async where that is forbidden."""
    with subject.instance() as opened:
        demand(subject.plugin in opened.hooks.plugins(), "it is not among the plugins of its instance")


@check()
def it_says_what_it_does(subject: Subject) -> None:
    """``commensal plugins`` shows the first line of the package's docstring."""
    summary = (inspect.getdoc(subject.module) or "").partition("\n")[0]
    demand(summary, "its module has no docstring; say in the first line what it does")
    if subject.plugin in plugin_entry_points():
        point = plugin_entry_points()[subject.plugin]
        demand(point.dist is not None and point.dist.version, "its distribution has no version")


@check()
def it_imports_public_names_only(subject: Subject) -> None:
    """Names of the public modules, and nothing of other plugins: everything else may change with any version."""
    own = subject.module.__name__.partition(".")[0]
    for file, module, names in _imports(subject.source):
        root = module.partition(".")[0]
        if root == "commensal" or module in _FEDERATED:
            is_public = module in (*_PUBLIC, *_FEDERATED, "commensal.trade") or _is_face(module)
            demand(is_public, f"{file.name} imports {module}; import from {', '.join(_PUBLIC)} or the face of a room")
            private = sorted(set(names) - _public_names(module))
            demand(not private, f"{file.name} imports {', '.join(private)}, which {module}.__all__ does not name")
        elif root.startswith("commensal_"):
            demand(root == own, f"{file.name} imports {module}, which is another plugin")


def _is_face(module: str) -> bool:
    """Rooms with a stub of their names, such as `commensal.orders`."""
    spec = find_spec(module)
    return bool(spec and spec.origin and Path(spec.origin).with_suffix(".pyi").exists())


def _public_names(module: str) -> set[str]:
    """Names of all tiers could be imported from `commensal` in release 0.1.0, and still can."""
    modules = (*_PUBLIC, "commensal.trade") if module == "commensal" else (module,)
    return {name for each in modules for name in import_module(each).__all__}


@check()
def its_arguments_are_those_of_the_hooks(subject: Subject) -> None:
    """By name, which loading checks, and by annotation, so that type checkers find mistakes."""
    hooks = all_hooks()
    for name in sorted(subject.hooks):
        specified = hooks[name].specification.__annotations__
        function: Callable[..., object] = getattr(subject.module, name)
        for argument, annotation in inspect.get_annotations(function).items():
            if argument in ("return", SETTINGS, INSTANCE_SETTINGS):
                continue
            expected, actual = _plain(specified[argument]), _plain(annotation)
            demand(actual in (expected, *_ANYTHING), f"{name}: {argument} is a {expected}, not a {actual}")


@check()
def it_speaks_french(subject: Subject) -> None:
    """Every text that people read is translated in ``locale/fr/LC_MESSAGES/<id>.po``, or where the core's are."""
    if not subject.source.is_dir():
        return
    translated = {text for file in _french(subject) for text in _texts_in(file, file.stat().st_mtime_ns)}
    missing = [f"{text[0]!r} ({where})" for text, where in texts_in(subject.source).items() if text not in translated]
    demand(not missing, f"these texts have no French: {'; '.join(missing)}")


@cache
def _texts_in(file: Path, changed_at: int) -> frozenset[Text]:
    """The texts that a `.po` file translates. The core's is read for each plugin, and has thousands."""
    return frozenset(translations_in(file))


def _french(subject: Subject) -> Iterator[Path]:
    """Translation files that are installed with the plugin: its own, the core's, and those of its distribution."""
    folders = [Path(import_module("commensal").__file__ or "").parent, subject.source]
    points = plugin_entry_points()
    own_distribution = points[subject.plugin].dist if subject.plugin in points else None
    for point in points.values():
        specification = find_spec(point.module)
        if (
            own_distribution is not None
            and point.dist is not None
            and point.dist.name == own_distribution.name
            and specification is not None
        ):
            folders += map(Path, specification.submodule_search_locations or ())
    for folder in folders:
        yield from folder.glob("locale/fr/LC_MESSAGES/*.po")


def _plain(annotation: object) -> str:
    """An annotation as text, without the modules of its names: ``commensal.Transaction`` is ``Transaction``."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    names = (part.strip() for part in text.replace("Optional[", "None | ").split("|"))
    return " | ".join(sorted(name.rpartition(".")[2] if "[" not in name else name for name in names))


def _imports(source: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """All absolute imports, also within functions: file, module and names."""
    for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name, []) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield file, node.module or "", [alias.name for alias in node.names]
