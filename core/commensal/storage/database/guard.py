"""How a transaction is kept to reading for a while: SQLite undoes what is written meanwhile, PostgreSQL refuses it.

SQLite could be forbidden to write by a PRAGMA, but whenever that changes it throws away all statements that it has
prepared on the connection, and an order took half as long again. PostgreSQL gives a released savepoint's transaction
back its right to write. It is not rolled back for that: psycopg forgets all statements it has prepared when it sees a
ROLLBACK, and an order took half as long again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .savepoint import Savepoint

if TYPE_CHECKING:
    from .deferred import Line


class Guard(Protocol):
    """Whoever has begun it ends it. Where a statement has failed, it starts again before."""

    def begin(self) -> None: ...

    def start_again(self) -> None:
        """Undoes what was written since the beginning, and makes the transaction usable."""

    def end(self) -> None: ...

    def written(self) -> bool:
        """Whether something was written that nobody has refused, and that will be undone."""


def guard_of(driver: Any, on_sqlite: bool, only_reads: bool, set_savepoint: Callable[[], Savepoint]) -> Guard:
    if on_sqlite:
        return Reader() if only_reads else Undoing(driver, set_savepoint)
    return Refusing(driver, only_reads, set_savepoint)


class Undoing:
    """SQLite. How many rows it has changed tells whether something was written."""

    def __init__(self, driver: Any, set_savepoint: Callable[[], Savepoint]) -> None:
        self._driver, self._set_savepoint, self._before = driver, set_savepoint, 0

    def begin(self) -> None:
        self._before = self._driver.total_changes
        self._savepoint = self._set_savepoint()

    def start_again(self) -> None:
        self._savepoint.undo()
        self._before = self._driver.total_changes

    def end(self) -> None:
        self._savepoint.rollback()

    def written(self) -> bool:
        return bool(self._driver.total_changes != self._before)


class Refusing:
    """PostgreSQL. It hears of the savepoint with the first question, and not at all where nobody asks one."""

    def __init__(self, line: Line, only_reads: bool, set_savepoint: Callable[[], Savepoint]) -> None:
        self._line, self._only_reads, self._set_savepoint = line, only_reads, set_savepoint

    def begin(self) -> None:
        self._savepoint = self._set_savepoint()
        self._refuse()

    def start_again(self) -> None:
        self._savepoint.undo()
        self._refuse()

    def end(self) -> None:
        if self._line.owes or self._line.info.transaction_status.name == "INERROR":
            self._savepoint.undo()
        self._savepoint.rewind()
        self._savepoint.release()

    def written(self) -> bool:
        return False

    def _refuse(self) -> None:
        if not self._only_reads:
            self._line.later("SET LOCAL transaction_read_only = on")


class Reader:
    """SQLite where the whole transaction only reads: each statement that writes is refused, and harms nothing."""

    def begin(self) -> None:
        pass

    start_again = end = begin

    def written(self) -> bool:
        return False
