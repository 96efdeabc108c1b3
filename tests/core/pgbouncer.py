"""PgBouncer in transaction mode, in front of a database of the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import OperationalError, connect
from sqlalchemy.engine import make_url
from tests.ports import free_port

from commensal.parts.backups.databases import split_password

from .processes import wait_until

COMMAND = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
_SETTINGS = """
[databases]
{database} = {target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
max_prepared_statements = 200
"""


@contextmanager
def pgbouncer(folder: Path, url: str, *, size: int = 3) -> Iterator[str]:
    """Runs PgBouncer with `size` connections to the database of `url`. Yields the URL that leads through it."""
    bare, password = split_password(make_url(url))
    port, values = free_port(), {"user": bare.username, "password": password, "host": bare.host, "port": bare.port}
    values |= {name: str(bare.query[name]) for name in ("host", "port") if name in bare.query}
    target = " ".join(f"{name}={value}" for name, value in values.items() if value)
    file = folder / "pgbouncer.ini"
    text = _SETTINGS.format(database=bare.database, target=f"dbname={bare.database} {target}", port=port, size=size)
    file.write_text(text)
    command = [COMMAND, *(["--user", _user(str(values["host"]))] if os.geteuid() == 0 else []), str(file)]
    with (folder / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    pooled = f"postgresql://{bare.username}@127.0.0.1:{port}/{bare.database}"
    try:
        wait_until(lambda: _answers(pooled), f"PgBouncer answers, or says why not: {folder}/pgbouncer.log")
        yield pooled
    finally:
        process.send_signal(signal.SIGQUIT)  # it waits for no client
        process.wait(timeout=30)


def _user(host: str) -> str:
    """Who may open the server's socket: PgBouncer refuses to run as root."""
    return pwd.getpwuid(Path(host).stat().st_uid).pw_name if host.startswith("/") else "nobody"


def _answers(url: str) -> bool:
    try:
        with connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except OperationalError:
        return False
