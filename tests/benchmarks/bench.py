"""Figures of an instance: orders, pages and lists, with a past of a million order lines and without. `make bench`.

Each figure stands beside a bare baseline measured in the same run, because machines differ and are shared: read the
ratios, and the processor time, which waits for nobody. The clients run in a process of their own; server and database
share the machine with them. What is compared takes turns, round by round, and the median round counts; one round goes
before them, in which servers get warm.

    python -m tests.benchmarks.bench [quick] [sqlite] [postgresql] [LINES]

LINES is how long the past is; 0 leaves it out. `quick` asks for all the same figures by fewer and shorter rounds, with
a past of 20,000 lines: a few minutes instead of an hour.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from commensal.instance import open_instance
from commensal.storage.database import Store
from commensal.testing.many_lines import EACH, add_orders, fill, write

from . import baseline, history
from .load import Ask, Load, load
from .stand import ITEMS, Server, empty_databases, order, serving, set_up

REPORTED = 30_000  # order lines in a report
MANY = 10_000  # items of the large sale
_DATABASES = ["sqlite", "postgresql"]


@dataclass(frozen=True)
class Extent:
    """How often is measured what: `orders` and `pages` are asked in each round."""

    rounds: int
    orders: int
    pages: int
    lines: int  # of the past


WHOLE = Extent(rounds=5, orders=200, pages=60, lines=history.LINES)
QUICK = Extent(rounds=3, orders=80, pages=24, lines=20_000)


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # each figure as soon as it is known
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("starlette", "sqlalchemy", "uvicorn", "uvloop")), end=", ")
    print(f"SQLite {sqlite3.sqlite_version}")
    print(f"load of the machine {os.getloadavg()[0]:.1f} before")
    arguments = sys.argv[1:]
    extent = QUICK if "quick" in arguments else WHOLE
    for word in arguments:
        extent = replace(extent, lines=int(word)) if word.isdigit() else extent
    databases = [name for name in arguments if name in _DATABASES] or _DATABASES
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        for name in databases:
            with empty_databases(name, Path(folder), "young", "old", "large") as urls:
                _bench(name, Path(folder), urls, extent)


def _bench(name: str, folder: Path, urls: Sequence[str], extent: Extent) -> None:
    young_folder, old_folder, large_folder = (folder / f"{name}-{age}" for age in ("young", "old", "large"))
    items = {folder_: set_up(folder_, url) for folder_, url in ((young_folder, urls[0]), (old_folder, urls[1]))}
    if extent.lines:
        started = time.perf_counter()
        with open_instance(old_folder) as instance:
            history.add_history(instance.store, extent.lines)
        print(f"{name}: a past of {extent.lines:,} order lines, made in {time.perf_counter() - started:.0f} s")
    with ExitStack() as stack:
        base = stack.enter_context(baseline.served(_make_folder(folder / f"{name}-base")))
        servers = {
            database: stack.enter_context(serving(database, "--no-jobs")) for database in (young_folder, old_folder)
        }
        _start_up(name, servers[young_folder])
        for clients in (1, 8):
            _orders(
                name,
                extent,
                clients,
                base,
                [(servers[database], items[database]) for database in (young_folder, old_folder)],
            )
        for path in ("/sales/shop-session", "/api/sale-sessions/shop-session/offers?limit=200"):
            _pages(name, extent, path, [servers[young_folder], servers[old_folder]])
        print(f"{name}: memory after that {servers[young_folder].memory:.0f} MB")
    set_up(large_folder, urls[2], MANY)
    with serving(large_folder, "--no-jobs") as server:
        for path in ("/sales/shop-session", "/api/sale-sessions/shop-session/offers?limit=200"):
            asks: list[Ask] = [("GET", path, "", {})] * 5
            result = _median([load(server.address, 1, asks, 200, cpu=server.cpu) for _ in range(3)])
            print(f"{name}: GET {path} of {MANY} items: {1000 / result.rate:.0f} ms, {result.cpu:.0f} ms CPU, 1 client")
    _reports(name, (young_folder, old_folder))


def _make_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start_up(name: str, server: Server) -> None:
    time.sleep(1)
    cpu = server.cpu()
    print(f"{name}: serves after {server.started_in:.1f} s, {cpu:.1f} s CPU; memory at rest {server.memory:.0f} MB")


def _orders(name: str, extent: Extent, clients: int, base: str, shops: Sequence[tuple[Server, list[str]]]) -> None:
    rounds: list[list[Load]] = [[] for _ in range(1 + len(shops))]
    for number in range(extent.rounds + 1):
        rounds[0].append(load(base, clients, [baseline.ORDER] * extent.orders, 201))
        for results, (server, items) in zip(rounds[1:], shops, strict=True):
            asks = [order(items, number * extent.orders + offset) for offset in range(extent.orders)]
            results.append(load(server.address, clients, asks, 201, cpu=server.cpu))
    bare, young, old = (_median(round[1:]) for round in rounds)  # not the first, in which servers get warm
    share = f"{young.rate / bare.rate:.0%} of the baseline's rate, {bare.cpu / young.cpu:.0%} by CPU"
    print(f"{name}: {clients} clients: baseline {_describe(bare, 'orders')}")
    print(f"{name}: {clients} clients: {_describe(young, 'orders')}, {share}")
    print(f"{name}: {clients} clients: {_describe(old, 'orders')} with a past, {_ratio(young, old)}")


def _pages(name: str, extent: Extent, path: str, servers: Sequence[Server]) -> None:
    rounds: list[list[Load]] = [[] for _ in servers]
    asks: list[Ask] = [("GET", path, "", {})] * extent.pages
    for _ in range(extent.rounds + 1):
        for results, server in zip(rounds, servers, strict=True):
            results.append(load(server.address, 4, asks, 200, cpu=server.cpu))
    young, old = (_median(round[1:]) for round in rounds)
    print(f"{name}: GET {path} of {ITEMS} items: {_describe(young, 'answers')}; with a past {_ratio(young, old)}")


def _describe(result: Load, unit: str) -> str:
    return f"{result.rate:.0f} {unit}/s, p95 {result.p95:.0f} ms, {result.cpu:.2f} ms CPU"


def _ratio(young: Load, old: Load) -> str:
    return f"{old.rate / young.rate:.0%} of the rate, {old.cpu / young.cpu:.0%} of the CPU"


def _median(rounds: Sequence[Load]) -> Load:
    """Returns the round with the median rate."""
    return sorted(rounds, key=lambda result: result.rate)[len(rounds) // 2]


def _reports(name: str, folders: tuple[Path, Path]) -> None:
    """Order lines in each format, from the query to the last byte, in turns; the fastest of three runs counts."""
    with ExitStack() as stack:
        young_store, old_store = (stack.enter_context(open_instance(folder)).store for folder in folders)
        for store in (young_store, old_store):
            with store.write() as tx:
                fill(tx, "reported")
                add_orders(tx, 2, 1 + REPORTED // EACH, "reported")
        for format in ("csv", "jsonl", "html", "xlsx"):
            runs = [(_report(young_store, format), _report(old_store, format)) for _ in range(3)]
            (seconds, cpu), (_, old_cpu) = (min(each, key=lambda run: run[1]) for each in zip(*runs, strict=True))
            figures = f"{name}: {REPORTED} order lines as {format}: {seconds:.2f} s, {cpu:.2f} s CPU"
            print(f"{figures}; with a past {old_cpu / cpu:.0%} of the CPU")


def _report(store: Store, format: str) -> tuple[float, float]:
    """Returns the seconds taken, and those of this process's processor, without PostgreSQL's own."""
    started, cpu_before = time.perf_counter(), time.process_time()
    write(store, format, "reported")
    return time.perf_counter() - started, time.process_time() - cpu_before


if __name__ == "__main__":
    main()
