"""Engines for SQLite and PostgreSQL: commits survive a power cut, and readers never wait for writers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import InvalidatePoolError, StatementError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, StaticPool

from ...base.errors import SettingsError, StoreError
from ...base.search import search_key
from .state_mark import OpenDatabase
from .statement_cache import failed_statement
from .types import day_of

_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # one fsync for each commit: NORMAL survives kill -9, but not a power cut
    "foreign_keys": "ON",
    "busy_timeout": "10000",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
    "journal_size_limit": str(64 * 1024 * 1024),
}
# Every thread that answers a request may hold a connection, and jobs in the same process a few more. A request that
# gets none within `pool_timeout` seconds is answered that the instance is busy: browsers would not wait longer.
MAX_CONNECTIONS = 48
_POOL = {"pool_size": MAX_CONNECTIONS, "max_overflow": 0, "pool_timeout": 5}
# A PostgreSQL server accepts about a hundred in all, so each process keeps 20 and closes those that it opened beyond.
_POSTGRESQL_POOL = {**_POOL, "pool_size": 20, "max_overflow": MAX_CONNECTIONS - 20}
_REQUIRED = {"journal_mode": ("wal", "memory"), "synchronous": (2,), "foreign_keys": (1,)}


def make_engine(url: str, *, pooled: bool = False) -> Engine:
    """An engine for a SQLAlchemy URL: ``sqlite:///file``, ``sqlite://`` (in memory) or ``postgresql://…``.

    If `pooled`, PgBouncer in transaction mode stands between: a connection has no session of its own there, so what
    others set for a session is set in each transaction.

    Its errors hide the parameters of statements, because errors are logged and parameters hold personal data.

    Raises `SettingsError` for any other database, or if the driver for PostgreSQL is not installed.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not pooled:
        return _sqlite(address)
    if address.get_backend_name() == "postgresql":
        return _postgresql(address.set(drivername="postgresql+psycopg"), pooled)
    text = "database.url: {kind} is not supported; use sqlite or postgresql."
    raise SettingsError(text, kind=address.get_backend_name())


def _sqlite(address: URL) -> Engine:
    opened: OpenDatabase | None = None
    if not address.database or address.database == ":memory:":
        connect_args: dict[str, object] = {"check_same_thread": False}
        engine = create_engine(address, poolclass=StaticPool, hide_parameters=True, connect_args=connect_args)
    else:
        _make_private(Path(address.database))
        opened = OpenDatabase(Path(address.database))
        connect_args = {"timeout": 10, "check_same_thread": False}  # another thread ends a transaction that hangs
        engine = create_engine(
            address,
            **_POOL,
            pool_use_lifo=True,  # the cache of the connection used last is warm
            hide_parameters=True,
            connect_args=connect_args,
        )

    @event.listens_for(engine, "do_connect")
    def connect(dialect: object, record: object, args: object, kwargs: object) -> None:
        if opened is not None:
            opened.refuse_if_moved()  # SQLite would make an empty file under the name
            opened.refuse_if_others_have_a_deleted_log()

    @event.listens_for(engine, "connect")
    def configure(driver: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        driver.isolation_level = None  # the driver's own BEGIN comes too late, which loses updates without an error
        for name, value in _PRAGMAS.items():
            driver.execute(f"PRAGMA {name}={value}")
        for name, allowed in _REQUIRED.items():
            actual = driver.execute(f"PRAGMA {name}").fetchone()[0]
            if actual not in allowed:
                text = "SQLite refused {name}={wanted} and stays at {seen}."
                raise StoreError(text, name=name, wanted=_PRAGMAS[name], seen=actual)
        driver.create_function("local_day", 2, day_of, deterministic=True)
        driver.create_function("search_key", 1, _search_key, deterministic=True)
        record.info["reading"] = False

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = bool(connection.get_execution_options().get("reading", False))
        driver: Any = connection.connection.driver_connection
        if connection.info["reading"] != reading:
            driver.execute(f"PRAGMA query_only={int(reading)}")
            connection.info["reading"] = reading
        driver.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
        if opened is not None and not reading:
            opened.refuse_if_moved()
            opened.refuse_if_log_is_gone(connection.info)

    return engine


def _search_key(text: str | None) -> str | None:
    return None if text is None else search_key(str(text))


def reader_pool(engine: Engine) -> Pool:
    """The pool of connections for reading: the engine's own, except for SQLite in a file, which gets a second pool.

    When `query_only` of a connection changes, SQLite discards every statement prepared on it, and to prepare one costs
    more than to run it. So a connection of SQLite is for reading or for writing, never for both.
    """
    if engine.dialect.name != "sqlite" or isinstance(engine.pool, StaticPool):
        return engine.pool
    pool = engine.pool.recreate()

    @event.listens_for(pool, "connect")
    def only_read(driver: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        driver.execute("PRAGMA query_only=1")
        record.info["reading"] = True

    return pool


def _make_private(file: Path) -> None:
    """Creates a missing file readable by its owner only; SQLite gives the files beside it the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _postgresql(address: URL, pooled: bool) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    try:
        from .deferred import DeferringConnection

        engine = create_engine(
            address,
            **_POSTGRESQL_POOL,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",  # the driver's own BEGIN would cost a round trip
            connect_args=_KEEPALIVES if pooled else {**_KEEPALIVES, "options": options},
            execution_options={"preserve_rowcount": True},  # otherwise an INSERT does not report its number of rows
        )
    except ModuleNotFoundError as missing:
        raise SettingsError("database.url: PostgreSQL needs `pip install 'commensal[postgresql]'`.") from missing

    @event.listens_for(engine, "do_connect")
    def connect(dialect: object, record: object, args: Any, kwargs: Any) -> DeferringConnection:
        return DeferringConnection.connect(*args, **kwargs)

    @event.listens_for(engine, "checkout")
    def replace_ended(driver: DeferringConnection, record: ConnectionPoolEntry, proxy: object) -> None:
        if not driver.is_open():  # the server has restarted, so the pool's other connections have ended too
            raise InvalidatePoolError

    @event.listens_for(engine, "handle_error")
    def name_failed_statement(context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, StatementError):
            context.sqlalchemy_exception.statement = failed_statement(context.original_exception, context.statement)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        execution_options = connection.get_execution_options()
        if execution_options.get("isolation_level") != "AUTOCOMMIT":  # sessions without transactions, see `presence.py`
            driver: Any = connection.connection.driver_connection
            driver.defer(_BEGIN[bool(execution_options.get("reading", False))])
            if pooled:
                driver.defer(_SET_LOCAL)

    return engine


# The kernel notices within 90 seconds that the server's machine is gone, and ends the connection.
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
_SESSION = {"lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s", "timezone": "UTC"}
_SET_LOCAL = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SESSION.items())
# By whether the transaction only reads. A reader gets a snapshot, as on SQLite.
_BEGIN = {False: "BEGIN ISOLATION LEVEL READ COMMITTED", True: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"}
