"""Converts plain values and JSON into classes with msgspec, safely from several threads.

msgspec inspects a class when it first converts to it, and stores the unfinished result with the class at once. Another
thread that uses the class at that moment reads the unfinished result, and the process crashes (SIGSEGV, with msgspec
0.22; 0.23 was not seen to). So a lock makes the first conversion to each type.

Numbers and moments that no computation holds are refused here, where everything from outside comes in. A decoded value
is searched for them only if its JSON could hold one: digits that it writes as escapes (``1\\u00659``) count too.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from .errors import Problem

# Numbers that others write. A short text, 1e-999999999, can name a number with whose digits no computer comes to an
# end: `Fraction` and `int` write them out, and arithmetic overflows.

MOST_DIGITS = 30  # before the point, and after it


def read_decimal(text: str) -> Decimal:
    """The number that a person typed. Raises `InvalidOperation` for a text that is none, or one with more digits than
    `MOST_DIGITS`. NaN and infinities are numbers; `Decimal.is_finite` tells."""
    number = Decimal(text)
    if not is_short(number):
        raise InvalidOperation
    return number


def read_whole(text: str, digits: int = 9, *, signed: bool = False) -> int | None:
    """The whole number that a text is, 0 or more, or with a minus below 0 if `signed`; None for any other text, and for
    one with more digits. A plus, a space and digits of other scripts are none."""
    plain = text.removeprefix("-") if signed else text
    return int(text) if plain.isascii() and plain.isdigit() and len(plain) <= digits else None


def is_short(number: Decimal) -> bool:
    """Whether the number has at most `MOST_DIGITS` digits on each side of its point; true for NaN and infinities."""
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, str) or (exponent >= -MOST_DIGITS and len(digits) + exponent <= MOST_DIGITS)


# Moments and days that others write. The first and the last of `datetime` leave its range a day later or in another
# time zone, so years are refused that nobody means.

YEARS = range(1000, 9000)
_OUT_OF_RANGE = f"a year must be between {YEARS[0]} and {YEARS[-1]}"


def read_moment(text: str) -> datetime:
    """A moment that a person typed, like "2026-06-06 20:00". Raises ValueError for a text that is none, and for a year
    out of `YEARS`."""
    moment = datetime.fromisoformat(text)
    if not is_in_range(moment):
        raise ValueError(_OUT_OF_RANGE)
    return moment


def read_day(text: str) -> date:
    """A day that a person typed, like "2026-06-06". Raises ValueError for a text that is none, and for a year out of
    `YEARS`."""
    day = date.fromisoformat(text)
    if not is_in_range(day):
        raise ValueError(_OUT_OF_RANGE)
    return day


def is_in_range(moment: date) -> bool:
    """Whether the moment or day lies in one of `YEARS`."""
    return moment.year in YEARS


# An exponent, as many digits as MOST_DIGITS, a year out of YEARS, or an escaped character of ASCII.
_SUSPICIOUS = re.compile(rb'[eE][-+]?[0-9]{2}|[0-9]{30}|"[09][0-9]{3}-|\\u00[0-7]')
_known_types: set[object] = set()  # that msgspec has inspected
_first_use = threading.RLock()  # a class may convert members of its own while it is converted to


def convert(
    value: object, shape: object, *, strict: bool = True, dec_hook: Callable[[type, object], object] | None = None
) -> Any:
    """As `msgspec.convert`: `value` as the type `shape`. Raises `msgspec.ValidationError`, also for a decimal with more
    than `MOST_DIGITS` digits, and a moment or day out of `YEARS`."""
    return _refuse_extremes(
        _run_first_alone(shape, lambda: msgspec.convert(value, shape, strict=strict, dec_hook=dec_hook))
    )


def decode_json(content: bytes, shape: object) -> Any:
    """As `msgspec.json.decode`: JSON as the type `shape`; it stops at the first mistake of the document.

    Raises `msgspec.DecodeError`, its subclass `msgspec.ValidationError`, or `RecursionError`.
    """
    value = _run_first_alone(shape, lambda: msgspec.json.decode(content, type=shape))
    return _refuse_extremes(value) if _SUSPICIOUS.search(content) else value


def _refuse_extremes(value: object) -> object:
    for path, leaf in _leaves(value, "$"):
        if isinstance(leaf, Decimal) and not is_short(leaf):
            raise msgspec.ValidationError(f"Expected a number of at most {MOST_DIGITS} digits - at `{path}`")
        if isinstance(leaf, date) and not is_in_range(leaf):
            raise msgspec.ValidationError(f"Expected a year from {YEARS[0]} to {YEARS[-1]} - at `{path}`")
    return value


def _leaves(value: object, path: str) -> Iterator[tuple[str, Decimal | date]]:
    """All decimals, moments and days in an object, its fields and what they hold, with their paths as msgspec writes
    them."""
    if isinstance(value, Decimal | date):
        yield path, value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner, f"{path}[...]")
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{position}]")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _leaves(getattr(value, name), f"{path}.{name}")
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name), f"{path}.{field.name}")


def _run_first_alone(shape: object, act: Callable[[], object]) -> object:
    if shape in _known_types:
        return act()
    with _first_use:
        try:
            return act()
        finally:
            _known_types.add(shape)  # also after an error: msgspec inspects the type before the value


# Adds the allowed values to msgspec's errors, which only say that a value is not allowed.

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
