"""Holds back what a command prints inside a write transaction until that transaction has committed.

A reader that closes the pipe early (``commensal peer suspend … | head -2``) makes printing fail. Inside the transaction
that failure would roll the change back, though the lines before it said that it was done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from ...storage.database.after_commit import after_commit


class HeldOutput:
    """A text stream like `stream`, whose text goes out when no write transaction is open. A rollback drops the text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # now, not at the commit: click writes bytes to find out what a stream takes
            raise TypeError("a text stream takes no bytes")
        after_commit(partial(self._stream.write, text))
        return len(text)

    def flush(self) -> None:
        after_commit(self._stream.flush)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def output_after_commit() -> Iterator[None]:
    """In the block, everything that is printed to stdout passes a `HeldOutput`."""
    stream = sys.stdout
    held: object = HeldOutput(stream)
    sys.stdout = held
    try:
        yield
    finally:
        sys.stdout = stream
