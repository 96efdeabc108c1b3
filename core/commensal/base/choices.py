"""What may stand where only some words may: msgspec says that a value is wrong, and not what would be right."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from .errors import Problem

_STEP = re.compile(r"\.(\w+)|\[[^\]]*\]")


def explained(error: str, hint: Any) -> tuple[Problem | str, str]:
    """What msgspec says is wrong with a value for the type `hint`, with the choices that there are, and where.

    "Invalid enum value 'de' - at `$.language`" is "expected one of 'fr', 'en', got 'de'" at ".language".
    """
    said, _, at = error.partition(" - at `$")
    at = at.rstrip("`")
    begins = "Invalid enum value "
    choices = list(dict.fromkeys(_choices(_at(hint, at)))) if said.startswith(begins) else []
    if not choices:
        return said, at
    values = {"choices": ", ".join(map(repr, choices)), "seen": said.removeprefix(begins)}
    return Problem("choice", "expected one of {choices}, got {seen}", values=values), at


def one_of(choices: Iterable[object]) -> str:
    return f"one of {', '.join(map(repr, choices))}"


def shapes_in(hint: Any) -> Iterator[type]:
    """The dataclasses and structs that a type names, wherever they stand in it."""
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        yield hint
    for inner in get_args(hint):
        yield from shapes_in(inner)


def _at(hint: Any, path: str) -> list[Any]:
    """The types of what stands at a path like ``.fees[1].type``: several where there are several shapes."""
    hints = [hint]
    for step in _STEP.finditer(path):
        if (name := step[1]) is not None:
            named = [get_type_hints(shape, include_extras=True) for one in hints for shape in shapes_in(one)]
            hints = [one[name] for one in named if name in one]
    return hints


def _choices(hints: Iterable[Any]) -> Iterator[object]:
    for one in hints:
        if get_origin(one) is Literal:
            yield from get_args(one)
        elif isinstance(one, type) and issubclass(one, Enum):
            yield from (member.value for member in one)
        else:
            yield from _choices(get_args(one))
