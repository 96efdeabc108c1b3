"""Calls one function with a file, as a process of its own with limits on memory and time. Run by path, not imported.

Its arguments are "module:function", seconds of processor and bytes of memory. It reads a line of JSON with keyword
arguments and the file after it, and writes {"answer": …}, or {"refused": …} for what the function refuses.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

LARGEST_ANSWER = 64 * 1024 * 1024  # bytes
NICENESS = 10  # it stands back behind the processes that answer people, and has a tenth of a busy processor
OUT_OF_MEMORY = 3


def main() -> int:
    place, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # macOS does not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        written = _answer(place)
    except MemoryError:
        return OUT_OF_MEMORY
    if len(written) > LARGEST_ANSWER:
        return OUT_OF_MEMORY
    sys.stdout.buffer.write(written)
    return 0


def _answer(place: str) -> bytes:
    import msgspec

    from commensal.base.errors import Refused

    options = json.loads(sys.stdin.buffer.readline())
    try:
        answer = function_at(place)(sys.stdin.buffer.read(), **options)
    except Refused as error:
        problems = [
            {"code": each.code, "text": each.text, "where": each.where, "values": each.values}
            for each in error.problems
        ]
        refused = {"code": error.code, "text": error.text, "values": error.values, "problems": problems}
        return msgspec.json.encode({"refused": refused})
    return msgspec.json.encode({"answer": answer})


def function_at(place: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


if __name__ == "__main__":
    sys.exit(main())
