"""How a transaction is kept to reading for a while: SQLite undoes what is written meanwhile, PostgreSQL refuses it.

SQLite could be forbidden to write by a PRAGMA, but whenever that changes it throws away all statements that it has
prepared on the connection, and an order took half as long again. PostgreSQL gives a released savepoint's transaction
back its right to write. It is not rolled back for that: psycopg forgets all statements it has prepared when it sees a
ROLLBACK, and an order took half as long again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .line import Kept, Line


class Guard(Protocol):
    """Whoever has begun it ends it. Where a statement has failed, it starts again before."""

    def begin(self) -> None: ...

    def start_again(self) -> None:
        """Undoes what was written since the beginning, and makes the transaction usable."""

    def end(self) -> None: ...

    def written(self) -> bool:
        """Whether something was written that nobody has refused, and that will be undone."""


def guard_of(driver: Any, on_sqlite: bool, only_reads: bool) -> Guard:
    if on_sqlite:
        return Reader() if only_reads else Undoing(driver)
    return Refusing(driver, only_reads)


class Undoing:
    """SQLite. How many rows it has changed tells whether something was written."""

    def __init__(self, driver: Any) -> None:
        self._driver, self._before = driver, 0

    def begin(self) -> None:
        self._before = self._driver.total_changes
        self._driver.execute("SAVEPOINT reading")

    def start_again(self) -> None:
        self._driver.execute("ROLLBACK TO reading")
        self._before = self._driver.total_changes

    def end(self) -> None:
        self._driver.execute("ROLLBACK TO reading")
        self._driver.execute("RELEASE reading")

    def written(self) -> bool:
        return bool(self._driver.total_changes != self._before)


class Refusing:
    """PostgreSQL. It hears of the savepoint with the first question, and not at all where nobody asks one."""

    def __init__(self, line: Line, only_reads: bool) -> None:
        self._line, self._only_reads = line, only_reads
        self._savepoint: Kept | None = None

    def begin(self) -> None:
        self._savepoint = self._line.later("SAVEPOINT reading")
        self._refuse()

    def start_again(self) -> None:
        if self._forgotten():
            self.begin()
        else:
            self._line.forget()
            self._line.execute("ROLLBACK TO reading", prepare=False)
            self._refuse()

    def end(self) -> None:
        if self._line.info.transaction_status.name == "INERROR":
            self.start_again()
        if not self._forgotten():
            self._line.later("RELEASE reading")

    def written(self) -> bool:
        return False

    def _refuse(self) -> None:
        if not self._only_reads:
            self._line.later("SET LOCAL transaction_read_only = on")

    def _forgotten(self) -> bool:
        """Takes the savepoint back, and what came after it, where it has not been sent yet."""
        sent = self._savepoint not in self._line.kept
        if not sent:
            self._line.forget(self._savepoint)
        return not sent


class Reader:
    """SQLite where the whole transaction only reads: each statement that writes is refused, and harms nothing."""

    def begin(self) -> None:
        pass

    start_again = end = begin

    def written(self) -> bool:
        return False
