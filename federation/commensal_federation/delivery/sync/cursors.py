"""Cursors: a position in a lane, written ``epoch.seq``."""

from __future__ import annotations

import re

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,14})\.(0|[1-9][0-9]{0,14})", re.ASCII)

Cursor = tuple[int, int]


def read_cursor(text: str) -> Cursor | None:
    """Returns the cursor; None for any other text."""
    match = _CURSOR.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def write_cursor(cursor: Cursor) -> str:
    return f"{cursor[0]}.{cursor[1]}"
