"""A point in a transaction to which it can return: in the database, and in what it has collected in memory.

Every partial rollback goes through here. SQLAlchemy's nested transactions know nothing of the memory, and cost as much
as checking a signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deferred import Kept, Line


class Savepoint:
    """`collected` are the lists that the transaction fills while it runs (changes to audit, due times of jobs): a
    rollback cuts each of them to the length that it has now.

    Savepoints end from the innermost outwards, so all of them can have one name: both databases take it for the last.
    """

    def __init__(self, driver: Any, collected: Sequence[list[Any]]) -> None:
        self.is_active = True
        self._driver = driver
        self._lengths = [(each, len(each)) for each in collected]
        self._set()

    def undo(self) -> None:
        """Rolls back to the savepoint, which stays: the transaction may go on from there."""
        self.rewind()
        self._roll_back()

    def rewind(self) -> None:
        """Rolls back the memory alone, where the database has refused to write anything."""
        for collected, length in self._lengths:
            del collected[length:]

    def rollback(self) -> None:
        """Rolls back to the savepoint and ends it."""
        self.undo()
        self.release()

    def release(self) -> None:
        """Ends the savepoint. What was done since it was set now belongs to the transaction around it."""
        self.is_active = False
        self._release()

    def _set(self) -> None:
        raise NotImplementedError

    def _roll_back(self) -> None:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError


class SqliteSavepoint(Savepoint):
    """SQLite itself rolls a whole transaction back when its disk is full: then there is nothing left to return to."""

    def _set(self) -> None:
        self._driver.execute("SAVEPOINT begun")

    def _roll_back(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK TO begun")

    def _release(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("RELEASE begun")


class PostgresqlSavepoint(Savepoint):
    """SAVEPOINT and RELEASE travel with the next statement, and not at all where there is none between them."""

    _driver: Line
    _kept: Kept

    def _set(self) -> None:
        self._kept = self._driver.later("SAVEPOINT begun")

    def _roll_back(self) -> None:
        if self._unsent:
            self._driver.forget(self._kept)
            self._set()
        else:
            self._driver.forget()
            self._driver.execute("ROLLBACK TO begun", prepare=False)

    def _release(self) -> None:
        if self._unsent and not self._driver.owes:
            self._driver.forget(self._kept)
        else:
            self._driver.later("RELEASE begun")

    @property
    def _unsent(self) -> bool:
        return self._kept in self._driver.kept
