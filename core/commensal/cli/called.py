"""The commands of ``commensal``, each imported when it is called: most need little of what the others do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from ..base.languages.shell import spoken
from ..trade.audit.acting import shell_command
from .helping import speak
from .of_plugins import claimed, command_of_plugin
from .owner import as_owner

# Each command, in the order of `commensal --help`, and the file that it is in.
COMMANDS = {
    "init": "init",
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
}


class Called(TyperGroup):
    """The core's commands, and those of installed plugins. A plugin is imported when its command is called."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        brought = claimed()  # named only: to describe them, help would have to import their plugins
        self.commands: Any = dict.fromkeys([*COMMANDS, *brought])  # names, from which it guesses what was meant
        self.help = spoken(self.help or "")
        options: list[Any] = list(self.params)
        for option in options:
            option.help = spoken(option.help)
        self.epilog = spoken("Of plugins: {names}.", names=", ".join(brought)) if brought else None

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        path = f"{ctx.command_path} {cmd_name}"
        if cmd_name not in COMMANDS:
            return _traced(speak(command_of_plugin(ctx, cmd_name)), path)
        room = typer.Typer()
        room.callback()(lambda: None)  # so that a single command keeps its name
        import_module(f".{COMMANDS[cmd_name]}", __package__).add_to(room)
        group: Any = typer.main.get_command(room)
        return _traced(speak(group.get_command(ctx, cmd_name)), path)


def _traced(command: Any, path: str) -> Any:
    """The command, and those below it: each runs as the owner of the instance's folder, and the audit trail knows it by
    its path."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        _traced(one, f"{path} {name}")
    if command is not None and not below:
        command.callback = _under(path, command.callback)
    return command


def _under(path: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def run(*args: Any, **given: Any) -> Any:
        outside = given.get("into") is not None  # of the folder: units of systemd, which are root's
        with as_owner(None if outside else given.get("instance")), shell_command(path):
            return callback(*args, **given)

    return run
