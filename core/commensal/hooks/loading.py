"""Finds the plugins that `instance.toml` enables, checks them, and registers them in the operator's order."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache, partial
from importlib.metadata import EntryPoint
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy
import structlog

from ..base.clock import Clock
from ..base.deprecated import RemovedIn1Warning
from ..base.entry_points import plugin_entry_points
from ..base.errors import PluginError, Problem, SettingsError
from ..base.reading import read_settings, with_secrets
from ..storage.database.revisions import core_tables
from ..storage.database.types import metadata
from . import specifications
from .contract import PROJECT, Hook, implementing_function, only_for_of
from .dispatcher import Hooks
from .running import INSTANCE_SETTINGS, SETTINGS
from .watchdog import TookTooLong, watchdog

if TYPE_CHECKING:
    from ..instance.settings import InstanceSettings

ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_IMPORT_SECONDS = 10.0  # a start also waits longer, but then logs which plugin it waits for
_log = structlog.get_logger("commensal.hooks")
_NOT_INSTALLED = Problem("not_installed", "it is not installed")
_hookspec = pluggy.HookspecMarker(PROJECT)


def all_hooks() -> dict[str, Hook[..., object]]:
    """Every hook by its name, in the order of `specifications.py`."""
    return {name: value for name, value in vars(specifications).items() if isinstance(value, Hook)}


def load_plugins(
    settings: InstanceSettings,
    *,
    clock: Clock,
    modules: Mapping[str, ModuleType] | None = None,
    forgiving: bool = False,
) -> Hooks:
    """Loads the enabled plugins. `modules`, by id, takes the place of installed plugins, for tests.

    Raises `SettingsError` for an id that is not installed ("did you mean"), and `PluginError` for a plugin that cannot
    be imported, implements a hook that does not exist, or is async where that is not allowed. With `forgiving`, such
    plugins are left out instead, and `Hooks.absent` says why: for commands that report what is wrong.
    """
    manager = pluggy.PluginManager(PROJECT)
    hooks = all_hooks()
    _add_specifications(manager, hooks)
    points = plugin_entry_points()
    modules_by_id = modules or {}
    absent: dict[str, str | Problem] = {}
    for plugin in settings.enabled_plugins:
        _refuse_id(plugin, settings.enabled_plugins)
        try:
            module = (
                modules_by_id[plugin] if plugin in modules_by_id else _import(plugin, points, {*points, *modules_by_id})
            )
            _register(manager, plugin, module, hooks)
        except (SettingsError, PluginError) as error:
            if not forgiving:
                raise
            absent[plugin] = _why_absent(error)
    loaded = Hooks(manager, clock=clock)
    shapes = _settings_classes(loaded, specifications.enterprise_settings)
    of_instance = _read_instance_settings(loaded, settings, {*points, *modules_by_id, *absent})
    return Hooks(manager, clock=clock, shapes=shapes, of_instance=of_instance, absent=absent)


def importable(plugins: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str | Problem]]:
    """Those of `plugins` that are installed and can be imported, in their order, and the reason for each other one."""
    points = plugin_entry_points()
    absent: dict[str, str | Problem] = {}
    for plugin in plugins:
        try:
            _import(plugin, points, points)
        except (SettingsError, PluginError) as error:
            absent[plugin] = _why_absent(error)
    return tuple(plugin for plugin in plugins if plugin not in absent), absent


def _why_absent(error: SettingsError | PluginError) -> str | Problem:
    return error.what if isinstance(error, PluginError) else _NOT_INSTALLED


def _add_specifications(manager: pluggy.PluginManager, hooks: Mapping[str, Hook[..., object]]) -> None:
    """Registers the specifications with pluggy, with the settings that every implementation may take."""
    specified = {}
    for name, hook in hooks.items():
        contract = hook.contract
        hook_warning = f"{name} is deprecated: {contract.deprecated}"
        argument_warnings = {
            argument: RemovedIn1Warning(f"{argument} of {name} is deprecated: {text}")
            for argument, text in contract.deprecated_arguments.items()
        }
        marker = _hookspec(
            warn_on_impl=RemovedIn1Warning(hook_warning) if contract.deprecated else None,
            warn_on_impl_args=argument_warnings or None,
        )
        specified[name] = staticmethod(marker(hook.specification))
    manager.add_hookspecs(type("Specifications", (), specified))
    for name, hook in hooks.items():
        getattr(manager.hook, name).spec.argnames = arguments_of(hook)


@cache
def arguments_of(hook: Hook[..., object]) -> tuple[str, ...]:
    """The names of the arguments that an implementation may take: those of the specification, and settings.

    Cached, because a start asks for them once for each implementation, and inspecting a signature is slow.
    """
    settings_arguments = (INSTANCE_SETTINGS,) if hook.contract.scope == "instance" else (SETTINGS, INSTANCE_SETTINGS)
    return (*inspect.signature(hook.specification).parameters, *settings_arguments)


def _settings_classes(loaded: Hooks, hook: Hook[[], type | None]) -> dict[str, type]:
    """The classes of settings by plugin. Raises `PluginError` unless each is a dataclass whose fields have defaults."""
    shapes: dict[str, type] = {}
    for plugin, shape in ((answer.plugin, answer.value) for answer in loaded.each(hook)):
        if not is_dataclass(shape) or not isinstance(shape, type):
            raise PluginError(plugin, hook.name, f"{shape!r} is not a dataclass")
        required = [item.name for item in fields(shape) if item.default is MISSING and item.default_factory is MISSING]
        if required:
            raise PluginError(plugin, hook.name, f"{', '.join(required)} of {shape.__name__} must have a default")
        shapes[plugin] = shape
    return shapes


def _read_instance_settings(loaded: Hooks, settings: InstanceSettings, known_ids: Collection[str]) -> dict[str, object]:
    """The tables ``[plugins.<id>]`` of instance.toml, each as its plugin's class, without those of disabled plugins.

    Raises `SettingsError` for a table of an unknown plugin, or with values that the class refuses.
    """
    shapes = _settings_classes(loaded, specifications.instance_settings)
    tables = {name: value for name, value in settings.plugins.items() if name != "enabled"}
    for name, table in tables.items():
        if name not in known_ids:
            raise SettingsError("plugins.{name}: {meant}", name=name, meant=_not_installed(name, known_ids))
        if name in loaded.plugins() and name not in shapes:
            raise SettingsError("plugins.{name}: this plugin has no settings of the instance.", name=name)
        if not isinstance(table, dict):
            raise SettingsError("plugins.{name}: a table was expected, like [plugins.{name}].", name=name)
    values = {name: with_secrets(shape, tables.get(name, {}), f"plugins.{name}") for name, shape in shapes.items()}
    return {name: read_settings(shape, values[name], f"plugins.{name}") for name, shape in shapes.items()}


def _refuse_id(plugin: str, enabled: Collection[str]) -> None:
    """Raises `SettingsError` for an id that cannot be part of an address, or whose tables could be another plugin's."""
    if not ID.fullmatch(plugin):
        text = "plugins.enabled: {plugin!r} is not an id; ids have small letters, digits and underscores."
        raise SettingsError(text, plugin=plugin)
    if list(enabled).count(plugin) > 1:
        raise SettingsError("plugins.enabled: {plugin!r} is named twice.", plugin=plugin)
    conflicting_names = [name for name in (*enabled, *core_tables()) if name.startswith(f"{plugin}_")]
    if conflicting_names:
        text = "plugins.enabled: {plugin!r} would own tables of {other!r}; both cannot be enabled under these ids."
        raise SettingsError(text, plugin=plugin, other=conflicting_names[0])


