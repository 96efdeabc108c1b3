"""Savepoints of a transaction, which restore the database and the lists that the transaction fills in memory.

Every partial rollback uses them. SQLAlchemy's nested transactions do not restore memory, and cost as much time as
verifying a signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
