"""Checks for every plugin that it keeps the contracts of its hooks, on a real shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ...base.entry_points import plugin_entry_points
from ...base.errors import PluginError
from ...hooks.loading import load_module
from ..instances import Instances, Plan
from .check import Check, Nonconforming, Prepare, Subject, implemented_by

_ROOMS = ("code", "settings", "tables", "payments", "shipping", "prices", "reports", "pages", "switching", "changes")


def conforms(
    plugin: str,
    *,
    settings: Mapping[str, object] | None = None,
    instance_settings: Mapping[str, object] | None = None,
    prepare: Prepare | None = None,
    without: Mapping[str, str] | None = None,
    together_with: Sequence[str] = (),
    module: ModuleType | None = None,
) -> Callable[..., None]:
    """A test, parametrised by the checks that apply to the plugin: ``test_conforms = conforms("invoice")``.

    settings:          of the enterprise
    instance_settings: of the operator
    prepare:           called with the `Shop` before each check; by default, the plugin's own hook `demo_data`
    without:           checks to leave out, each with the reason
    together_with:     plugins beside it, such as "shop" and "office", on whose pages it must stand
    module:            replaces an installed plugin
    """
    unknown = sorted(set(without or ()) - {known_check.name for known_check in checks()})
    if unknown:
        raise ValueError(f"there are no checks {', '.join(unknown)}")
    loaded = module or _loaded(plugin)
    hooks = frozenset[str]() if isinstance(loaded, Exception) else implemented_by(loaded)
    chosen = [
        known_check for known_check in checks() if known_check.is_for(hooks) and known_check.name not in (without or ())
    ]
    if isinstance(loaded, Exception):
        chosen = chosen[:1]

    @pytest.mark.parametrize("check", chosen, ids=lambda parametrised: parametrised.name)
    def test_conforms(check: Check, commensal_instances: Instances, tmp_path: Path) -> None:
        plan = Plan(
            plugins=(*together_with, plugin),
            settings={plugin: settings or {}},
            instance_settings={plugin: instance_settings} if instance_settings else {},
            modules={plugin: module} if module else {},
        )
        if isinstance(loaded, Exception):
            raise Nonconforming(str(loaded)) from loaded
        check.run(
            Subject(
                plugin=plugin, module=loaded, plan=plan, prepare=prepare, instances=commensal_instances, folder=tmp_path
            )
        )

    return test_conforms


def checks() -> list[Check]:
    """All checks, the basic ones first, so that the first failure is the most helpful."""
    modules = [import_module(f".{name}", __name__) for name in _ROOMS]
    return [value for module_ in modules for value in vars(module_).values() if isinstance(value, Check)]


def _loaded(plugin: str) -> ModuleType | Nonconforming | PluginError:
    """The installed plugin, or why there is none: the collection of tests goes on, and the first check reports it."""
    point = plugin_entry_points().get(plugin)
    if point is None:
        return Nonconforming(f"{plugin!r} is not installed: pip install -e .")
    try:
        return load_module(plugin, point)
    except PluginError as error:
        return error


__all__ = ["Check", "Nonconforming", "Subject", "checks", "conforms"]