def listeners(hooks: Hooks) -> dict[str, list[str]]:
    """The plugins that implement each hook for events, by the hook's name."""
    return {name: hooks.implementing(hook) for name, hook in all_hooks().items() if hook.contract.where == "job"}


def migration_folders(hooks: Hooks) -> dict[str, Path]:
    """The folder of database revisions of each plugin that has one, by its id."""
    return {answer.plugin: answer.value for answer in hooks.each(specifications.migrations) if answer.value is not None}


def _import(plugin: str, points: Mapping[str, EntryPoint], known_ids: Collection[str]) -> ModuleType:
    if plugin not in points:
        text = (
            "plugins.enabled: {meant} Install its package, or take it out: the instance starts without it, and its "
            "tables stay. `commensal plugins` tells who uses it."
        )
        raise SettingsError(text, meant=_not_installed(plugin, known_ids))
    return load_module(plugin, points[plugin])


def load_module(plugin: str, point: EntryPoint) -> ModuleType:
    """Imports an installed plugin; the log names it if that takes long. Raises `PluginError` if the import fails, with
    the line of the plugin; another attempt fails in the same way, not by what this one has left."""
    modules, tables = frozenset(sys.modules), frozenset(metadata.tables)
    try:
        with watchdog.watch(_IMPORT_SECONDS, partial(_log.warning, "a plugin takes long to import", plugin=plugin)):
            module: ModuleType = point.load()
    except TookTooLong as late:
        if late.__cause__ is None:
            return sys.modules[point.module]
        _forget(plugin, point.module, modules, tables)
        raise PluginError(plugin, "loading", _described(late.__cause__, point.module)) from late
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the operator must read which plugin it was
        _forget(plugin, point.module, modules, tables)
        raise PluginError(plugin, "loading", _described(error, point.module)) from error
    return module


