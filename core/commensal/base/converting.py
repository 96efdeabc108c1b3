"""Converts plain values and JSON into classes with msgspec, safely from several threads.

msgspec inspects a class when it first converts to it, and stores the unfinished result with the class at once. Another
thread that uses the class at that moment reads the unfinished result, and the process crashes (SIGSEGV, as of msgspec
0.22). So a lock makes the first conversion to each type.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from .decimals import MOST_DIGITS, decimals_in, is_short, may_be_long

_known_types: set[Any] = set()  # that msgspec has inspected
_first_use = threading.Lock()


def convert(
    value: object, shape: object, *, strict: bool = True, dec_hook: Callable[[type, Any], Any] | None = None
) -> Any:
    """As `msgspec.convert`: `value` as the type `shape`. Raises `msgspec.ValidationError`, also for a decimal with more
    than `MOST_DIGITS` digits."""
    return _without_long_decimals(
        _run_first_alone(shape, lambda: msgspec.convert(value, shape, strict=strict, dec_hook=dec_hook))
    )


def decode_json(content: bytes, shape: object) -> Any:
    """As `msgspec.json.decode`: JSON as the type `shape`; it stops at the first mistake of the document.

    Raises `msgspec.DecodeError`, its subclass `msgspec.ValidationError`, or `RecursionError`.
    """
    value = _run_first_alone(shape, lambda: msgspec.json.decode(content, type=shape))
    return _without_long_decimals(value) if may_be_long(content) else value


def _without_long_decimals(value: Any) -> Any:
    for path, number in decimals_in(value):
        if not is_short(number):
            raise msgspec.ValidationError(f"Expected a number of at most {MOST_DIGITS} digits - at `{path}`")
    return value


def _run_first_alone(shape: object, act: Callable[[], Any]) -> Any:
    if shape in _known_types:
        return act()
    with _first_use:
        try:
            return act()
        finally:
            _known_types.add(shape)  # also after an error: msgspec inspects the type before the value
