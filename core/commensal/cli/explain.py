"""Explains errors of databases and disks in a sentence with advice."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError

from ..base.errors import Problem, Unavailable
from ..base.languages.shell import spoken, told

_OWNER = Problem("owner", "Run this as the user who owns the folder, and look at the modes of the files in it.")
_DAMAGED = Problem(
    "damaged", "The file is damaged: keep it, and restore the newest backup into a new folder (`commensal restore`)."
)
_FULL = Problem("full", "Make room on its disk.")
_SERVER = Problem("server", "Is the server running, and is database.url right?")
_ADVICE = (
    (("not a database", "malformed", "corrupt"), _DAMAGED),
    (("full", "no space"), _FULL),
    (("readonly", "unable to open", "permission"), _OWNER),
    (("connection", "authentication", "role ", "does not exist"), _SERVER),
)


def explain_error(error: Exception) -> str:
    """The explanation; "" for an error of the code, which should keep its traceback."""
    if isinstance(error, Unavailable) and isinstance(error.__cause__, Exception):
        return explain_error(error.__cause__)
    if isinstance(error, DBAPIError | sqlite3.Error):
        message = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        hints = [advice for words, advice in _ADVICE if any(word in message.casefold() for word in words)]
        text = "The database cannot be used: {said}. {advice}"
        return spoken(text, said=message.splitlines()[0], advice=hints[0]) if hints else ""
    if isinstance(error, OSError) and error.strerror:
        message = ": ".join([*([str(error.filename)] if error.filename else []), error.strerror]) + "."
        return f"{message} {told(_OWNER)}" if error.errno in (errno.EACCES, errno.EPERM) else message
    return ""
