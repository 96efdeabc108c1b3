"""Finds the plugins that `instance.toml` enables, checks them, and registers them in the operator's order."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy
import structlog

from ..base.clock import Clock
from ..base.credentials import with_secrets
from ..base.deprecated import RemovedIn1Warning
from ..base.errors import PluginError, Problem, SettingsError
from ..base.reading import read_settings
from ..storage.database.core_tables import core_tables
from . import specifications
from .contract import PROJECT, Hook
from .dispatcher import INSTANCE_SETTINGS, SETTINGS, Hooks
from .watch import TookTooLong, watchdog

if TYPE_CHECKING:
    from ..instance.settings import Settings

GROUP = "commensal"  # of entry points
ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_IMPORT = 10.0  # seconds; a start waits for longer, but says for whom
_log = structlog.get_logger("commensal.hooks")
_NOT_INSTALLED = Problem("not_installed", "it is not installed")
_hookspec = pluggy.HookspecMarker(PROJECT)


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


def load_plugins(
    settings: Settings, *, clock: Clock, modules: Mapping[str, ModuleType] | None = None, forgiving: bool = False
) -> Hooks:
    """The enabled plugins, ready to be asked. `modules` stands in for installed ones (tests, single files).

    Raises `SettingsError` for an id that is not installed ("did you mean"), `PluginError` for a plugin that cannot be
    imported, implements a hook that does not exist, or is async where that cannot be. `forgiving` goes on without
    what is not installed or cannot be loaded, and `Hooks.absent` says why: for commands that tell what is wrong.
    """
    manager = pluggy.PluginManager(PROJECT)
    hooks = all_hooks()
    _specify(manager, hooks)
    found = found_plugins()
    given = modules or {}
    absent: dict[str, str | Problem] = {}
    for plugin in settings.enabled_plugins:
        _refuse_id(plugin, settings.enabled_plugins)
        try:
            module = given[plugin] if plugin in given else _import(plugin, found, {*found, *given})
            _register(manager, plugin, module, hooks)
        except (SettingsError, PluginError) as error:
            if not forgiving:
                raise
            absent[plugin] = _why_absent(error)
    loaded = Hooks(manager, clock=clock)
    shapes = _shapes(loaded, specifications.enterprise_settings)
    of_instance = _of_instance(loaded, settings, {*found, *given, *absent})
    return Hooks(manager, clock=clock, shapes=shapes, of_instance=of_instance, absent=absent)


def importable(plugins: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str | Problem]]:
    """Those of `plugins` that are installed and can be imported, in their order; and of each other, why not."""
    found = found_plugins()
    absent: dict[str, str | Problem] = {}
    for plugin in plugins:
        try:
            _import(plugin, found, found)
        except (SettingsError, PluginError) as error:
            absent[plugin] = _why_absent(error)
    return tuple(plugin for plugin in plugins if plugin not in absent), absent


def _why_absent(error: SettingsError | PluginError) -> str | Problem:
    return error.what if isinstance(error, PluginError) else _NOT_INSTALLED


def _specify(manager: pluggy.PluginManager, hooks: Mapping[str, Hook[..., object]]) -> None:
    """Tells pluggy what implementations are checked against: the specifications, and the settings anybody may take."""
    specified = {}
    for name, one in hooks.items():
        contract = one.contract
        of_hook = f"{name} is deprecated: {contract.deprecated}"
        of_arguments = {
            argument: RemovedIn1Warning(f"{argument} of {name} is deprecated: {said}")
            for argument, said in contract.deprecated_arguments.items()
        }
        marker = _hookspec(
            warn_on_impl=RemovedIn1Warning(of_hook) if contract.deprecated else None,
            warn_on_impl_args=of_arguments or None,
        )
        specified[name] = staticmethod(marker(one.specification))
    manager.add_hookspecs(type("Specifications", (), specified))
    for name, one in hooks.items():
        more = (INSTANCE_SETTINGS,) if one.contract.scope == "instance" else (SETTINGS, INSTANCE_SETTINGS)
        specification = getattr(manager.hook, name).spec
        specification.argnames = (*specification.argnames, *more)


def _shapes(loaded: Hooks, hook: Hook[[], type | None]) -> dict[str, type]:
    """The classes of settings by plugin: frozen dataclasses that need not be told anything."""
    shapes: dict[str, type] = {}
    for plugin, shape in ((one.plugin, one.value) for one in loaded.each(hook)):
        if not is_dataclass(shape) or not isinstance(shape, type):
            raise PluginError(plugin, hook.name, f"{shape!r} is no dataclass")
        needed = [one.name for one in fields(shape) if one.default is MISSING and one.default_factory is MISSING]
        if needed:
            raise PluginError(plugin, hook.name, f"{', '.join(needed)} of {shape.__name__} must have a default")
        shapes[plugin] = shape
    return shapes


def _of_instance(loaded: Hooks, settings: Settings, known: Collection[str]) -> dict[str, object]:
    """The tables ``[plugins.<id>]``, each in its plugin's shape. That of a plugin that is not enabled may stay."""
    shapes = _shapes(loaded, specifications.instance_settings)
    tables = {name: value for name, value in settings.plugins.items() if name != "enabled"}
    for name, table in tables.items():
        if name not in known:
            raise SettingsError("plugins.{name}: {meant}", name=name, meant=_meant(name, known))
        if name in loaded.plugins() and name not in shapes:
            raise SettingsError("plugins.{name}: this plugin has no settings of the instance.", name=name)
        if not isinstance(table, dict):
            raise SettingsError("plugins.{name}: a table was expected, like [plugins.{name}].", name=name)
    filled = {name: with_secrets(shape, tables.get(name, {}), f"plugins.{name}") for name, shape in shapes.items()}
    return {name: read_settings(shape, filled[name], f"plugins.{name}") for name, shape in shapes.items()}


