"""What a transaction holds: its connection, and on SQLite the turn of the one writer.

Another thread can take both away while the transaction's own thread hangs in a plugin, and the transaction can be made
read-only for a while. The database itself enforces both, whatever the plugin does.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import StaticPool
from sqlalchemy.engine import Connection

from ...base.errors import StoreError
from .gate import Turn
from .savepoint import PostgresqlSavepoint, Savepoint, SqliteSavepoint, read_only_guard
from .statement_cache import raise_database_error

_GRACE = 0.1  # seconds before a running statement is interrupted
_CANCEL_TIMEOUT = 2.0  # seconds for PostgreSQL to receive the request to cancel a statement


class Hold:
    """The connection and the turn of one transaction, and its savepoints.

    `taken` is True once they were taken away: then nothing of the transaction will be committed. `collected` are the
    lists that the transaction fills in memory; a rollback to a savepoint shortens them too. `only_reads`: it was opened
    to read.
    """

    def __init__(self, connection: Connection, turn: Turn, collected: Sequence[list[Any]] = ()) -> None:
        self.taken = False
        self.current_call: tuple[str, str] | None = None  # the plugin that is using it, and the hook
        self._connection, self._turn, self._collected = connection, turn, collected
        self._innermost: Savepoint | None = None  # of nested attempts
        self.only_reads = bool(connection.get_execution_options().get("reading", False))
        self._is_read_only = False
        self._in_memory = isinstance(connection.engine.pool, StaticPool)
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._driver: Any = connection.connection.driver_connection
        self._guard = read_only_guard(self._driver, self._on_sqlite, self.only_reads, self._set_savepoint)

    def take_away(self) -> None:
        """Rolls back and lets the next writer go on. The watchdog calls it while the owner's thread hangs.

        A database in memory has one connection for all: there the transaction is only marked, and rolled back at its
        end.
        """
        if self.taken:
            return
        self.taken = True
        if self._in_memory:
            return
        try:
            _TAKE_AWAY[self._connection.dialect.name](self._driver)
        finally:
            self._turn.end()

    def discard(self) -> None:
        """Closes a connection that was taken away, so that it is never used again. The owner calls it at its end."""
        if not self._in_memory:
            self._connection.invalidate()

    @contextmanager
    def attempt(self) -> Iterator[Savepoint]:
        """Undoes the work of the block if an error ends it, or if the block rolls the savepoint back."""
        self.catch_up()
        savepoint = self._set_savepoint()
        enclosing, self._innermost = self._innermost, savepoint
        try:
            yield savepoint
            self.catch_up()
            if savepoint.is_active:
                savepoint.release()
        except BaseException:
            if self._was_ended_by_database():
                self.take_away()
            elif savepoint.is_active and not self._is_gone:
                savepoint.rollback()
            raise
        finally:
            self._innermost = enclosing

    def _set_savepoint(self) -> Savepoint:
        savepoint_class = SqliteSavepoint if self._on_sqlite else PostgresqlSavepoint
        return savepoint_class(self._driver, self._collected)

    def _was_ended_by_database(self) -> bool:
        """Whether the whole transaction is gone with its savepoints: the disk is full, or the connection was lost."""
        return bool(not self._driver.in_transaction if self._on_sqlite else self._driver.closed)

    def refuse_after_rollback(self) -> None:
        """Raises `StoreError` inside an attempt that was rolled back: statements would affect the enclosing one."""
        if self._innermost is not None and not self._innermost.is_active:
            raise StoreError("This attempt was rolled back: nothing more can be done in it.")

    @contextmanager
    def reading(self) -> Iterator[Callable[[], None]]:
        """Makes the transaction read-only inside the block: PostgreSQL refuses writes, SQLite undoes them at the end.

        Yields a function that undoes writes at once and makes the transaction usable after a statement has failed.
        Raises `StoreError` at the end if SQLite undid something.
        """
        if self._is_read_only:  # by a block around this one
            yield self._restart
            return
        if not self._is_gone:
            self.catch_up()
            self._guard.begin()
        self._is_read_only = True
        try:
            yield self._restart
            self.refuse_writes()
        finally:
            self._is_read_only = False
            if not self._is_gone:
                self._guard.end()

    def refuse_writes(self) -> None:
        """Raises `StoreError` if something was written inside `reading`, which will be undone."""
        if not self._on_sqlite:
            self.catch_up()
        if self._is_read_only and not (self.taken and not self._in_memory) and self._guard.has_written():
            raise StoreError("It wrote to the database where it may only read.")

    def catch_up(self) -> None:
        """Sends delayed statements (see `Transaction.later`), and raises their errors here."""
        if self._on_sqlite or self._is_gone or not self._driver.has_unsent_writes:
            return
        try:
            self._driver.catch_up()
        except Exception as error:
            raise_database_error(self._connection, "what was kept back", error)

    def _restart(self) -> None:
        if not self._is_gone:
            self._guard.restart()

    @property
    def _is_gone(self) -> bool:
        """Whether the connection was taken away, and can execute nothing any more."""
        return self.taken and not self._in_memory


def _take_sqlite(driver: sqlite3.Connection) -> None:
    """Rolls back on the connection of the thread that hangs, which SQLite and Python allow from any thread.

    Statements that the plugin executes afterwards would be transactions of their own, so writing is forbidden first.
    A running statement is interrupted only after a moment: the interruption would also hit ours while a cursor is open.
    """
    interrupter = threading.Timer(_GRACE, driver.interrupt)
    interrupter.start()
    try:
        driver.execute("PRAGMA query_only=1")
        if driver.in_transaction:
            driver.execute("ROLLBACK")
    finally:
        interrupter.cancel()


def _take_postgresql(driver: Any) -> None:
    """Cancels a running statement and shuts the connection down; the server rolls back when it notices that.

    The socket is not closed, because the thread that hangs may be about to read from it.
    """
    if driver.closed:
        return
    if driver.info.transaction_status.name == "ACTIVE":
        driver.cancel_safe(timeout=_CANCEL_TIMEOUT)
    with socket.socket(fileno=os.dup(driver.fileno())) as connection_socket:
        connection_socket.shutdown(socket.SHUT_RDWR)


_TAKE_AWAY: dict[str, Callable[[Any], None]] = {"sqlite": _take_sqlite, "postgresql": _take_postgresql}
