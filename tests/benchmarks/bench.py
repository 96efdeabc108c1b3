"""Figures of an instance: orders, pages and lists, with a past of a million order lines and without. `make bench`.

Each figure stands beside a bare baseline measured in the same run, because machines differ and are shared: read the
ratios, and the processor time, which waits for nobody. The clients run in a process of their own; server and database
share the machine with them. What is compared takes turns, round by round, and the median round counts.

    python -m tests.benchmarks.bench [sqlite] [postgresql] [LINES]

LINES is how long the past is; 0 leaves it out.
"""

from __future__ import annotations

import multiprocessing
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

from commensal.instance import open_instance
from commensal.testing.many_lines import EACH, add_orders, fill, write

from . import baseline, history
from .load import Ask, Load, load
from .stand import ITEMS, Server, order, postgresql, serving, set_up

ROUNDS, ORDERS, PAGES = 5, 200, 60
REPORTED = 30_000  # order lines in a report
MANY = 10_000  # items of the large sale


def main() -> None:
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("starlette", "sqlalchemy", "uvicorn")), end=", ")
    print(f"SQLite {sqlite3.sqlite_version}")
    asked = sys.argv[1:]
    lines = next((int(one) for one in asked if one.isdigit()), history.LINES)
    databases = [one for one in asked if not one.isdigit()] or ["sqlite", "postgresql"]
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        for name in databases:
            with _urls(name, Path(folder)) as urls:
                _bench(name, Path(folder), urls, lines)


@contextmanager
def _urls(name: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Of three empty databases."""
    if name == "sqlite":
        yield "", "", ""
        return
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    with postgresql(folder) as url:
        address = make_url(url).set(drivername="postgresql+psycopg")
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        names = ("young", "old", "large")
        with admin.connect() as connection:
            for one in names:
                connection.execute(text(f"CREATE DATABASE {one}"))
        admin.dispose()
        young, old, large = (
            address.set(drivername="postgresql", database=one).render_as_string(hide_password=False) for one in names
        )
        yield young, old, large


def _bench(name: str, folder: Path, urls: tuple[str, str, str], lines: int) -> None:
    young, old, large = (folder / f"{name}-{one}" for one in ("young", "old", "large"))
    items = {one: set_up(one, url) for one, url in ((young, urls[0]), (old, urls[1]))}
    if lines:
        begun = time.perf_counter()
        with open_instance(old) as instance:
            history.add_history(instance.store, lines)
        print(f"{name}: a past of {lines:,} order lines, made in {time.perf_counter() - begun:.0f} s")
    with ExitStack() as stack:
        base = stack.enter_context(baseline.served(_made(folder / f"{name}-base")))
        servers = {one: stack.enter_context(serving(one, "--no-jobs")) for one in (young, old)}
        _start_up(name, servers[young])
        for clients in (1, 8):
            _orders(name, clients, base, [(servers[one], items[one]) for one in (young, old)])
        for path in ("/sales/shop-session", "/api/sale-sessions/shop-session/offers?limit=200"):
            _pages(name, path, [servers[young], servers[old]])
        print(f"{name}: memory after that {servers[young].memory:.0f} MB")
    set_up(large, urls[2], MANY)
    with serving(large, "--no-jobs") as server:
        for path in ("/sales/shop-session", "/api/sale-sessions/shop-session/offers?limit=200"):
            asks: list[Ask] = [("GET", path, "", {})] * 5
            one = _median([load(server.address, 1, asks, 200, cpu=server.cpu) for _ in range(3)])
            print(f"{name}: GET {path} of {MANY} items: {1000 / one.rate:.0f} ms, {one.cpu:.0f} ms CPU, 1 client")
    for format in ("csv", "jsonl", "html", "xlsx"):
        seconds = [_report(one, format) for one in (young, old)]
        ratio = seconds[1] / seconds[0]
        print(f"{name}: {REPORTED} order lines as {format}: {seconds[0]:.2f} s; with a past {ratio:.0%} of that")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start_up(name: str, server: Server) -> None:
    time.sleep(1)
    cpu = server.cpu()
    print(f"{name}: serves after {server.started_in:.1f} s, {cpu:.1f} s CPU; memory at rest {server.memory:.0f} MB")


def _orders(name: str, clients: int, base: str, shops: Sequence[tuple[Server, list[str]]]) -> None:
    rounds: list[list[Load]] = [[] for _ in range(1 + len(shops))]
    for number in range(ROUNDS):
        rounds[0].append(load(base, clients, [baseline.ORDER] * ORDERS, 201))
        for results, (server, items) in zip(rounds[1:], shops, strict=True):
            asks = [order(items, number * ORDERS + one) for one in range(ORDERS)]
            results.append(load(server.address, clients, asks, 201, cpu=server.cpu))
    bare, young, old = (_median(one) for one in rounds)
    print(f"{name}: {clients} clients: baseline {_said(bare, 'orders')}")
    print(f"{name}: {clients} clients: {_said(young, 'orders')}, {young.rate / bare.rate:.0%} of the baseline")
    print(f"{name}: {clients} clients: {_said(old, 'orders')} with a past, {_ratio(young, old)}")


def _pages(name: str, path: str, servers: Sequence[Server]) -> None:
    rounds: list[list[Load]] = [[] for _ in servers]
    asks: list[Ask] = [("GET", path, "", {})] * PAGES
    for _ in range(ROUNDS):
        for results, server in zip(rounds, servers, strict=True):
            results.append(load(server.address, 4, asks, 200, cpu=server.cpu))
    young, old = (_median(one) for one in rounds)
    print(f"{name}: GET {path} of {ITEMS} items: {_said(young, 'answers')}; with a past {_ratio(young, old)}")


def _said(one: Load, what: str) -> str:
    return f"{one.rate:.0f} {what}/s, p95 {one.p95:.0f} ms, {one.cpu:.2f} ms CPU"


def _ratio(young: Load, old: Load) -> str:
    return f"{old.rate / young.rate:.0%} of the rate, {old.cpu / young.cpu:.0%} of the CPU"


def _median(rounds: Sequence[Load]) -> Load:
    """The round whose rate is in the middle."""
    return sorted(rounds, key=lambda one: one.rate)[len(rounds) // 2]


def _report(folder: Path, format: str) -> float:
    """Seconds for order lines in a format, from the question to the last byte; the second of two runs counts."""
    with open_instance(folder) as instance:
        if format == "csv":
            with instance.store.write() as tx:
                fill(tx, "reported")
                add_orders(tx, 2, 1 + REPORTED // EACH, "reported")
        write(instance.store, format, "reported")
        begun = time.perf_counter()
        write(instance.store, format, "reported")
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
