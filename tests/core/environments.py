"""Versions of Commensal beside each other that cost no installation: their commands are forks of one process.

Each version has a folder as `Program` expects it, with a command, its own number and its own revisions (those of a
plugin, `weekly`). A fork of a process that has imported everything gets that folder first on its path and as its
prefix, as the interpreter of an environment would. The services are such forks too, which a `systemctl` starts and
stops. As with systemd, a service runs as the owner of the instance's folder.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import httpx
from sqlalchemy import select
from tests.ports import free_port

from commensal.orders.tables import customer_order
from commensal.parts.backups.manifest import revisions_of
from commensal.parts.upgrading.versions import Program
from commensal.testing.placed import a_lot, a_shop, an_item

from .exit_codes import exit_after
from .keeping import path_with_postgresql
from .released import store_of

ROOT = Path(__file__).parents[2]
_PLUGIN = """
from pathlib import Path
from commensal import hookimpl
@hookimpl
def migrations():
    return Path(__file__).parent / "migrations"
"""
_REVISION = """
from alembic import op
revision = "weekly_{number:04}_table"
down_revision = {before}
def upgrade():
    op.execute("{statement}")
"""
_BROKEN = "CREATE TABLE weekly_{number} (id INTEGER, id INTEGER)"  # no database takes that
_TABLE = "CREATE TABLE weekly_{number} (id INTEGER)"

# The command of a version: it lets the server fork, and ends as the fork did. With POWER_CUT, a kill of the fork kills
# the process that asked for it too, as if the machine had lost its power.
_COMMAND = """#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect("\\0{server}")
request = dict(words=sys.argv[1:], prefix="{prefix}", folder=os.getcwd(), env=dict(os.environ))
socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2])
answers = server.makefile()
pid = answers.readline()
if pid_file := os.environ.get("PID_FILE"):
    with open(pid_file, "w") as file:
        file.write(pid)
    os._exit(0)
code = int(answers.readline())
if code == -9 and os.environ.get("POWER_CUT") == "below":
    os.kill(os.getppid(), signal.SIGKILL)
os._exit(code if code >= 0 else 128 - code)
"""
_SYSTEMCTL = """#!/bin/sh
pid={folder}/pid
alive() {{ [ -e $pid ] && kill -0 $(cat $pid) 2>/dev/null; }}
case $1 in
start)
    alive || PID_FILE=$pid COMMENSAL_FAILPOINT= \\
        {command} serve --instance {instance} >>{folder}/log 2>&1 </dev/null ;;
