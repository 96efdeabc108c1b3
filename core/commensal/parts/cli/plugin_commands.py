"""Finds commands of plugins: ``commensal <id> …``, and names that plugins claim for single commands. Each refuses an
instance on which its plugin is off, since the plugin's tables need not be there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer

from ...base.entry_points import plugin_entry_points
from ...base.errors import Conflict, PluginError
from ...hooks.contract import implementing_function
from ...hooks.loading import load_module
from ...instance.settings import load_settings

_CLAIMS = "commensal.commands"  # of entry points


def find_plugin_command(ctx: object, name: str) -> object:
    """The commands of the plugin with this id, or the command that a plugin claims under this name; else None."""
    return _commands_of_plugin(name) or _find_claimed(ctx, name)


def claimed_names() -> list[str]:
    """The names that installed plugins claim for their commands."""
    return sorted({claim.name for claim in entry_points(group=_CLAIMS)})


def _find_claimed(ctx: object, name: str) -> object:
    """The command that a plugin claims as a short name: ``commensal peer`` is ``commensal federation peer``.

    The plugin's distribution claims it with an entry point in the group ``commensal.commands`` that names its module.
    """
    for claim in entry_points(group=_CLAIMS, name=name):
        for plugin, point in plugin_entry_points().items():
            if point.value == claim.value:
                group: Any = _commands_of_plugin(plugin)
                return group.get_command(ctx, name) if group is not None else None
    return None


def _commands_of_plugin(plugin: str) -> object:
    point = plugin_entry_points().get(plugin)
    if point is None:
        return None
    module = load_module(plugin, point)
    add = implementing_function(module, "commands")
    if add is None:
        return None
    app = typer.Typer(help=(module.__doc__ or "").partition("\n")[0], no_args_is_help=True)
    app.callback()(lambda: None)  # so that a single command keeps its name
    try:
        if inspect.iscoroutine(result := add(app)):
            result.close()
            raise TypeError("this hook cannot be async")
    except (Exception, SystemExit) as error:  # whatever it raises, the error must name the plugin
        raise PluginError(plugin, "commands", f"{type(error).__name__}: {error}") from error
    return _only_where_enabled(plugin, typer.main.get_command(app))


def _only_where_enabled(plugin: str, command: Any) -> object:
    """The command, changed with all its subcommands so that each refuses an instance on which the plugin is off."""
    below = getattr(command, "commands", {})
    for subcommand in below.values():
        _only_where_enabled(plugin, subcommand)
    if not below:
        command.callback = _run_where_enabled(plugin, command.callback)
    return command


def _run_where_enabled(plugin: str, callback: Callable[..., object]) -> Callable[..., object]:
    @wraps(callback)
    def run(*args: object, instance: Path | None = None, **options: object) -> object:
        if instance is None:
            return callback(*args, **options)
        is_instance = (instance / "instance.toml").exists()  # without one the command decides whether it needs one
        if is_instance and plugin not in load_settings(instance).enabled_plugins:
            text = "The plugin {plugin} is off here; `commensal plugin enable {plugin} --instance {folder}` enables it."
            raise Conflict("plugin_off", text, plugin=plugin, folder=instance)
        return callback(*args, instance=instance, **options)

    return run
