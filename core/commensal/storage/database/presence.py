"""A shared lock for processes that use a database, and an exclusive one for the process that changes its schema.

Both end with their process, however it ends: on SQLite an flock beside the file, on PostgreSQL an advisory lock of a
session of its own, which also works between machines.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection, make_url

from ...base.errors import Busy
from .engine import make_engine
from .store import Store

_KEY = 0x636F_6D6D_656E_7361  # of the advisory lock: "commensa"
_PATIENCE = 2.0  # seconds to wait for a lock; a server takes a moment to notice that a killed process is gone
_POLL = 0.05
_HOLDERS = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32 | objid::bigint) = :key AND pid <> pg_backend_pid() ORDER BY application_name"
)

Leave = Callable[[], None]


def announce_presence(store: Store) -> Leave:
    """Takes the shared lock and returns a function that releases it. Raises `Busy` during an upgrade."""
    leave = _try_for_a_while(store, shared=True)
    if leave is None:
        raise Busy("the database is being upgraded; start again when that is done")
    return leave


@contextmanager
def exclusive_access(store: Store) -> Iterator[None]:
    """Holds the exclusive lock during the block. Raises `Busy` that names the other processes, if they are known."""
    leave = _try_for_a_while(store, shared=False)
    if leave is None:
        text = "the instance is running{holders}; stop `commensal serve` and `commensal work` first"
        raise Busy(text, holders=_holders(store))
    try:
        yield
    finally:
        leave()


def _try_for_a_while(store: Store, *, shared: bool) -> Leave | None:
    """Takes the lock and returns a function that releases it; None if others hold it for longer than `_PATIENCE`."""
    deadline = time.monotonic() + _PATIENCE
    try_lock = _lock_session if store.engine.dialect.name == "postgresql" else _lock_file
    while (leave := try_lock(store, shared)) is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    return leave


def _lock_file(store: Store, shared: bool) -> Leave | None:
    database = make_url(store.url).database
    if database in (None, "", ":memory:"):
        return lambda: None
    descriptor = os.open(Path(f"{database}.running"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return partial(os.close, descriptor)


def _lock_session(store: Store, shared: bool) -> Leave | None:
    """The session is taken out of the pool, because it lasts as long as the process. PgBouncer would give it to others
    after each transaction, with the lock: so it goes around that."""
    connection = make_engine(store.url).connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    name = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    try:
        _configure_session(connection)
        is_locked = connection.execute(text(f"SELECT {name}(:key)"), {"key": _KEY}).scalar_one()
    except BaseException:
        connection.close()
        raise
    if not is_locked:
        connection.close()
        return None
    return connection.close


def _configure_session(connection: Connection) -> None:
    """Lets the session be idle for ever, and lets the server notice when the session's machine is gone."""
    settings = {"idle_session_timeout": "0", "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10"}
    host = socket.gethostname().encode("ascii", "replace").decode()  # it is any bytes
    settings["application_name"] = f"process {os.getpid()} on {host}"[:63]
    setting = text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")
    for key, value in settings.items():  # settings that an older server does not have are skipped
        connection.execute(setting, {"name": key, "value": value})


def _holders(store: Store) -> str:
    if store.engine.dialect.name != "postgresql":
        return ""
    with store.read() as tx:
        names = [str(row["application_name"]) for row in tx.all(_HOLDERS.bindparams(key=_KEY))]
    return f" ({', '.join(names)})" if names else ""
