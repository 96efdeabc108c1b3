"""Explains errors of databases and disks in a sentence with advice."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError

from ...base.errors import Unavailable
from ...storage.database.unavailable import BROKEN_DISK, FULL, OWNER, advice, driver_message, shows_damage
from ..terminal.shell import spoken, told

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
