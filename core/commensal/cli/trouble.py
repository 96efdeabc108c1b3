"""What databases and disks refuse, in a sentence with what to do; whatever is not known here keeps its traceback."""

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


def format_value(error: Exception) -> str:
    """Empty where it is an error of the code, and not of what is around it."""
    if isinstance(error, Unavailable) and isinstance(error.__cause__, Exception):
        return format_value(error.__cause__)
    if isinstance(error, DBAPIError | sqlite3.Error):
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        found = [advice for words, advice in _ADVICE if any(word in said.casefold() for word in words)]
        text = "The database cannot be used: {said}. {advice}"
        return spoken(text, said=said.splitlines()[0], advice=found[0]) if found else ""
    if isinstance(error, OSError) and error.strerror:
        said = ": ".join([*([str(error.filename)] if error.filename else []), error.strerror]) + "."
        return f"{said} {told(_OWNER)}" if error.errno in (errno.EACCES, errno.EPERM) else said
    return ""
