"""A mark of what a database holds: two that are equal prove that nothing was committed between them, by any process."""

from __future__ import annotations

from threading import Lock
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

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
