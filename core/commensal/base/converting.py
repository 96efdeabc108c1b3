"""Converts plain values and JSON into classes with msgspec, safely from several threads.

msgspec inspects a class when it first converts to it, and stores the unfinished result with the class at once. Another
thread that uses the class at that moment reads the unfinished result, and the process crashes (SIGSEGV, with msgspec
0.22; 0.23 was not seen to). So a lock makes the first conversion to each type.

Numbers and moments that no computation holds are refused here, where everything from outside comes in. A decoded value
is searched for them only if its JSON could hold one: digits that it writes as escapes (``1\\u00659``) count too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from .decimals import MOST_DIGITS, is_short
from .moments import YEARS, is_in_range

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
