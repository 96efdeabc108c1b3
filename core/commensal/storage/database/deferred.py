"""A connection to PostgreSQL on which what nobody waits for travels with the next statement that somebody waits for.

A message there and back costs more than what it says: whoever waits lets other threads go on, queues for Python's lock
again, and meanwhile holds the rows that others need. So BEGIN, savepoints, and rows that are only written down are kept
back, and sent together with the next statement or the commit. The database hears everything in the order in which it
was said, and executes each by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from psycopg import Connection, Cursor

_MOST = 20  # statements that are kept back: what they carry lies in memory


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A statement that has not been sent yet. One without values is about the transaction, and nothing can be wrong
    with it."""

    text: str
    values: Any = None


class Line(Connection[Any]):
    """`kept` are the statements that have not been sent yet, in their order; it `owes` where rows are among them."""

    def __init__(self, pgconn: Any, *given: Any, **more: Any) -> None:
        super().__init__(pgconn, *given, **more)
        self.kept: list[Kept] = []
        self.owes = False
        self.cursor_factory = Asking

    def later(self, text: str, values: Any = None) -> Kept:
        """Has it executed before whatever is executed next. What is wrong with it is raised then."""
        if len(self.kept) == _MOST:
            self.send()
        one = Kept(text, values)
        self.kept.append(one)
        self.owes = self.owes or values is not None
        return one

    def forget(self, since: Kept | None = None) -> None:
        """Takes back what has not been sent yet: all of it, or from this statement on."""
        del self.kept[0 if since is None else self.kept.index(since) :]
        self.owes = any(one.values is not None for one in self.kept)

    def catch_up(self) -> None:
        """Raises what is wrong with what was said until now."""
        if self.owes:
            self.send()

    def send(self) -> None:
        with self._sending():
            pass

    def execute_too(self, cursor: Cursor[Any], text: Any, values: Any, **more: Any) -> None:
        """Executes a statement of psycopg's, in one message with what was kept back."""
        with self._sending():
            Cursor.execute(cursor, text, values, **more)

    def commit(self) -> None:
        if self.owes:
            self.execute_too(Cursor(self), "COMMIT", None)
        else:  # what is about the transaction ends with it
            self.forget()
            super().commit()

    def rollback(self) -> None:
        self.forget()
        super().rollback()

    def cursor(self, name: str = "", **more: Any) -> Any:
        if name:  # a cursor of the server speaks for itself
            self.send()
        return super().cursor(name, **more)

    @contextmanager
    def _sending(self) -> Iterator[None]:
        if not self.kept:
            yield
            return
        with self.pipeline():
            for one in self.kept:  # one that cannot even be sent stays, and stands against the commit
                Cursor(self).execute(one.text, one.values)
            self.forget()
            yield


class Asking(Cursor[Any]):
    """A cursor whose statement is waited for."""

    _conn: Line

    def execute(self, query: Any, params: Any = None, **more: Any) -> Self:
        if self._conn.kept:
            self._conn.execute_too(self, query, params, **more)
            return self
        return super().execute(query, params, **more)

    def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
        self._conn.send()
        super().executemany(query, params_seq, **more)

    def stream(self, query: Any, params: Any = None, **more: Any) -> Iterator[Any]:
        self._conn.send()
        return super().stream(query, params, **more)

    def copy(self, statement: Any, params: Any = None, **more: Any) -> Any:
        self._conn.send()
        return super().copy(statement, params, **more)
