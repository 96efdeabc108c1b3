"""Makes a transaction read-only for a while: SQLite undoes what is written meanwhile, PostgreSQL refuses it.

A PRAGMA could forbid SQLite to write, but each change of it discards all statements prepared on the connection, and an
order took half as long again. On PostgreSQL the transaction may write again when the savepoint is released. The
savepoint is not rolled back for that: psycopg drops its prepared statements after a ROLLBACK, and an order took half as
long again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .savepoint import Savepoint

if TYPE_CHECKING:
    from .deferred import DeferringConnection


class ReadOnlyGuard(Protocol):
    """Call `begin`, then `restart` after each statement that fails, then `end`."""

    def begin(self) -> None: ...

    def restart(self) -> None:
        """Undoes what was written since `begin`, and makes the transaction usable again."""

    def end(self) -> None: ...

    def has_written(self) -> bool:
        """Whether something was written that the database did not refuse, and that will be undone."""


def read_only_guard(
    driver: Any, on_sqlite: bool, only_reads: bool, set_savepoint: Callable[[], Savepoint]
) -> ReadOnlyGuard:
    if on_sqlite:
        return NoGuard() if only_reads else UndoingGuard(driver, set_savepoint)
    return RefusingGuard(driver, only_reads, set_savepoint)


class UndoingGuard:
    """For SQLite: rolls back to a savepoint. Its count of changed rows shows whether something was written."""

    def __init__(self, driver: sqlite3.Connection, set_savepoint: Callable[[], Savepoint]) -> None:
        self._driver, self._set_savepoint, self._before = driver, set_savepoint, 0

    def begin(self) -> None:
        self._before = self._driver.total_changes
        self._savepoint = self._set_savepoint()

    def restart(self) -> None:
        self._savepoint.undo()
        self._before = self._driver.total_changes

    def end(self) -> None:
        self._savepoint.rollback()

    def has_written(self) -> bool:
        return bool(self._driver.total_changes != self._before)


class RefusingGuard:
    """For PostgreSQL: SET LOCAL after a savepoint. Both are sent with the first statement inside, or never."""

    def __init__(
        self, connection: DeferringConnection, only_reads: bool, set_savepoint: Callable[[], Savepoint]
    ) -> None:
        self._connection, self._only_reads, self._set_savepoint = connection, only_reads, set_savepoint

    def begin(self) -> None:
        self._savepoint = self._set_savepoint()
        self._refuse()

    def restart(self) -> None:
        self._savepoint.undo()
        self._refuse()

    def end(self) -> None:
        if self._connection.has_unsent_writes or self._connection.info.transaction_status.name == "INERROR":
            self._savepoint.undo()
        self._savepoint.rewind()
        self._savepoint.release()

    def has_written(self) -> bool:
        return False

    def _refuse(self) -> None:
        if not self._only_reads:
            self._connection.defer("SET LOCAL transaction_read_only = on")


class NoGuard:
    """For SQLite if the whole transaction only reads: the database refuses each statement that writes anyway."""

    def begin(self) -> None:
        pass

    restart = end = begin

    def has_written(self) -> bool:
        return False
