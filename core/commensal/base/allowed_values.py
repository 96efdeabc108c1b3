"""Adds the allowed values to msgspec's errors, which only say that a value is not allowed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from .errors import Problem

_STEP = re.compile(r"\.(\w+)|\[[^\]]*\]")


def explain_error(error: str, hint: object) -> tuple[Problem | str, str]:
    """msgspec's error about a value of the type `hint`, with the allowed values, and the path of the value.

    "Invalid enum value 'de' - at `$.language`" becomes "expected one of 'fr', 'en', got 'de'" and ".language".
    """
    message, _, path = error.partition(" - at `$")
    path = path.rstrip("`")
    prefix = "Invalid enum value "
    choices = list(dict.fromkeys(_choices(_at(hint, path)))) if message.startswith(prefix) else []
    if not choices:
        return message, path
    values = {"choices": ", ".join(map(repr, choices)), "seen": message.removeprefix(prefix)}
    return Problem("choice", "expected one of {choices}, got {seen}", values=values), path


def one_of(choices: Iterable[object]) -> str:
    return f"one of {', '.join(map(repr, choices))}"


def dataclasses_in(hint: object) -> Iterator[type]:
    """The dataclasses and structs in a type, at any depth."""
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        yield hint
    for inner in get_args(hint):
        yield from dataclasses_in(inner)


def _at(hint: object, path: str) -> list[object]:
    """The types of the value at a path like ``.fees[1].type``; several if the type is a union."""
    hints = [hint]
    for step in _STEP.finditer(path):
        if (name := step[1]) is not None:
            annotations = [
                get_type_hints(shape, include_extras=True) for outer in hints for shape in dataclasses_in(outer)
            ]
            hints = [names[name] for names in annotations if name in names]
    return hints


def _choices(hints: Iterable[object]) -> Iterator[object]:
    for hint in hints:
        if get_origin(hint) is Literal:
            yield from get_args(hint)
        elif isinstance(hint, type) and issubclass(hint, Enum):
            yield from (member.value for member in hint)
        else:
            yield from _choices(get_args(hint))
