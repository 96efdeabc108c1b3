"""The group of all commands of ``commensal``, which imports each only when it is called; and those of plugins."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ...base.acting import shell_command
from ...base.entry_points import plugin_entry_points
from ...base.errors import Conflict, PluginError
from ...hooks.contract import implementing_function
from ...hooks.loading import load_module
from ...instance.settings import load_settings
from ..setup.named_files import files_kept_for_root
from ..setup.owner import as_owner
from ..terminal.shell import shell_language, spoken, translation_key
from .output import output_after_commit

# Finds commands of plugins: ``commensal <id> …``, and names that plugins claim for single commands. Each refuses an
# instance on which its plugin is off, since the plugin's tables need not be there.

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


# Each command, in the order of `commensal --help`, and its module.
COMMANDS = {
    "init": "init",
    "settings": "print_settings",
    "user": "user",
    "token": "token",
    "enterprise": "enterprise",
    "products": "product_list",
    "report": "report",
    "sale": "sale",
    "plugins": "plugins",
    "plugin": "plugins",
    "hooks": "hooks",
    "new-plugin": "new_plugin",
    "texts": "texts",
    "serve": "serve",
    "work": "work",
    "jobs": "jobs",
    "migrate": "migrate",
    "upgrade": "upgrade",
    "check": "check",
    "audit": "audit",
    "person": "person",
    "backup": "backup",
    "restore": "backup",
    "export": "export",
    "import": "export",
    "demo": "demo",
    "call": "call",
}


class CommandGroup(TyperGroup):
    """The commands of the core and of installed plugins. A plugin is imported only when its command is called."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        plugin_names = claimed_names()  # only their names: their help would require importing the plugins
        self.commands: Any = dict.fromkeys([*COMMANDS, *plugin_names])  # for suggestions after a typing error
        self.help = spoken(self.help or "")
        options: list[Any] = list(self.params)
        for option in options:
            option.help = spoken(option.help)
        self.epilog = spoken("Commands of plugins: {names}.", names=", ".join(plugin_names)) if plugin_names else None

    def list_commands(self, ctx: object) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        path = f"{ctx.command_path} {cmd_name}"
        if cmd_name not in COMMANDS:
            return _trace_commands(translate_help(find_plugin_command(ctx, cmd_name)), path)
        command_app = typer.Typer()
        command_app.callback()(lambda: None)  # so that a single command keeps its name
        import_module(f".{COMMANDS[cmd_name]}", __package__).add_to(command_app)
        group: Any = typer.main.get_command(command_app)
        return _trace_commands(translate_help(group.get_command(ctx, cmd_name)), path)


def _trace_commands(command: Any, path: str) -> object:
    """The command, changed with all its subcommands so that each runs as the owner of the instance's folder, is
    recorded in the audit trail under its path, and prints what it has changed only after the commit."""
    below = getattr(command, "commands", {})
    for name, subcommand in below.items():
        _trace_commands(subcommand, f"{path} {name}")
    if command is not None and not below:
        command.callback = _run_under(path, command.callback)
    return command


def _run_under(path: str, callback: Callable[..., object]) -> Callable[..., object]:
    @wraps(callback)
    def run(*args: object, **options: object) -> object:
        # `init --into` writes units of systemd, and another version is installed where programs lie: both are root's.
        outside = any(options.get(name) for name in ("into", "release", "back"))
        folder = None if outside else options.get("instance")
        files = [file for name, value in options.items() if name != "instance" for file in _files_in(value)]
        with files_kept_for_root(files, folder), as_owner(folder), shell_command(path), output_after_commit():
            return callback(*args, **options)

    return run


def _files_in(value: object) -> list[Path]:
    values = value if isinstance(value, list) else [value]
    return [file for file in values if isinstance(file, Path)]


def translate_help(command: Any) -> object:
    """Translates the help of the command, its options and its subcommands. Returns the command, which may be None."""
    if command is None or shell_language() == "en":
        return command
    for name in ("help", "short_help", "epilog"):
        if help_text := getattr(command, name, None):
            setattr(command, name, spoken(translation_key(help_text)))
    for parameter in command.params:
        if help_text := getattr(parameter, "help", None):
            parameter.help = spoken(translation_key(help_text))
    for subcommand in getattr(command, "commands", {}).values():
        translate_help(subcommand)
    return command
