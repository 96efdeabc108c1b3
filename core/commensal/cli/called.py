"""The commands of ``commensal``, each imported when it is called: most need little of what the others do."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from ..languages.shell import spoken
from .helping import speak
from .of_plugins import claimed, command_of_plugin

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
        self.epilog = spoken("Of plugins: {names}.", names=", ".join(brought)) if brought else None

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return speak(command_of_plugin(ctx, cmd_name))
        room = typer.Typer()
        room.callback()(lambda: None)  # so that a single command keeps its name
        import_module(f".{COMMANDS[cmd_name]}", __package__).add_to(room)
        group: Any = typer.main.get_command(room)
        return speak(group.get_command(ctx, cmd_name))
