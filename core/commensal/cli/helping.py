"""Help of commands in the shell's language."""

from __future__ import annotations

from typing import Any

from ..base.languages.shell import shell_language, spoken, translation_key


def speak(command: Any) -> Any:
    """The command, with what it, its options and all commands below it say of themselves in the shell's language."""
    if command is None or shell_language() == "en":
        return command
    for name in ("help", "short_help", "epilog"):
        if said := getattr(command, name, None):
            setattr(command, name, spoken(translation_key(said)))
    for one in command.params:
        if said := getattr(one, "help", None):
            one.help = spoken(translation_key(said))
    for below in getattr(command, "commands", {}).values():
        speak(below)
    return command
