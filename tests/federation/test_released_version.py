"""Instances of the released version before this one and of this one pair, trade and answer each other over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update

from commensal.instance import open_instance
from commensal.parts.setup.begin import begin_instance
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal_federation.delivery.tables import federation_lane
from commensal_federation.identity import begin_identity
from commensal_federation.orders.tables import federation_order, federation_order_line
from commensal_federation.peering import invite
from commensal_federation.peers import SCOPES
from commensal_federation.peers.tables import federation_peer
from commensal_federation.runtime import federation_of

from ..core.released import FIRST, store_of
from ..ports import free_ports

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NAMES = ("farm", "north", "south")
PATIENCE = 60.0  # seconds; the machine may be busy

# Run by the program of the release, too: its operator accepts the one who has asked.
ACCEPT = """
import sys
from pathlib import Path
from commensal import open_instance
from commensal_federation.peering import accept
from commensal_federation.peers.peers import peers
from commensal_federation.runtime import federation_of
from commensal_federation.peers import SCOPES
instance = open_instance(Path(sys.argv[1]))
with instance.store.read() as tx:
    (asking,) = [peer for peer in peers(tx, limit=9) if peer.state == "requested"]
accept(federation_of(instance), asking.id, SCOPES)
instance.close()
"""

# Run by the program of the release: a farm and two hubs that are peers, with grants and sales under way.
MAKE_TRADE = """
import sys
from pathlib import Path
from commensal.instance.begin import begin_instance
from tests.federation.living import NAMES, make_trade
folder, urls = Path(sys.argv[1]), sys.argv[2:]
begin_instance(folder / "template", name="Template", plugins=("federation",))
database = folder / "template/commensal.db"
trade = make_trade([folder / name for name in NAMES], database, urls, "127.0.0.1", "127.0.0.0/8")
for instance in trade.all:
    print(instance.item)
    instance.place.instance.close()
"""


@dataclass
class Program:
    """A version of Commensal: commands of it are run with `environment`, in the folder of its suite."""

    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT

    def run(self, *words: object) -> str:
        command = [sys.executable, *map(str, words)]
        environment = {**os.environ, **self.environment}
        result = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program of the release, made from the history of the project, with the suite of that day."""
    history = ("git", "-C", str(ROOT), "log", "--format=%H", "-1", f"--grep=^Release {FIRST}$")
    found = subprocess.run(history, capture_output=True, text=True)
    commit = found.stdout.strip()
    if not commit:
        pytest.skip(f"There is no history here from which Commensal {FIRST} could be made.")
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(source, filter="data")  # of this repository
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(site)  # noqa: S202  # it was built just now
    for wing in ("core", "federation", "plugins"):
        (source / wing).rename(source / f"source-of-{wing}")  # only the wheel's are imported
    return Program({"PYTHONPATH": f"{site}{os.pathsep}{source}"}, source)


