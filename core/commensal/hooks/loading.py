"""Finds the plugins that `instance.toml` enables, checks them, and registers them in the operator's order."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy

from ..clock import Clock
from ..errors import PluginError, SettingsError
from . import specifications
from .contract import PROJECT, Hook
from .dispatcher import Hooks

if TYPE_CHECKING:
    from ..instance.settings import Settings

GROUP = "commensal"  # of entry points


def all_hooks() -> dict[str, Hook[..., object]]:
    """Every hook by its name, in the order of the page that documents them."""
    return {name: one for name, one in vars(specifications).items() if isinstance(one, Hook)}


def found_plugins() -> dict[str, EntryPoint]:
    """What is installed, enabled or not. Two distributions that claim one id are an error."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in found and found[point.name].value != point.value:
            raise PluginError(point.name, "loading", f"claimed by {found[point.name].value} and by {point.value}")
        found[point.name] = point
    return found


def load_plugins(settings: Settings, *, clock: Clock, modules: Mapping[str, ModuleType] | None = None) -> Hooks:
    """The enabled plugins, ready to be asked. `modules` stands in for installed ones (tests, single files).

    Raises `SettingsError` for an id that is not installed ("did you mean"), `PluginError` for a plugin that cannot be
    imported, implements a hook that does not exist, or is async where that cannot be.
    """
    manager = pluggy.PluginManager(PROJECT)
    hooks = all_hooks()
    manager.add_hookspecs(
        type("Specifications", (), {name: staticmethod(one.specification) for name, one in hooks.items()})
    )
    found = found_plugins()
    given = modules or {}
    for plugin in settings.enabled_plugins:
        module = given[plugin] if plugin in given else _import(plugin, found)
        _register(manager, plugin, module, hooks)
    if set(settings.plugins) - {"enabled"}:
        named = min(set(settings.plugins) - {"enabled"})
        raise SettingsError(f"plugins.{named}: no plugin has settings of the instance; known is only plugins.enabled.")
    return Hooks(manager, clock=clock)


def migration_folders(hooks: Hooks) -> dict[str, Path]:
    """Each plugin's folder of database revisions."""
    return {one.plugin: one.value for one in hooks.each(specifications.migrations) if one.value is not None}


def _import(plugin: str, found: Mapping[str, EntryPoint]) -> ModuleType:
    if plugin not in found:
        close = get_close_matches(plugin, found, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"installed are {', '.join(sorted(found)) or 'none'}."
        raise SettingsError(f"plugins.enabled: {plugin!r} is not installed; {meant}")
    try:
        module = found[plugin].load()
    except Exception as error:  # whatever its import raises, the operator must read whose fault it is
        raise PluginError(plugin, "loading", f"{type(error).__name__}: {error}") from error
    return module  # type: ignore[no-any-return]


def _register(
    manager: pluggy.PluginManager, plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]
) -> None:
    try:
        manager.register(module, name=plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(plugin, "loading", str(error)) from error
    for name, one in hooks.items():
        function = getattr(module, name, None)
        options = getattr(function, f"{PROJECT}_impl", None)
        if options is None:
            continue
        if options["wrapper"] or options["hookwrapper"]:
            raise PluginError(plugin, name, "a hook cannot be wrapped")
        if one.contract.where != "outside" and inspect.iscoroutinefunction(function):
            raise PluginError(plugin, name, f"a hook of {one.contract.where} cannot be async")
