"""Holds back what a command prints inside a write transaction until that transaction has committed.

A reader that closes the pipe early (``commensal peer suspend … | head -2``) makes printing fail. Inside the transaction
that failure would roll the change back, though the lines before it said that it was done.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from sqlalchemy.exc import DBAPIError

from ...base.errors import Unavailable
from ...storage.database.errors import BROKEN_DISK, FULL, OWNER, advice, driver_message, shows_damage
from ...storage.database.savepoint import after_commit
from ..terminal.shell import spoken, told


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


# Explains errors of databases and disks in a sentence with advice.

_ADVICE = {
    errno.EACCES: OWNER,
    errno.EPERM: OWNER,
    errno.EROFS: BROKEN_DISK,
    errno.EIO: BROKEN_DISK,
    errno.ENOSPC: FULL,
}


def explain_error(error: Exception) -> str:
    """The explanation; "" for an error of the code, which should keep its traceback."""
    if isinstance(error, Unavailable) and shows_damage(error):
        return f"{told(error)} {told(advice(str(error)) or '')}"
    if isinstance(error, Unavailable) and isinstance(error.__cause__, Exception):
        return explain_error(error.__cause__)
    if isinstance(error, DBAPIError | sqlite3.Error):
        message = driver_message((error.orig or error) if isinstance(error, DBAPIError) else error)
        hint = advice(message)
        text = "The database cannot be used: {said}. {advice}"
        return spoken(text, said=message, advice=hint) if hint else ""
    if isinstance(error, OSError) and error.strerror:
        message = ": ".join([*([str(error.filename)] if error.filename else []), error.strerror]) + "."
        hint = _ADVICE.get(error.errno or 0)
        return f"{message} {told(hint)}" if hint else message
    return ""
