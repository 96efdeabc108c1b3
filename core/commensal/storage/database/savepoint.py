"""Savepoints of a transaction, which restore the database and the lists that the transaction fills in memory.

Every partial rollback uses them. SQLAlchemy's nested transactions do not restore memory, and cost as much time as
verifying a signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