def _refuse_id(plugin: str, enabled: Collection[str]) -> None:
    """Ids are parts of addresses, of names of jobs, and of names of tables, which are told apart by them."""
    if not ID.fullmatch(plugin):
        text = "plugins.enabled: {plugin!r} is no id; one has small letters, digits and underscores."
        raise SettingsError(text, plugin=plugin)
    if list(enabled).count(plugin) > 1:
        raise SettingsError("plugins.enabled: {plugin!r} stands there twice.", plugin=plugin)
    taken = [name for name in (*enabled, *core_tables()) if name.startswith(f"{plugin}_")]
    if taken:
        text = "plugins.enabled: {plugin!r} would own tables of {other!r}; both cannot be enabled under these ids."
        raise SettingsError(text, plugin=plugin, other=taken[0])


def listeners(hooks: Hooks) -> dict[str, list[str]]:
    """Who is to be told what happened: the plugins that implement each hook called by jobs, by the hook's name."""
    return {name: hooks.implementing(one) for name, one in all_hooks().items() if one.contract.where == "job"}


def migration_folders(hooks: Hooks) -> dict[str, Path]:
    """Each plugin's folder of database revisions."""
    return {one.plugin: one.value for one in hooks.each(specifications.migrations) if one.value is not None}


def _import(plugin: str, found: Mapping[str, EntryPoint], known: Collection[str]) -> ModuleType:
    if plugin not in found:
        text = (
            "plugins.enabled: {meant} Install its package, or take it out: the instance starts without it, and its "
            "tables stay. `commensal plugins` tells who uses it."
        )
        raise SettingsError(text, meant=_meant(plugin, known))
    return load_module(plugin, found[plugin])


def load_module(plugin: str, point: EntryPoint) -> ModuleType:
    """Imports an installed plugin. Raises `PluginError` whatever its import does; the log names one that hangs."""
    try:
        with watchdog.watch(_IMPORT, partial(_log.warning, "a plugin takes long to import", plugin=plugin)):
            module: ModuleType = point.load()
    except TookTooLong as late:
        if late.__cause__ is None:
            return sys.modules[point.module]
        raise PluginError(plugin, "loading", f"{type(late.__cause__).__name__}: {late.__cause__}") from late
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the operator must read whose fault it is
        raise PluginError(plugin, "loading", f"{type(error).__name__}: {error}") from error
    return module


def _meant(plugin: str, known: Collection[str]) -> Problem:
    values = {"plugin": plugin, "known": ", ".join(sorted(known))}
    if close := get_close_matches(plugin, known, n=1):
        text = "{plugin!r} is not installed; did you mean {meant!r}?"
        return Problem("not_installed", text, values={**values, "meant": close[0]})
    text = "{plugin!r} is not installed; installed are {known}."
    if not known:
        text = "{plugin!r} is not installed; installed are none."
    return Problem("not_installed", text, values=values)


def _register(
    manager: pluggy.PluginManager, plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]
) -> None:
    try:
        manager.register(module, name=plugin)
        manager.check_pending()
        _refuse_what_cannot_be(plugin, module, hooks)
    except pluggy.PluginValidationError as error:
        manager.unregister(name=plugin)
        raise PluginError(plugin, "loading", str(error)) from error
    except PluginError:
        manager.unregister(name=plugin)
        raise


def _refuse_what_cannot_be(plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]) -> None:
    for name, one in hooks.items():
        function = getattr(module, name, None)
        options = getattr(function, f"{PROJECT}_impl", None)
        if options is None:
            continue
        if options["wrapper"] or options["hookwrapper"]:
            raise PluginError(plugin, name, "a hook cannot be wrapped")
        if one.contract.where not in ("outside", "job") and inspect.iscoroutinefunction(function):
            raise PluginError(plugin, name, f"a hook of {one.contract.where} cannot be async")
