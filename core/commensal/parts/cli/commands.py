"""The group of all commands of ``commensal``, which imports each only when it is called, to start quickly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ...base.acting import shell_command
from ..setup.named_files import files_kept_for_root
from ..setup.owner import as_owner
from ..terminal.shell import shell_language, spoken, translation_key
from .output import output_after_commit
from .plugin_commands import claimed_names, find_plugin_command

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
