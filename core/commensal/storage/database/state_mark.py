"""Whether a database is as it was: a mark of what is committed, and a look at whether its files were moved or
replaced."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ...base.errors import Unavailable

# SQLite's number is of one connection, which must not write itself, and grows when another one has committed. In
# PostgreSQL a snapshot names the transactions whose effects it shows, so equal ones show the same rows.
_QUESTIONS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_snapshot()::text"}
_PATIENCE = 1.0  # seconds to wait for the connection

Mark = tuple[int, str]  # which connection, and what it answered


class StateMarks:
    """Reads marks over a connection of its own, which is opened with the first."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock = engine, Lock()
        self._connection: Any = None
        self._connections = 0

    def read(self) -> Mark | None:
        """The mark of this moment; None where the database has none: in memory, or if it does not answer."""
        if isinstance(self._engine.pool, StaticPool) or not self._lock.acquire(timeout=_PATIENCE):
            return None
        try:
            cursor = self._connect().cursor()
            answer = cursor.execute(_QUESTIONS[self._engine.dialect.name]).fetchone()
            cursor.close()
            return self._connections, str(answer[0])
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):  # the caller's own statements tell it
            self._disconnect()
            return None
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _connect(self) -> Any:
        if self._connection is None:
            connection = self._engine.raw_connection()
            self._connection = connection.driver_connection
            connection.detach()  # it stays out of the pool
            self._connections += 1
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


# Notices that the files of an open SQLite database were moved, deleted or replaced.
#
# SQLite goes on writing into a file that has lost its name, and commits succeed: what is written then is gone when
# the process ends. So each write transaction looks first whether the names still lead to the files that are open.
#
# A process that begins while another one has a deleted write-ahead log open would make a log of its own. When the
# other ends, it writes its log back over what was written meanwhile. So nobody begins before all others have ended.

_Identity = tuple[int, int]  # device, inode
_POLL = 0.05


class OpenDatabase:
    """The file of a database, as it was when it was first opened."""

    def __init__(self, file: Path) -> None:
        self._file, self._wal = file, Path(f"{file}-wal")
        self._opened = _identity(file)
        self._log_is_common = False

    def refuse_if_others_have_a_deleted_log(self) -> None:
        """Raises `Unavailable` if another process uses the database and its write-ahead log has no name any more. To be
        called before the first connection, which makes a new log."""
        deadline = time.monotonic() + _PATIENCE
        while not (self._log_is_common or self._wal.exists()) and _others_use(self._file):
            if time.monotonic() > deadline:
                text = (
                    "{file} was deleted while other processes use the database. Stop them all, `commensal serve` and "
                    "`commensal work`, then start them again; what was written is not lost."
                )
                raise Unavailable(text, file=self._wal)
            time.sleep(_POLL)
        self._log_is_common = True

    def refuse_if_moved(self) -> None:
        """Raises `Unavailable` if the name of the file leads to another file, or to none."""
        if _identity(self._file) != self._opened:
            text = (
                "{file} was moved, deleted or replaced while process {pid} has it open, and nothing is written until "
                "the same file is back. If nobody has it, copy it from /proc/{pid}/fd before you stop anything."
            )
            raise Unavailable(text, file=self._file, pid=os.getpid())

    def refuse_if_log_is_gone(self, info: dict[Any, Any]) -> None:
        """Raises `Unavailable` if the write-ahead log is another than when the connection first wrote. SQLite
        removes it only with the last connection. `info` is what is kept with the connection."""
        current = _identity(self._wal)
        if info.setdefault("wal", current) != current:
            text = (
                "{file} was moved, deleted or replaced while process {pid} has it open, and nothing is written until "
                "you have stopped all processes of this instance and start them again; what was written is not lost."
            )
            raise Unavailable(text, file=self._wal, pid=os.getpid())


def _others_use(database: Path) -> bool:
    """Whether another process has the shared lock of `presence`; not if one has the exclusive one, as upgrades do."""
    try:
        descriptor = os.open(f"{database}.running", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _can_lock(descriptor, fcntl.LOCK_EX) and _can_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _can_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identity(file: Path) -> _Identity | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino
