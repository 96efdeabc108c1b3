"""What a transaction holds: its connection, and on SQLite the turn of the one writer.

It can be taken away by another thread while its own thread is stuck in a plugin, and it can be kept to reading for a
while. Neither is a matter of goodwill: the database itself refuses, or undoes.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import StaticPool
from sqlalchemy.engine import Connection

from ...base.errors import StoreError
from .gate import Turn
from .guard import guard_of
from .savepoint import PostgresqlSavepoint, Savepoint, SqliteSavepoint
from .statement_cache import fail

_HURRY = 0.1  # seconds that a statement under way gets before it is interrupted
_CANCEL = 2.0  # seconds that PostgreSQL gets to hear that a statement is to be cancelled


class Hold:
    """`taken`: it was taken away. Nothing that the transaction did will be committed, whatever happens afterwards.

    `collected` are the lists that the transaction fills in memory: savepoints undo them as they undo the database.
    """

    def __init__(self, connection: Connection, turn: Turn, collected: Sequence[list[Any]] = ()) -> None:
        self.taken = False
        self.asked: tuple[str, str] | None = None  # the plugin that works in it now, and its hook
        self._connection, self._turn, self._collected = connection, turn, collected
        self._innermost: Savepoint | None = None  # of the attempts under way
        self._only_reads = bool(connection.get_execution_options().get("reading", False))
        self._kept_to_reading = False
        self._in_memory = isinstance(connection.engine.pool, StaticPool)
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._driver: Any = connection.connection.driver_connection
        self._guard = guard_of(self._driver, self._on_sqlite, self._only_reads, self._set_savepoint)

    def take_away(self) -> None:
        """Rolls back and lets the next writer go on. Called by the watchdog, while the owner's thread is stuck.

        A database in memory has one connection, which everybody needs: there the transaction is only doomed.
        """
        if self.taken:
            return
        self.taken = True
        if self._in_memory:
            return
        try:
            _take[self._connection.dialect.name](self._driver)
        finally:
            self._turn.end()

    def throw_away(self) -> None:
        """Called by the owner at its end: a connection that was taken away is never used again."""
        if not self._in_memory:
            self._connection.invalidate()

    @contextmanager
    def attempt(self) -> Iterator[Savepoint]:
        """Undoes what is done inside the block where an error ends it, or where the savepoint is rolled back."""
        self.catch_up()
        savepoint = self._set_savepoint()
        around, self._innermost = self._innermost, savepoint
        try:
            yield savepoint
            self.catch_up()
            if savepoint.is_active:
                savepoint.release()
        except BaseException:
            if self._ended_by_database():
                self.take_away()
            elif savepoint.is_active and not self._lost:
                savepoint.rollback()
            raise
        finally:
            self._innermost = around

    def _set_savepoint(self) -> Savepoint:
        kind = SqliteSavepoint if self._on_sqlite else PostgresqlSavepoint
        return kind(self._driver, self._collected)

    def _ended_by_database(self) -> bool:
        """Whether the whole transaction is gone, with its savepoints: the disk was full, or the line was cut."""
        return bool(not self._driver.in_transaction if self._on_sqlite else self._driver.closed)

    def refuse_undone(self) -> None:
        """Raises `StoreError` inside an attempt that was rolled back: a statement would belong to what is around it."""
        if self._innermost is not None and not self._innermost.is_active:
            raise StoreError("This attempt was rolled back: nothing more can be done in it.")

    @contextmanager
    def reading(self) -> Iterator[Callable[[], None]]:
        """What is written until the block ends does not stay: PostgreSQL refuses it, SQLite undoes it at the end.

        What it gives undoes it at once, and makes the transaction usable again after a statement has failed, which
        PostgreSQL wants to be told. Raises `StoreError` at the end where something was undone that nobody has refused.
        """
        if self._kept_to_reading:  # by a block around this one
            yield self._start_again
            return
        if not self._lost:
            self.catch_up()
            self._guard.begin()
        self._kept_to_reading = True
        try:
            yield self._start_again
            self.refuse_written()
        finally:
            self._kept_to_reading = False
            if not self._lost:
                self._guard.end()

    def refuse_written(self) -> None:
        """Raises `StoreError` where something was written inside `reading`, and will be undone."""
        self.catch_up()
        if self._kept_to_reading and not self._lost and self._guard.written():
            raise StoreError("It wrote to the database where it may only read.")

    def catch_up(self) -> None:
        """Raises here what is wrong with statements whose answer nobody has waited for (`Transaction.later`)."""
        if self._on_sqlite or self._lost or not self._driver.owes:
            return
        try:
            self._driver.catch_up()
        except Exception as error:
            fail(self._connection, "what was kept back", error)

    def _start_again(self) -> None:
        if not self._lost:
            self._guard.start_again()

    @property
    def _lost(self) -> bool:
        """What was taken away stays unable to write."""
        return self.taken and not self._in_memory


def _take_sqlite(driver: Any) -> None:
    """Rolls back on the stuck thread's own connection, which SQLite and Python allow from any thread.

    Whatever the plugin sends afterwards would be a transaction of its own, so writing is forbidden first. Only a
    statement that runs is interrupted: the interruption would also hit ours as long as a cursor is open.
    """
    hurry = threading.Timer(_HURRY, driver.interrupt)
    hurry.start()
    try:
        driver.execute("PRAGMA query_only=1")
        if driver.in_transaction:
            driver.execute("ROLLBACK")
    finally:
        hurry.cancel()


def _take_postgresql(driver: Any) -> None:
    """Hangs up. The server rolls back when it finds the line dead; a statement that runs is cancelled before.

    The socket is shut down and not closed: the stuck thread may be about to read from it.
    """
    if driver.closed:
        return
    if driver.info.transaction_status.name == "ACTIVE":
        driver.cancel_safe(timeout=_CANCEL)
    with socket.socket(fileno=os.dup(driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


_take: dict[str, Callable[[Any], None]] = {"sqlite": _take_sqlite, "postgresql": _take_postgresql}
