"""Which errors say that the database cannot be used, and not that the code is wrong."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError

# Primary result codes of SQLite: https://www.sqlite.org/rescode.html
_SQLITE = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
)  # fmt: skip
# Classes of PostgreSQL's SQLSTATE (its manual, appendix A): connection, resources, shutdown, system.
_POSTGRESQL = ("08", "53", "57P", "58")
_READ_ONLY = "25006"
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def why_unavailable(error: BaseException, *, writing: bool = False) -> str:
    """What the database or the disk says, in one line; empty for an error of the code. That it can only be read is one,
    except for who is `writing`: then it has become a standby, or its file belongs to somebody else."""
    said = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(said, sqlite3.Error):
        code = (getattr(said, "sqlite_errorcode", None) or 0) & 0xFF
        known = code in _SQLITE or (writing and code == sqlite3.SQLITE_READONLY)
    elif isinstance(said, OSError):
        known = said.errno in _OF_DISKS
    elif type(said).__module__.startswith("psycopg"):  # which need not be installed
        state = getattr(said, "sqlstate", None)
        lost = state is None and type(said).__name__ == "OperationalError"  # of a connection that never was, or is gone
        known = lost or (state or "").startswith(_POSTGRESQL) or (writing and state == _READ_ONLY)
    else:
        known = False
    return " ".join(str(said).split()) if known else ""