@dataclass
class Serving:
    """An instance that serves with its program. `item` is what it sells; `place` the id of its enterprise."""

    folder: Path
    program: Program
    port: int
    item: str

    @property
    def store(self) -> Store:
        return store_of(self.folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> subprocess.Popen[str]:
        serve = ("-m", "commensal", "serve", "--instance", str(self.folder), "--port", str(self.port))
        command = [sys.executable, *serve]
        with self.folder.with_suffix(".log").open("a") as log:
            process = subprocess.Popen(
                command, env={**os.environ, **self.program.environment}, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving on "), self.folder.with_suffix(".log").read_text()
        return process

    def order(self, pieces: int) -> int:
        hub = "farm" if self.folder.name == "farm" else "hub"
        wish = {"items": {self.item: pieces}, "name": "Ada", "email": f"ada{pieces}@example.org", "language": "en"}
        address = f"{self.url}/api/sale-sessions/{hub}-session/orders"
        headers = {"Idempotency-Key": f"{self.folder.name}-{pieces}"}
        answer = httpx.post(address, json=wish, headers=headers, trust_env=False, timeout=PATIENCE)
        return answer.status_code

    def end_sale(self) -> None:
        """The sale of the hub has closed a minute ago."""
        with closing(self.store) as store, store.write() as tx:
            closed = {"closes_at": tx.now - timedelta(minutes=1)}
            tx.execute(update(coordination).values(closed))
            tx.execute(update(sale_session).values(closed))

    def hurry(self) -> None:
        """Makes everything due now that is put off to a later moment."""
        with closing(self.store) as store, store.write() as tx:
            tx.execute(update(federation_lane).where(federation_lane.c.due_at > tx.now).values(due_at=None))
            tx.execute(update(job).where(job.c.state == "waiting", job.c.due_at > tx.now).values(due_at=tx.now))
            tx.execute(text("DELETE FROM job_slot"))

    def orders(self) -> dict[str, Any]:
        """State and lines of each order between instances, by its address: pieces, their price, what was answered."""
        order, line = federation_order.c, federation_order_line.c
        with closing(self.store) as store, store.read() as tx:
            lines = select(line.item_iri, line.quantity, line.price, line.answer, line.confirmed)
            return {
                row["iri"]: (
                    row["state"],
                    [tuple(each.values()) for each in tx.all(lines.where(line.order_id == row["id"]))],
                )
                for row in tx.all(select(order.id, order.iri, order.state))
            }


@pytest.fixture(params=["farm", "north"])
def trade(request: pytest.FixtureRequest, released: Program, tmp_path: Path) -> Iterator[dict[str, Serving]]:
    """Three instances that 0.2.0 made, of which some were upgraded; each serves with its own program."""
    ports = free_ports(len(NAMES))
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    items = released.run("-c", MAKE_TRADE, tmp_path, *urls).split()
    today = Program()
    instances = {}
    for name, port, item in zip(NAMES, ports, items, strict=True):
        program = today if name == request.param else released
        if program is today:
            today.run("-m", "commensal", "upgrade", "--instance", tmp_path / name)
        instances[name] = Serving(tmp_path / name, program, port, item)
    with ExitStack() as stack:
        for instance in instances.values():
            process = instance.serve()
            stack.callback(process.communicate, timeout=PATIENCE)
            stack.callback(process.terminate)
        yield instances


def wait_until(condition: Any, instances: dict[str, Serving]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, [instance.orders() for instance in instances.values()]
        for instance in instances.values():
            instance.hurry()
        threading.Event().wait(0.5)


def test_they_lend_order_and_answer_and_say_the_same(trade: dict[str, Serving]) -> None:
    farm, north, south = (trade[name] for name in NAMES)
    assert [north.order(7), south.order(5), farm.order(3)] == [201, 201, 201]
    assert north.order(30) == 201, "more than it held: the farm lends it within two seconds"
    for hub in (north, south):
        hub.end_sale()

    def is_answered() -> bool:
        orders = farm.orders()
        lines = [line for state, lines in orders.values() for line in lines]
        complete = len(orders) == 2 and {state for state, _ in orders.values()} == {"Complete"}
        return (
            complete
            and all(line[3] == "confirmed" for line in lines)
            and orders == {**north.orders(), **south.orders()}
        )

    wait_until(is_answered, trade)
    assert sorted(line[1] for _, lines in farm.orders().values() for line in lines) == [5, 37]


@pytest.mark.parametrize("trade", ["north"], indirect=True)
def test_an_instance_of_today_pairs_with_one_of_the_release(trade: dict[str, Serving], tmp_path: Path) -> None:
    farm, (port,) = trade["farm"], free_ports(1)
    late = Serving(tmp_path / "late", Program(), port, "")
    begin_instance(late.folder, name="Late", plugins=("federation",), base_url=late.url, allow=("127.0.0.0/8",))
    with open_instance(late.folder) as instance:
        begin_identity(federation_of(instance))
    process = late.serve()
    try:
        with open_instance(late.folder) as instance:
            invite(federation_of(instance), farm.url, SCOPES)
        instances = {**trade, "late": late}
        wait_until(lambda: "requested" in states_of_peers(farm), instances)
        farm.program.run("-c", ACCEPT, farm.folder)
        wait_until(lambda: states_of_peers(late) == ["accepted"], instances)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert states_of_peers(farm) == ["accepted"] * 3


def states_of_peers(instance: Serving) -> list[str]:
    with closing(instance.store) as store, store.read() as tx:
        return [row["state"] for row in tx.all(select(federation_peer.c.state))]