def _described(error: BaseException, package: str) -> str:
    """The error, and where in the plugin's package it came up; an error in the first line of an import has no place."""
    lines = [
        f" ({Path(frame.f_code.co_filename).name}, line {line})"
        for frame, line in walk_tb(error.__traceback__)
        if _is_within(package, frame.f_globals.get("__name__", ""))
    ]
    return f"{type(error).__name__}: {error}{lines[-1] if lines else ''}"


def _forget(plugin: str, package: str, modules: Collection[str], tables: Collection[str]) -> None:
    """Takes away what a failed import has added to these: a second one would declare the same tables once more."""
    for name in [name for name in sys.modules if name not in modules and _is_within(package, name)]:
        del sys.modules[name]
    for name, table in [*metadata.tables.items()]:
        if name not in tables and name.startswith(f"{plugin}_"):
            metadata.remove(table)


def _is_within(package: str, module: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _not_installed(plugin: str, known_ids: Collection[str]) -> Problem:
    values = {"plugin": plugin, "known": ", ".join(sorted(known_ids))}
    if close := get_close_matches(plugin, known_ids, n=1):
        text = "{plugin!r} is not installed; did you mean {meant!r}?"
        return Problem("not_installed", text, values={**values, "meant": close[0]})
    text = "{plugin!r} is not installed; installed are {known}."
    if not known_ids:
        text = "{plugin!r} is not installed; installed are none."
    return Problem("not_installed", text, values=values)


def _register(
    manager: pluggy.PluginManager, plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]
) -> None:
    try:
        _refuse_unknown_names(plugin, module, hooks)
        _refuse_forgotten_hooks(plugin, module, hooks)
        module = _with_hidden_hooks(module, hooks)
        manager.register(module, name=plugin)
        manager.check_pending()
        _refuse_unusable_hooks(plugin, module, hooks)
    except pluggy.PluginValidationError as error:
        manager.unregister(name=plugin)
        raise PluginError(plugin, "loading", str(error)) from error
    except PluginError:
        if manager.has_plugin(plugin):
            manager.unregister(name=plugin)
        raise


def _refuse_unknown_names(plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]) -> None:
    """Raises `PluginError` for a function that implements no hook, or takes an argument that its hook does not have:
    with what its author may have meant, and all that there is."""
    for name in dir(module):
        function = getattr(module, name, None)
        options = getattr(function, f"{PROJECT}_impl", None)
        if not inspect.isfunction(function) or not isinstance(options, Mapping) or options["optionalhook"]:
            continue
        hook_name = options["specname"] or name
        if hook_name not in hooks:
            raise PluginError(plugin, "loading", f"there is no hook {hook_name}; {_hint(hook_name, hooks)}")
        allowed = arguments_of(hooks[hook_name])
        for argument in (*_parameters(function), *only_for_of(function)):
            if argument not in allowed:
                text = f"the hook {hook_name} has no argument {argument}; {_hint(argument, allowed)}"
                raise PluginError(plugin, "loading", text)


def _refuse_forgotten_hooks(plugin: str, module: ModuleType, hooks: Collection[str]) -> None:
    """Raises `PluginError` for a hook in a submodule of its own name that the package does not import."""
    for name in hooks:
        submodule = getattr(module, name, None)
        if not inspect.ismodule(submodule) or implementing_function(module, name) is not None:
            continue
        if submodule.__name__ == f"{module.__name__}.{name}" and implementing_function(submodule, name) is not None:
            text = f"{submodule.__name__} implements this hook, but the package does not import it: write "
            raise PluginError(plugin, name, f"{text}`from .{name} import {name}` in its __init__.py")


def _with_hidden_hooks(module: ModuleType, hooks: Collection[str]) -> ModuleType:
    """The module itself, or if submodules hide hooks of it, a copy in which these stand under their names."""
    submodules = [name for name in hooks if inspect.ismodule(getattr(module, name, None))]
    functions = {name: implementing_function(module, name) for name in submodules}
    hidden = {name: function for name, function in functions.items() if function is not None}
    if not hidden:
        return module
    copy = ModuleType(module.__name__, module.__doc__)
    vars(copy).update({**vars(module), **hidden})
    return copy


def _parameters(function: Callable[..., object]) -> list[str]:
    """The names of its parameters; none if it wraps a function of C that does not tell them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _refuse_unusable_hooks(plugin: str, module: ModuleType, hooks: Mapping[str, Hook[..., object]]) -> None:
    for name, hook in hooks.items():
        function = implementing_function(module, name)
        if function is None:
            continue
        options = getattr(function, f"{PROJECT}_impl")
        if options["wrapper"] or options["hookwrapper"]:
            raise PluginError(plugin, name, "a hook cannot be wrapped")
        if hook.contract.where not in ("outside", "job") and inspect.iscoroutinefunction(function):
            raise PluginError(plugin, name, f"a hook of {hook.contract.where} cannot be async")
