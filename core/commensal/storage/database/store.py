"""The store of one instance: `write()` for one writer at a time, `read()` for snapshots that block nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import Pool

from ...base.clock import Clock
from ...base.errors import Busy, StoreError, Unavailable
from ...base.ids import Ids
from ...base.own_scopes import NO_OWN_SCOPES
from ...base.plugin_fields import DeclaredFields
from .change_capture import Auditor, Trail
from .engine import make_engine, reader_pool
from .errors import shows_damage, why_unavailable
from .gate import OpenGate, ThreadGate, Turn, WriteGate
from .hold import Hold
from .savepoint import after_commit, holding_actions
from .state_mark import Mark, StateMarks
from .transaction import Transaction

Result = TypeVar("Result")
_MAX_TRIES = 5  # of a transaction that PostgreSQL ended to break a deadlock


class Store:
    """An engine, a gate for writers, and the clock, ids and listeners that every transaction gets.

    With `pool_url`, transactions go through PgBouncer; `url` leads to the same database without it, for sessions.
    """

    def __init__(self, url: str, *, clock: Clock, ids: Ids, pool_url: str = "") -> None:
        self.url, self._clock, self._ids = url, clock, ids
        self.worker = ""  # the name of this process in claims: see `jobs.workers`
        # The instance sets these six.
        self.listeners: Mapping[str, Sequence[str]] = {}  # see `Transaction`
        self.plugin_fields = DeclaredFields()  # the same
        self.own_scopes = NO_OWN_SCOPES  # the same
        self.auditor: Auditor | None = None  # writes the audit trail
        self.wake_worker: Callable[[], None] = _wake_nobody  # called after a commit with jobs that are due now
        self.bound: Callable[[Hold, float | None], AbstractContextManager[None]] = (
            _unbounded  # of plugins' transactions
        )
        self.moment_shown: Callable[[Transaction], datetime | None] = _shows_now  # of a replica: what it has repeated
        self.damage = ""  # what the database has said of a damaged page that a transaction of this process has read
        self._before_closing: list[Callable[[], None]] = []
        self.engine = make_engine(pool_url or url, pooled=bool(pool_url))
        self._reading, self._readers = self.engine.execution_options(reading=True), reader_pool(self.engine)
        self._marks = StateMarks(self.engine)
        self._gate: WriteGate | ThreadGate | OpenGate = OpenGate()
        self._read_gate: ThreadGate | OpenGate = OpenGate()
        if self.engine.dialect.name == "sqlite":
            file = make_url(url).database
            if file in (None, "", ":memory:"):
                self._gate = self._read_gate = ThreadGate()
            else:
                self._gate = WriteGate(Path(f"{file}.lock"))

    @contextmanager
    def write(self, *, patience: float = 10.0, seconds: float | None = None) -> Iterator[Transaction]:
        """A transaction that commits at its end and rolls back on any error. Keep it short, and do no I/O in it.

        A transaction of a plugin is rolled back after eight seconds, or after `seconds`, because on SQLite all other
        writers wait for it. Raises `Busy` if other writers hold SQLite for longer than `patience` seconds, and
        `Unavailable` if the database cannot be used.
        """
        trail = Trail(self.auditor) if self.auditor is not None else None
        with (
            holding_actions() as actions,
            self._translated_errors(writing=True),
            self._gate(patience) as turn,
            self._begin(self.engine, self.engine.pool, turn, trail) as tx,
        ):
            with self.bound(tx.hold, seconds):
                yield tx
            if self.auditor is not None and trail is not None and trail.changes and not tx.hold.taken:
                self.auditor.write(tx.connection, trail.changes, tx.new_id, tx.now)
        if any(due_at <= tx.now for due_at in tx.due_moments):
            self.wake_worker()
        for action in actions:
            after_commit(action)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees a snapshot, and in which the database refuses to write."""
        with (
            self._translated_errors(),
            self._read_gate() as turn,
            self._begin(self._reading, self._readers, turn) as tx,
            self.bound(tx.hold, None),
        ):
            yield tx

    @contextmanager
    def _translated_errors(self, *, writing: bool = False) -> Iterator[None]:
        """Turns "locked", "lock timeout" and "no connection is free" into `Busy`, and errors of an unusable database
        into `Unavailable`; every other error passes unchanged."""
        try:
            yield
        except PoolExhausted as error:
            raise Busy("all connections to the database are in use") from error
        except Exception as error:
            driver_error = error.orig if isinstance(error, DBAPIError) else error
            if getattr(driver_error, "sqlstate", "") == "55P03" or (
                isinstance(driver_error, sqlite3.Error) and "is locked" in str(driver_error)
            ):
                raise Busy(str(driver_error)) from error
            if why := why_unavailable(error, writing=writing):
                self.damage = why if shows_damage(error) else self.damage
                raise Unavailable("The database cannot be used: {why}.", why=why) from error
            raise

    @contextmanager
    def _begin(self, engine: Engine, pool: Pool, turn: Turn, trail: Trail | None = None) -> Iterator[Transaction]:
        own_connection = None if pool is engine.pool else pool.connect()
        with Connection(engine, own_connection) as connection, connection.begin():
            tx = self._transaction(connection, turn, trail)
            hold = tx.hold
            try:
                yield tx
            finally:
                if hold.taken:
                    hold.discard()
            if hold.taken:  # the block may have caught the first error, but must not believe that it has committed
                raise StoreError("The transaction took too long and was rolled back.")

    def _transaction(self, connection: Connection, turn: Turn, trail: Trail | None) -> Transaction:
        due_moments: list[datetime] = []
        hold = Hold(connection, turn, [due_moments] if trail is None else [due_moments, trail.changes])
        return Transaction(
            connection,
            self._clock.now(),
            self._ids,
            hold,
            self.listeners,
            self.plugin_fields,
            self.own_scopes,
            trail,
            due_moments,
        )

    def transact(self, act: Callable[[Transaction], Result], *, seconds: float | None = None) -> Result:
        """Runs `act` in a `write` and returns its result; runs it again if PostgreSQL ended it to break a deadlock."""
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                with self.write(seconds=seconds) as tx:
                    return act(tx)
            except OperationalError as error:
                if attempt == _MAX_TRIES or getattr(error.orig, "sqlstate", "") not in ("40001", "40P01"):
                    raise
        raise AssertionError("the loop returns or raises")

    def state_mark(self) -> Mark | None:
        """A mark of what is committed: two that are equal prove that nothing was committed between them, by any
        process. None where the database has none. What is read after a mark is as new as the mark, or newer."""
        return self._marks.read()

    @property
    def pools(self) -> Collection[Pool]:
        """The pools of connections: one, or one for writers and one for readers."""
        return {self.engine.pool, self._readers}

    def before_closing(self, act: Callable[[], None]) -> None:
        """Calls `act` at the beginning of `close`, while the store can still be used."""
        self._before_closing.append(act)

    def close(self) -> None:
        for act in self._before_closing:
            act()
        self._marks.close()
        self._readers.dispose()
        self.engine.dispose()
        self._gate.close()


def _wake_nobody() -> None:
    """For processes without a worker; workers of other processes poll."""


def _shows_now(tx: Transaction) -> None:
    """For a database that is not a replica: its transactions read what is there now."""


def _unbounded(hold: Hold, seconds: float | None) -> AbstractContextManager[None]:
    return _NO_BOUND


_NO_BOUND: AbstractContextManager[None] = nullcontext()
