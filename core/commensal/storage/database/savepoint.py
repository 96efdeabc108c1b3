"""Savepoints of a transaction, which restore the database and the lists that the transaction fills in memory.

Every partial rollback uses them. SQLAlchemy's nested transactions do not restore memory, and cost as much time as
verifying a signature.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .deferred import DeferringConnection, UnsentStatement


class Savepoint:
    """A savepoint that is set at once. A rollback shortens each list of `collected` (changes to audit, due times of
    jobs) to its length at this moment.

    Savepoints end from the innermost outwards, so all have the same name: both databases take it for the last one.
    """

    def __init__(self, driver: Any, collected: Sequence[list[object]]) -> None:
        self.is_active = True
        self._driver = driver
        self._lengths = [(items, len(items)) for items in collected]
        self._set()

    def undo(self) -> None:
        """Rolls back to the savepoint, which stays active."""
        self.rewind()
        self._roll_back()

    def rewind(self) -> None:
        """Restores only the lists in memory."""
        for collected, length in self._lengths:
            del collected[length:]

    def rollback(self) -> None:
        """Rolls back to the savepoint and ends it."""
        self.undo()
        self.release()

    def release(self) -> None:
        """Ends the savepoint; its work becomes part of the enclosing transaction or savepoint."""
        self.is_active = False
        self._release()

    def _set(self) -> None:
        raise NotImplementedError

    def _roll_back(self) -> None:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError


class SqliteSavepoint(Savepoint):
    """SQLite rolls a whole transaction back when the disk is full; then there is no savepoint any more."""

    def _set(self) -> None:
        self._driver.execute("SAVEPOINT begun")

    def _roll_back(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK TO begun")

    def _release(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("RELEASE begun")


class PostgresqlSavepoint(Savepoint):
    """SAVEPOINT and RELEASE are sent with the next statement, and not at all if there is none between them."""

    _driver: DeferringConnection
    _statement: UnsentStatement

    def _set(self) -> None:
        self._statement = self._driver.defer("SAVEPOINT begun")

    def _roll_back(self) -> None:
        if self._is_unsent:
            self._driver.discard(self._statement)
            self._set()
        else:
            self._driver.discard()
            self._driver.execute("ROLLBACK TO begun", prepare=False)

    def _release(self) -> None:
        if self._is_unsent and not self._driver.has_unsent_writes:
            self._driver.discard(self._statement)
        else:
            self._driver.defer("RELEASE begun")

    @property
    def _is_unsent(self) -> bool:
        return self._statement in self._driver.unsent


# Runs actions once the write transaction that is open has committed: what announces a change must not undo it.

Action = Callable[[], object]
_waiting: ContextVar[list[Action] | None] = ContextVar("waiting", default=None)  # None: no write transaction is open


def after_commit(action: Action) -> None:
    """Runs `action` when the write transaction that this thread has open commits, or at once if none is open.

    A rollback drops it. An error of the action is raised by the block of the transaction, whose changes remain.
    """
    waiting = _waiting.get()
    if waiting is None:
        action()
    else:
        waiting.append(action)


@contextmanager
def holding_actions() -> Iterator[list[Action]]:
    """In the block, `after_commit` collects actions in this list instead of running them."""
    actions: list[Action] = []
    token = _waiting.set(actions)
    try:
        yield actions
    finally:
        _waiting.reset(token)


# Makes a transaction read-only for a while: SQLite undoes what is written meanwhile, PostgreSQL refuses it.
#
# A PRAGMA could forbid SQLite to write, but each change of it discards all statements prepared on the connection, and
# an order took half as long again. On PostgreSQL the transaction may write again when the savepoint is released. The
# savepoint is not rolled back for that: psycopg drops its prepared statements after a ROLLBACK, and an order took
# half as long again.


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
