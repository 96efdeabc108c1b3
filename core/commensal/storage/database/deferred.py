"""A connection to PostgreSQL that delays statements whose answer is not needed, and sends them with the next one.

A round trip to the server costs more than the statement itself: a thread that waits for an answer releases Python's
lock, queues for it again, and holds rows that others need meanwhile. So BEGIN, savepoints and plain writes are kept in
memory and sent together with the next statement whose answer is needed, or with the commit. The server receives all
statements in the order in which they were issued, and executes each by itself. An error names the statement that the
server has refused, and not the one with which it was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from select import POLLIN, poll
from typing import Any, Self

from psycopg import Connection, Cursor, Error
from psycopg.abc import Params, Query
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from .statement_cache import name_statement

_MAX_UNSENT = 20  # statements, which stay in memory with their values


@dataclass(frozen=True, slots=True, eq=False)
class UnsentStatement:
    """A statement that has not been sent yet. Without `values` it controls the transaction, and cannot fail.

    `cursor` will get its answer.
    """

    text: str
    cursor: Cursor[Any]
    values: Params | None = None


class DeferringConnection(Connection[Any]):
    """`unsent` are the delayed statements in their order; `has_unsent_writes` if any of them writes rows."""

    def __init__(self, pgconn: PGconn, *args: Any, **kwargs: Any) -> None:
        super().__init__(pgconn, *args, **kwargs)
        self.unsent: list[UnsentStatement] = []
        self.has_unsent_writes = False
        self.cursor_factory = WaitingCursor

    def defer(self, text: str, values: Params | None = None, cursor: Cursor[Any] | None = None) -> UnsentStatement:
        """Delays a statement until the next one is executed, which then raises the errors of both.

        A `cursor` that is given has the answer as soon as the statement was sent.
        """
        if len(self.unsent) == _MAX_UNSENT:
            self.send()
        statement = UnsentStatement(text, Cursor(self) if cursor is None else cursor, values)
        self.unsent.append(statement)
        self.has_unsent_writes = self.has_unsent_writes or values is not None
        return statement

    def discard(self, since: UnsentStatement | None = None) -> None:
        """Drops the unsent statements: all of them, or `since` and those after it."""
        del self.unsent[0 if since is None else self.unsent.index(since) :]
        self.has_unsent_writes = any(statement.values is not None for statement in self.unsent)

    def catch_up(self) -> None:
        """Sends unsent writes, and raises their errors."""
        if self.has_unsent_writes:
            self.send()

    def send(self) -> None:
        with self._send_unsent():
            pass

    def execute_after_unsent(self, cursor: Cursor[object], text: Any, values: Params | None, **kwargs: Any) -> None:
        """Executes a statement on psycopg's `cursor`, in one message with the unsent ones."""
        with self._send_unsent():
            Cursor.execute(cursor, text, values, **kwargs)

    def commit(self) -> None:
        if self.has_unsent_writes:
            self.execute_after_unsent(Cursor(self), "COMMIT", None)
        else:  # only statements that control the transaction, which ends anyway
            self.discard()
            super().commit()

    def rollback(self) -> None:
        self.discard()
        if self.pgconn.transaction_status != TransactionStatus.IDLE:  # the pool asks for it after each commit
            super().rollback()

    def is_open(self) -> bool:
        """Whether the server still answers. It is asked only if it has sent something between two transactions, as it
        does before it ends the connection: to ask each time would be a round trip for each transaction.
        """
        if self.closed:
            return False
        socket = poll()
        socket.register(self.fileno(), POLLIN)
        if not socket.poll(0):
            return True
        with suppress(Error):
            self.execute("SELECT 1")
        return not self.closed

    def cursor(self, name: str = "", **kwargs: Any) -> Any:
        if name:  # psycopg's server-side cursors execute without our WaitingCursor
            self.send()
        return super().cursor(name, **kwargs)

    @contextmanager
    def _send_unsent(self) -> Iterator[None]:
        if not self.unsent:
            yield
            return
        statements = tuple(self.unsent)
        try:
            with self.pipeline():
                for statement in statements:  # one that cannot be sent stays, so that the commit fails too
                    Cursor.execute(statement.cursor, statement.text, statement.values)
                self.discard()
                yield
        except Error as error:
            # They are answered in their order until one fails.
            if text := next((statement.text for statement in statements if statement.cursor.pgresult is None), ""):
                name_statement(error, text)
            raise


class WaitingCursor(Cursor[Any]):
    """A cursor whose statements are sent at once, after the unsent ones of its connection."""

    _conn: DeferringConnection

    def execute(self, query: Any, params: Params | None = None, **kwargs: Any) -> Self:
        if self._conn.unsent:
            self._conn.execute_after_unsent(self, query, params, **kwargs)
            return self
        return super().execute(query, params, **kwargs)

    def executemany(self, query: Query, params_seq: Iterable[Params], **kwargs: Any) -> None:
        self._conn.send()
        super().executemany(query, params_seq, **kwargs)

    def stream(self, query: Query, params: Params | None = None, **kwargs: Any) -> Iterator[object]:
        self._conn.send()
        return super().stream(query, params, **kwargs)

    def copy(self, statement: Query, params: Params | None = None, **kwargs: Any) -> Any:
        self._conn.send()
        return super().copy(statement, params, **kwargs)
