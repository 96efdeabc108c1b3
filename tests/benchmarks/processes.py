"""How far one instance goes on one machine: orders per second with 1, 2 and 4 web servers on one PostgreSQL.

    python -m tests.benchmarks.processes [ORDERS [SHOPS]]

All web servers are `commensal serve --no-jobs` on loopback, beside two `commensal work`; the clients are shared among
them. The last line puts PgBouncer (transaction mode, 20 connections) between four of them and the database. ORDERS
(300) is how many each line places, at SHOPS (1) in turns: orders of one shop wait for each other. Processor time for
one order is said of the web servers and of PostgreSQL; the workers and the clients need the rest of the machine. What
the transactions waited for is looked up in PostgreSQL every `EVERY` seconds, and said as the number of them that did so
at a moment. It takes about three minutes, and everything ends with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from psycopg import connect

from ..core.pgbouncer import pgbouncer
from .load import Ask, shoot
from .machine import machine
from .stand import Server, add_shop, order, postgresql, serving, set_up

CLIENTS = 8
PROCESSES = (1, 2, 4)
WORKERS = 2
EVERY = 0.02
# What a transaction does at the moment. Where PostgreSQL waits for its client, that is our code at work.
_STATES = """
SELECT CASE WHEN wait_event = 'ClientRead' THEN 'waits for our code' WHEN wait_event IS NULL THEN 'computes'
    ELSE wait_event_type || ' ' || wait_event END
FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""
_WORK = "from commensal.parts.cli import main; main()"


def main(orders: int = 300, shops: int = 1) -> None:
    print(machine("commensal", "sqlalchemy", "psycopg"))
    with tempfile.TemporaryDirectory(prefix="commensal-processes-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        folder.chmod(0o755)  # PgBouncer does not run as root
        url = stack.enter_context(postgresql(folder))
        items = {"shop": set_up(folder / "val", url)}
        for number in range(1, shops):
            items[f"shop{number}"] = add_shop(folder / "val", f"shop{number}", url)
        settings = folder / "val" / "instance.toml"
        for count in PROCESSES:
            print(f"web servers: {count}. {measure(folder / 'val', url, items, count, orders)}", flush=True)
        pool_url = stack.enter_context(pgbouncer(folder, url, size=20))
        text = settings.read_text("utf-8")
        settings.write_text(text.replace("[database]\n", f'[database]\npool_url = "{pool_url}"\n'), "utf-8")
        count = PROCESSES[-1]
        print(
            f"web servers: {count}, behind PgBouncer. {measure(folder / 'val', url, items, count, orders)}", flush=True
        )


def measure(folder: Path, url: str, items: Mapping[str, Sequence[str]], count: int, orders: int) -> str:
    """Places the orders, after some that warm everything up, and returns the figures. `items` are by shop."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, "--no-jobs")) for _ in range(count)]
        stack.enter_context(working(folder))
        place(servers, _orders(items, orders // 5))
        before, database_before = sum(server.cpu() for server in servers), cpu_of_postgresql(folder)
        with _states(url) as (states, looks):
            seconds, times = place(servers, _orders(items, orders))
        spent = sum(server.cpu() for server in servers) - before
        spent_there = cpu_of_postgresql(folder) - database_before
    p95 = sorted(times)[int(len(times) * 0.95)]
    ours, theirs = (each / len(times) * 1000 for each in (spent, spent_there))
    moments = ", ".join(f"{state} {number / looks[0]:.1f}" for state, number in states.most_common(6))
    return (
        f"{len(times) / seconds:.0f} orders/s, 95 % within {p95 * 1000:.0f} ms, {ours:.1f} ms of their processor time "
        f"for one and {theirs:.1f} ms of PostgreSQL's, together {(spent + spent_there) / seconds:.2f} processors; "
        f"transactions at a moment: {moments}"
    )


def _orders(items: Mapping[str, Sequence[str]], count: int) -> list[Ask]:
    """Orders at each shop in turns of eight, so that every server has orders of every shop."""
    shops = list(items)
    turns = [shops[number // CLIENTS % len(shops)] for number in range(count)]
    return [order(items[shop], number, shop) for number, shop in enumerate(turns)]


def cpu_of_postgresql(folder: Path) -> float:
    """Seconds of the server and of all its backends, also those that have ended."""
    postmaster = int((folder.parent / "data" / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, fields = int(stat.parent.name), stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if number == postmaster:
            ticks += sum(map(int, fields[11:15]))  # with its children that have ended
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def _states(url: str) -> Iterator[tuple[Counter[str], list[int]]]:
    """Counts while the block runs what transactions do, and in a list of one how often it looked."""
    states, looks, over = Counter[str](), [0], threading.Event()

    def look() -> None:
        with connect(url, autocommit=True) as connection:
            while not over.wait(EVERY):
                states.update(state for (state,) in connection.execute(_STATES))
                looks[0] += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield states, looks
    finally:
        over.set()
        watcher.join()


def place(
    servers: Sequence[Server], asks: Sequence[Ask], expected: Collection[int] = (201,)
) -> tuple[float, list[float]]:
    """Each server gets an equal part, from an equal part of the clients. Returns the seconds until the last one was
    done, and those of each request."""
    clients = max(1, CLIENTS // len(servers))
    with ThreadPoolExecutor(len(servers)) as pool:
        parts = [asks[number :: len(servers)] for number in range(len(servers))]
        results = list(pool.map(lambda server, part: shoot(server.address, clients, part, expected), servers, parts))
    return max(seconds for seconds, _ in results), [time for _, times in results for time in times]


@contextmanager
def working(folder: Path) -> Iterator[list[Server]]:
    """Runs workers while the block runs."""
    command = [sys.executable, "-c", _WORK, "work", "--instance", str(folder)]
    with (folder / "work.log").open("a") as log:
        workers = [subprocess.Popen(command, stdout=log, stderr=log) for _ in range(WORKERS)]
    try:
        yield [Server(worker.pid, "", 0) for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(timeout=60)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
