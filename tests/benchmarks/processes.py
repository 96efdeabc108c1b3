"""How far one instance goes on one machine: orders per second with 1, 2 and 4 web servers on one PostgreSQL.

    python -m tests.benchmarks.processes [ORDERS]

All web servers are `commensal serve --no-jobs` on loopback, beside two `commensal work`; the clients are shared among
them. The last line puts PgBouncer (transaction mode, 20 connections) between four of them and the database. ORDERS
(300) is how many each line places. Processor time for one order is that of the web servers alone; PostgreSQL, the
workers and the clients need the rest of the machine. It takes about three minutes, and everything ends with it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..core.pgbouncer import pgbouncer
from .load import Ask, shoot
from .machine import machine
from .stand import Server, order, postgresql, serving, set_up

CLIENTS = 8
PROCESSES = (1, 2, 4)
WORKERS = 2
_WORK = "from commensal.cli import main; main()"


def main(orders: int = 300) -> None:
    print(machine("commensal", "sqlalchemy", "psycopg"))
    with tempfile.TemporaryDirectory(prefix="commensal-processes-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        folder.chmod(0o755)  # PgBouncer does not run as root
        url = stack.enter_context(postgresql(folder))
        items = set_up(folder / "val", url)
        settings = folder / "val" / "instance.toml"
        for count in PROCESSES:
            print(f"web servers: {count}. {measure(folder / 'val', items, count, orders)}", flush=True)
        pool_url = stack.enter_context(pgbouncer(folder, url, size=20))
        text = settings.read_text("utf-8")
        settings.write_text(text.replace("[database]\n", f'[database]\npool_url = "{pool_url}"\n'), "utf-8")
        count = PROCESSES[-1]
        print(f"web servers: {count}, behind PgBouncer. {measure(folder / 'val', items, count, orders)}", flush=True)


def measure(folder: Path, items: Sequence[str], count: int, orders: int) -> str:
    """Places the orders, after some that warm everything up, and returns the figures."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, "--no-jobs")) for _ in range(count)]
        stack.enter_context(working(folder))
        place(servers, [order(items, number) for number in range(orders // 5)])
        before = sum(server.cpu() for server in servers)
        seconds, times = place(servers, [order(items, number) for number in range(orders)])
        spent = sum(server.cpu() for server in servers) - before
    p95 = sorted(times)[int(len(times) * 0.95)]
    return (
        f"{len(times) / seconds:.0f} orders/s, 95 % within {p95 * 1000:.0f} ms, "
        f"{spent / len(times) * 1000:.1f} ms of their processor time for one"
    )


def place(servers: Sequence[Server], asks: Sequence[Ask]) -> tuple[float, list[float]]:
    """Each server gets an equal part, from an equal part of the clients. Returns the seconds until the last one was
    done, and those of each request."""
    clients = max(1, CLIENTS // len(servers))
    with ThreadPoolExecutor(len(servers)) as pool:
        parts = [asks[number :: len(servers)] for number in range(len(servers))]
        results = list(pool.map(lambda server, part: shoot(server.address, clients, part, 201), servers, parts))
    return max(seconds for seconds, _ in results), [time for _, times in results for time in times]


@contextmanager
def working(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", _WORK, "work", "--instance", str(folder)]
    with (folder / "work.log").open("a") as log:
        workers = [subprocess.Popen(command, stdout=log, stderr=log) for _ in range(WORKERS)]
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(timeout=60)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
