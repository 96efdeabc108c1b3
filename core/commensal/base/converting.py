"""Plain values become classes, in whatever thread.

What msgspec has to know of a class it works out where it first meets it, and keeps with the class from the first moment
on. Another thread that meets the class meanwhile reads what is half done, and the whole process dies (SIGSEGV, as of
msgspec 0.22). So each type is met for the first time by one thread alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

_met: set[Any] = set()
_first = threading.Lock()


def convert(value: Any, shape: Any, *, strict: bool = True, dec_hook: Callable[[type, Any], Any] | None = None) -> Any:
    """`value` as `shape`, as `msgspec.convert` has it. Raises `msgspec.ValidationError`."""
    return _met_alone(shape, lambda: msgspec.convert(value, shape, strict=strict, dec_hook=dec_hook))


def decode_json(content: bytes, shape: Any) -> Any:
    """JSON as `shape`, as `msgspec.json.decode` has it: nothing is kept of a document beyond its first mistake. Raises
    `msgspec.DecodeError`, or the `msgspec.ValidationError` below it, and `RecursionError`."""
    return _met_alone(shape, lambda: msgspec.json.decode(content, type=shape))


def _met_alone(shape: Any, act: Callable[[], Any]) -> Any:
    if shape in _met:
        return act()
    with _first:
        try:
            return act()
        finally:
            _met.add(shape)  # whatever the value was: msgspec has looked at the type before