restart) $0 stop; $0 start ;;
stop) alive && kill $(cat $pid) && while alive; do sleep 0.02; done ;;
esac
exit 0
"""


@dataclass
class Beside:
    """A machine with one instance, whose versions lie beside each other."""

    folder: Path
    database: str = ""  # the URL of an empty PostgreSQL database; "" is SQLite
    place: str = "val"  # of the instance, below `folder`
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.program, self.instance = Program(self.folder / "opt"), self.folder / self.place
        self.port = free_port()
        self._server = f"commensal-{os.getpid()}-{self.port}"  # of an abstract socket: folders of tests are too long
        systemctl = self.folder / "tools" / "systemctl"
        systemctl.parent.mkdir()
        _write_command(systemctl, _SYSTEMCTL, folder=self.folder, command=self.program.link, instance=self.instance)
        self.environment = {
            **os.environ,
            "PATH": f"{systemctl.parent}:{path_with_postgresql()}",
            "COLUMNS": "400",
            "LANGUAGE": "en",
            "COMMENSAL_PLUGINS__ENABLED": '["cash", "weekly"]',
            "COMMENSAL_LIMITS__WRITES": "1000000000",
            "COMMENSAL_LIMITS__READS": "1000000000",
        }
        self._forks = subprocess.Popen([sys.executable, "-m", __name__, self._server], cwd=ROOT, stdout=subprocess.PIPE)
        assert self._forks.stdout is not None
        self._forks.stdout.readline()  # it listens

    def close(self) -> None:
        self.systemctl("stop")
        self._forks.terminate()
        self._forks.communicate(timeout=30)

    def add_version(self, version: str, revisions: int, *, broken: bool = False) -> Path:
        """Makes the environment of a version whose plugin has that many revisions; the last one fails if `broken`.
        Returns a wheel of that version, which nobody needs to install."""
        site = self.program.environment(version) / "site"
        _write_plugin(site / "commensal_weekly", revisions, broken)
        info = f"commensal_weekly-{version}.dist-info"
        _write(site / info / "METADATA", f"Metadata-Version: 2.1\nName: commensal-weekly\nVersion: {version}\n")
        _write(site / info / "entry_points.txt", "[commensal]\nweekly = commensal_weekly\n")
        own = distribution("commensal")
        info = f"commensal-{version}.dist-info"
        _write(site / info / "METADATA", f"Metadata-Version: 2.1\nName: commensal\nVersion: {version}\n")
        _write(site / info / "entry_points.txt", own.read_text("entry_points.txt") or "")
        command = self.program.command(version)
        command.parent.mkdir(exist_ok=True)
        values = {"python": sys.executable, "server": self._server, "prefix": self.program.environment(version)}
        _write_command(command, _COMMAND, **values)
        _write(self.program.environment(version) / ".complete", "")
        wheel = self.folder / f"commensal-{version}-py3-none-any.whl"
        _write(wheel, "")
        return wheel

    def begin(self, version: str) -> None:
        """Makes the instance with that version, which then serves it."""
        self.program.use(version)
        words = ["--name", "Val", "--base-url", self.address, "--language", "en", "--timezone", "Europe/Paris"]
        words += ["--sender", "val@example.org", "--backups", str(self.folder / "backups")]
        made = self.run("init", *words, "--database", self.database)
        assert made.returncode == 0, made.stdout + made.stderr
        self.systemctl("start")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *words: object, failpoint: str = "", power_cut: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs a command of the version in use on the instance. With a failpoint it is killed there, or a command that
        it runs is; with `power_cut` then both are."""
        environment = self.environment | {"COMMENSAL_FAILPOINT": failpoint}
        if power_cut:
            environment["POWER_CUT"] = "1"
        command = [str(self.program.link), *map(str, words), "--instance", str(self.instance)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def systemctl(self, verb: str) -> None:
        subprocess.run(["systemctl", verb], env=self.environment, check=True)

    def set_up_shop(self) -> None:
        """Opens a sale with goods for any number of orders."""
        with closing(store_of(self.instance, self.database)) as store, store.write() as tx:
            a_shop(tx)
            self._item = an_item(tx, a_lot(tx, on_hand="1000000"), name="Carottes")

    def place_order(self, port: int = 0) -> str:
        """A guest orders over HTTP (on another `port`). Returns the id of the order, which was acknowledged."""
        body = {"items": {self._item: 1}, "name": "Ada", "email": "ada@example.org"}
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        url = f"http://127.0.0.1:{port or self.port}/api/sale-sessions/shop-session/orders"
        answer = httpx.post(url, json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order"]["id"])

    @contextmanager
    def shoppers(self) -> Iterator[list[str]]:
        """While the block runs, guests go on ordering. Yields the ids of the orders that were acknowledged, a list that
        grows."""
        acknowledged, ended = list[str](), threading.Event()

        def shop() -> None:
            while not ended.wait(0.2):
                with suppress(httpx.TransportError):
                    acknowledged.append(self.place_order())

        with ThreadPoolExecutor(1) as pool:
            shopping = pool.submit(shop)
            try:
                yield acknowledged
            finally:
                ended.set()
                shopping.result()

    def orders(self) -> set[str]:
        """The ids of all orders in the database."""
        with closing(store_of(self.instance, self.database)) as store, store.read() as tx:
            return {row["id"] for row in tx.all(select(customer_order.c.id))}

    def revisions(self) -> int:
        """How many revisions of the plugin the database has had."""
        with closing(store_of(self.instance, self.database)) as store, store.read() as tx:
            (newest,) = revisions_of(tx)["weekly_revision"]
            return int(newest.split("_")[1])

    @contextmanager
    def serving(self, version: str, port: int) -> Iterator[None]:
        """While the block runs, one more web server of that version serves on a port of 127.0.0.1."""
        file = self.folder / f"pid-{port}"
        words = [str(self.program.command(version)), "serve", "--no-jobs", "--instance", str(self.instance)]
        environment = self.environment | {"PID_FILE": str(file)}
        with (self.folder / "log").open("a") as log:
            subprocess.run([*words, "--port", str(port)], env=environment, stdout=log, stderr=log, check=True)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGTERM)

    def health(self, port: int = 0) -> str:
        """What the instance says of itself: "ok" or "degraded"; "" if nobody serves (on another `port`)."""
        try:
            url = f"http://127.0.0.1:{port or self.port}/-/health"
            return str(httpx.get(url, timeout=5).json()["status"])
        except httpx.HTTPError:
            return ""


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def _write_command(file: Path, text: str, **values: object) -> None:
    _write(file, text.format(**values))
    file.chmod(0o755)


def _write_plugin(package: Path, revisions: int, broken: bool) -> None:
    _write(package / "__init__.py", _PLUGIN)
    before = "None"
    for number in range(1, revisions + 1):
        statement = (_BROKEN if broken and number == revisions else _TABLE).format(number=number)
        text = _REVISION.format(number=number, before=before, statement=statement)
        _write(package / "migrations" / f"weekly_{number:04}_table.py", text)
        before = f'"weekly_{number:04}_table"'


# ---------------------------------------------------------------------------------------------- the process that forks


def _serve(name: str) -> None:
    from commensal.base.entry_points import plugin_entry_points
    from commensal.parts.endpoints import core_endpoints

    for module in ("commensal.parts.cli", "commensal.parts.serving.serving"):
        import_module(module)
    core_endpoints()  # imports the routes
    for point in plugin_entry_points().values():
        point.load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for a command
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()
        print("listening", flush=True)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _attend(connection)
            connection.close()


def _attend(connection: socket.socket) -> None:
    """Runs the command in a fork, and tells its process id and its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, files, _, _ = socket.recv_fds(connection, 1_000_000, 3)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _run(files=files, **json.loads(text))
    for file in files:
        os.close(file)
    try:
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    except OSError:  # nobody waits for the end of a service
        pass
    os._exit(0)


def _run(words: list[str], prefix: str, folder: str, env: dict[str, str], files: list[int]) -> None:
    from commensal.base.failpoints import arm
    from commensal.parts import cli
    from commensal.parts.setup.owner import other_owner

    for number, file in enumerate(files):
        os.dup2(file, number)
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    if words[0] == "serve" and (owner := other_owner(Path(words[words.index("--instance") + 1]))):
        os.setgroups([owner.st_gid])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    if "POWER_CUT" in env:
        os.environ["POWER_CUT"] = "below"
    sys.path.insert(0, f"{prefix}/site")
    sys.prefix = prefix
    arm(env.get("COMMENSAL_FAILPOINT", ""))
    sys.argv = ["commensal", *words]
    exit_after(cli.main)


if __name__ == "__main__":
    _serve(sys.argv[1])
