"""Tells errors of an unusable database from errors of the code, and violated constraints as refusals for people."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from ...base.errors import Problem, Refused, Unavailable
from .transaction import Transaction

# Primary result codes of SQLite: https://www.sqlite.org/rescode.html
_SQLITE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
)
_SQLITE_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM_FOR_INDEX = sqlite3.SQLITE_IOERR_SHMSIZE
# SQLSTATE of PostgreSQL (its manual, appendix A): a damaged page or index; connection, resources, shutdown, system.
_DAMAGED_PAGE = ("XX001", "XX002")
_POSTGRESQL = ("08", "53", "57P", "58", *_DAMAGED_PAGE)
_READ_ONLY = "25006"
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)

_READ_ONLY_DISK = Problem(
    "read_only",
    "Run this as the user who owns the folder, look at the modes of the files in it, and whether its disk has become "
    "read-only (`findmnt`).",
)
BROKEN_DISK = Problem(
    "broken_disk",
    "Its disk fails or has become read-only: `dmesg` and `findmnt` tell. Copy the folder to another disk before "
    "anything else.",
)
DAMAGED_FILE = Problem(
    "damaged", "The file is damaged: keep it, and restore the newest backup into a new folder (`commensal restore`)."
)
_DAMAGED_POSTGRESQL = Problem(
    "damaged_postgresql",
    "Look at the disk of PostgreSQL, keep its data, and restore the newest backup into a new database (`commensal "
    "restore`). Where an index is named, `REINDEX INDEX` makes it anew.",
)
FULL = Problem("full", "Make room on its disk.")
_SERVER = Problem("server", "Is the server running, and is database.url right?")
OWNER = Problem("owner", "Run this as the user who owns the folder, and look at the modes of the files in it.")
_ADVICE = (
    (tuple(f"({state})".casefold() for state in _DAMAGED_PAGE), _DAMAGED_POSTGRESQL),
    (("not a database", "malformed", "corrupt"), DAMAGED_FILE),
    (("full", "no space"), FULL),
    (("i/o error", "input/output error", "read-only file system"), BROKEN_DISK),
    (("readonly", "unable to open"), _READ_ONLY_DISK),
    (("permission",), OWNER),
    (("connection", "authentication", "role ", "does not exist"), _SERVER),
)


def advice(message: str) -> Problem | None:
    """What an operator can do about an error of the database or the disk, by its message; None for any other."""
    message = message.casefold()
    return next((problem for words, problem in _ADVICE if any(word in message for word in words)), None)


# What a statement raises, and what the transaction around it raises, if the database cannot be used.
DATABASE_ERRORS = (DBAPIError, Unavailable)


def database_message(error: DBAPIError | Unavailable) -> object:
    """The message of the database itself, without the statement and its values; of its file, if that was moved."""
    return error.values.get("why", error) if isinstance(error, Unavailable) else error.orig


def why_unavailable(error: BaseException, *, writing: bool = False) -> str:
    """The message of the database or the disk, in one line; "" for an error of the code.

    "Read-only" is an error of the code, except while `writing`: then the server has become a standby, or the file
    belongs to somebody else.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = _code(cause)
        is_unavailable = code in _SQLITE or (writing and code == sqlite3.SQLITE_READONLY)
    elif isinstance(cause, OSError):
        is_unavailable = cause.errno in _DISK_ERRORS
    elif type(cause).__module__.startswith("psycopg"):  # not imported, because it need not be installed
        state = _state(cause)
        is_disconnected = not state and type(cause).__name__ == "OperationalError"  # no connection, or a lost one
        is_unavailable = is_disconnected or state.startswith(_POSTGRESQL) or (writing and state == _READ_ONLY)
    else:
        is_unavailable = False
    if not is_unavailable:
        return ""
    if _state(cause) in _DAMAGED_PAGE:  # the message is in the language of the server, so `advice` goes by the code
        return f"{cause.diag.message_primary} ({_state(cause)})"  # type: ignore[union-attr]
    return driver_message(cause)


def driver_message(cause: BaseException | None) -> str:
    """What the driver says, in one line."""
    # libpq indents what it guesses ("Is the server running …?"), which `advice` says.
    lines = [line for line in str(cause).splitlines() if not line.startswith("\t")]
    message = " ".join(" ".join(lines).split()).rstrip(".?!")
    # Only where the disk has no room for its index of the log does SQLite call a full disk an error of the disk.
    return f"{message}, the disk is full" if getattr(cause, "sqlite_errorcode", 0) == _NO_ROOM_FOR_INDEX else message


def shows_damage(error: BaseException) -> bool:
    """Whether a damaged page, index or file of the database was read: by what a statement raises, or the transaction
    around it."""
    raised = error.__cause__ if isinstance(error, Unavailable) else error
    cause = raised.orig if isinstance(raised, DBAPIError) else raised
    is_damaged_file = isinstance(cause, sqlite3.Error) and _code(cause) in _SQLITE_DAMAGED
    return is_damaged_file or _state(cause) in _DAMAGED_PAGE


def _code(error: sqlite3.Error) -> int:
    """The primary result code."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


# Violated constraints: INSERT … ON CONFLICT for both databases, and refusals for people instead of errors.


def insert_or(tx: Transaction, table: Table) -> postgresql.Insert:
    """An INSERT with ``on_conflict_do_nothing`` and ``on_conflict_do_update``, written alike for both databases."""
    return insert_on(tx.postgresql, table)


def insert_on(on_postgresql: bool, table: Table) -> postgresql.Insert:
    """As `insert_or`, for statements that are built once for each database and cached."""
    return postgresql.insert(table) if on_postgresql else cast(postgresql.Insert, sqlite.insert(table))


def insert_once(tx: Transaction, table: Table, values: Mapping[str, object]) -> bool:
    """Inserts the row unless it violates a unique constraint. Returns whether it was inserted.

    Of concurrent transactions that insert the same row, one gets True; the others wait until it has ended.
    """
    return tx.first(_insert_if_absent(tx.postgresql, table), values) is not None


@cache
def _insert_if_absent(on_postgresql: bool, table: Table) -> ReturningInsert[*tuple[object, ...]]:
    return insert_on(on_postgresql, table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@contextmanager
def refuse_conflict(
    tx: Transaction, *, duplicate: Refused | None = None, referenced: Refused | None = None
) -> Iterator[None]:
    """Raises `duplicate` when the block violates a unique constraint, `referenced` when it violates a foreign key.

    Then the work of the block is undone; earlier work of the transaction stays.
    """
    tx.hold.catch_up()  # errors of earlier statements are raised as they are
    try:
        with tx.attempt():
            yield
    except IntegrityError as error:
        state, message = getattr(error.orig, "sqlstate", ""), str(error.orig)
        if duplicate is not None and (state == "23505" or message.startswith("UNIQUE")):
            raise duplicate from error
        if referenced is not None and (state == "23503" or message.startswith("FOREIGN KEY")):
            raise referenced from error
        raise
