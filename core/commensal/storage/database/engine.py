"""Engines for SQLite and PostgreSQL, set up so that what is confirmed survives a power cut and readers never wait."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import Pool, StaticPool

from ...base.errors import SettingsError, StoreError
from ...base.search import search_key
from .days import day_of

_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # one fsync for each commit: NORMAL survives kill -9, but not a power cut
    "foreign_keys": "ON",
    "busy_timeout": "10000",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
    "journal_size_limit": str(64 * 1024 * 1024),
}
# Every thread that answers a request may hold a connection, and jobs in the same process a few more. Whoever finds none
# free within `pool_timeout` seconds is told that the instance is busy: their browser would wait no longer.
MOST_CONNECTIONS = 48
_POOL = {"pool_size": MOST_CONNECTIONS, "max_overflow": 0, "pool_timeout": 5}
# PostgreSQL serves some hundred in all, so each process keeps 20, and gives back what it opened beyond them.
_POOL_OF_SERVER = {**_POOL, "pool_size": 20, "max_overflow": MOST_CONNECTIONS - 20}
_WANTED = {"journal_mode": ("wal", "memory"), "synchronous": (2,), "foreign_keys": (1,)}


def make_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL: ``sqlite:///file``, ``sqlite://`` (in memory) or ``postgresql://…``.

    Its errors hide the parameters of statements: they are logged and shown to operators, and hold people's data.

    Raises `SettingsError` for any other database, or where the driver for PostgreSQL is not installed.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    if address.get_backend_name() == "postgresql":
        return _postgresql(address.set(drivername="postgresql+psycopg"))
    text = "database.url: {kind} is not supported; use sqlite or postgresql."
    raise SettingsError(text, kind=address.get_backend_name())


def _sqlite(address: URL) -> Engine:
    if not address.database or address.database == ":memory:":
        shared: dict[str, Any] = {"check_same_thread": False}
        engine = create_engine(address, poolclass=StaticPool, hide_parameters=True, connect_args=shared)
    else:
        _make_private(Path(address.database))
        shared = {"timeout": 10, "check_same_thread": False}  # a transaction that hangs is ended by another thread
        engine = create_engine(
            address,
            **_POOL,
            pool_use_lifo=True,  # who wrote last still has in its cache what the next one reads
            hide_parameters=True,
            connect_args=shared,
        )

    @event.listens_for(engine, "connect")
    def configure(driver: Any, record: Any) -> None:
        driver.isolation_level = None  # the driver's own BEGIN comes too late: it loses updates without an error
        for name, value in _PRAGMAS.items():
            driver.execute(f"PRAGMA {name}={value}")
        for name, allowed in _WANTED.items():
            seen = driver.execute(f"PRAGMA {name}").fetchone()[0]
            if seen not in allowed:
                text = "SQLite refused {name}={wanted} and stays at {seen}."
                raise StoreError(text, name=name, wanted=_PRAGMAS[name], seen=seen)
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

    return engine


def _search_key(text: str | None) -> str | None:
    return None if text is None else search_key(str(text))


def readers_of(engine: Engine) -> Pool:
    """Where to get connections that only read; the engine's own pool, unless it is SQLite in a file.

    There, readers are kept apart from writers: when a connection's `query_only` changes, SQLite throws away every
    statement that it has prepared on it, and preparing one costs more than running it.
    """
    if engine.dialect.name != "sqlite" or isinstance(engine.pool, StaticPool):
        return engine.pool
    pool = engine.pool.recreate()

    @event.listens_for(pool, "connect")
    def only_read(driver: Any, record: Any) -> None:
        driver.execute("PRAGMA query_only=1")
        record.info["reading"] = True

    return pool


def _make_private(file: Path) -> None:
    """A new database is its owner's alone; SQLite gives the files beside it the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _postgresql(address: URL) -> Engine:
    options = "-c lock_timeout=3s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
    try:
        from .deferred import Line

        engine = create_engine(
            address,
            **_POOL_OF_SERVER,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",  # the driver's own BEGIN would be a message for itself
            connect_args={"options": options},
            execution_options={"preserve_rowcount": True},  # else an INSERT does not tell whether it inserted
        )
    except ModuleNotFoundError as missing:
        raise SettingsError("database.url: PostgreSQL needs `pip install 'commensal[postgresql]'`.") from missing

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, given: Any, named: Any) -> Line:
        return Line.connect(*given, **named)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        asked = connection.get_execution_options()
        if asked.get("isolation_level") != "AUTOCOMMIT":  # else it is a session that outlasts transactions
            driver: Any = connection.connection.driver_connection
            driver.later(_BEGIN[bool(asked.get("reading", False))])

    return engine


# A reader has a snapshot, as on SQLite.
_BEGIN = {False: "BEGIN ISOLATION LEVEL READ COMMITTED", True: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"}
