"""Commands that plugins bring: ``commensal <id> …``, found when the core has none of that name."""

from __future__ import annotations

import inspect
from importlib.metadata import entry_points
from typing import Any

import typer

from ..base.errors import PluginError
from ..hooks.loading import load_module, plugin_entry_points

_CLAIMS = "commensal.commands"  # of entry points


def command_of_plugin(ctx: Any, name: str) -> Any:
    """The commands of the plugin of this id, or one that a plugin claims; None where there is neither."""
    return _commands_of(name) or _claimed(ctx, name)


def claimed() -> list[str]:
    """The names that plugins claim for commands of theirs."""
    return sorted({claim.name for claim in entry_points(group=_CLAIMS)})


def _claimed(ctx: Any, name: str) -> object:
    """A command of a plugin that is long for its own name: ``commensal peer`` is ``commensal federation peer``.

    The plugin's distribution claims it by an entry point of the group ``commensal.commands`` that names its module.
    """
    for claim in entry_points(group=_CLAIMS, name=name):
        for plugin, point in plugin_entry_points().items():
            if point.value == claim.value:
                group: Any = _commands_of(plugin)
                return group.get_command(ctx, name) if group is not None else None
    return None


def _commands_of(plugin: str) -> object:
    point = plugin_entry_points().get(plugin)
    if point is None:
        return None
    module: Any = load_module(plugin, point)
    add = getattr(module, "commands", None)
    if add is None or not hasattr(add, "commensal_impl"):
        return None
    app = typer.Typer(help=(module.__doc__ or "").partition("\n")[0], no_args_is_help=True)
    app.callback()(lambda: None)  # so that a single command keeps its name
    try:
        if inspect.iscoroutine(said := add(app)):
            said.close()
            raise TypeError("this hook cannot be async")
    except (Exception, SystemExit) as error:  # whatever it raises, the operator must read whose fault it is
        raise PluginError(plugin, "commands", f"{type(error).__name__}: {error}") from error
    return typer.main.get_command(app)
