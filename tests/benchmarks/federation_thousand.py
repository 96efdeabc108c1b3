"""Costs of a thousand peers, for the producer's instance that they all trade with.

    python -m tests.benchmarks.federation_thousand [PEERS …]

All instances are real ones, in one process on SQLite files, joined by wires without sockets. Only the home's work is
counted: the processor time of its jobs and of the requests that it answers, the requests in both directions, and the
rows that are more in its database afterwards. With several numbers it shows whether the cost of a peer stays the same.
Each peer costs about half a second of setting up, and two megabytes of disk.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select, update

from commensal import Instance, Work, metadata
from commensal.base.clock import ManualClock
from commensal.base.logs import configure_logs
from commensal.catalogs.offers import set_price
from commensal.parts.serving.serving import tune_garbage_collector
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.peering import accept, invite
from commensal_federation.peers import SCOPES
from commensal_federation.runtime import use_transport
from commensal_federation.testing import Region, Wire, Wires
from commensal_federation.transport import Answer, Request

from ..federation.trading import Hub, Producer
from .machine import machine

PEERS = [int(argument) for argument in sys.argv[1:]] or [1000]
IDLE = 10  # minutes
PIECES = 2  # that a customer of each hub orders
HOME = "home"


@dataclass
class Meter:
    """Counts the processor time while code of the home runs, and the requests that it sends or answers."""

    seconds: float = 0.0
    requests: int = 0
    _running: list[bool] = field(default_factory=lambda: [False])  # whether the home's code runs, the innermost last
    _since: float = field(default_factory=time.process_time)

    @contextmanager
    def run(self, name: str) -> Iterator[None]:
        self._note()
        self._running.append(name == HOME)
        try:
            yield
        finally:
            self._note()
            self._running.pop()

    def _note(self) -> None:
        now = time.process_time()
        self.seconds += now - self._since if self._running[-1] else 0.0
        self._since = now


@dataclass(frozen=True)
class MeteredWire(Wire):
    meter: Meter
    called: set[str]  # who has something to do since

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        self.called.update((_name_of(request.url), _name_of(self.base)))
        self.meter.requests += HOME in (_name_of(request.url), _name_of(self.base))
        with self.meter.run(_name_of(request.url)):
            answer = super().send(request, seconds=seconds, size=size)
        self.wires.passed.clear()
        return answer


def _name_of(url: str) -> str:
    return url.removeprefix("https://").partition(".")[0]


class Load:
    """The home, a farm with one product, and its peers, each a hub that sells it."""

    def __init__(self, folder: Path, peers: int) -> None:
        self.clock, self.meter, self._instances = ManualClock(NOON), Meter(), Instances(folder)
        self._folder, self._works = folder, dict[int, Work]()
        self._called: set[str] = set()
        self.region = Region(Wires(meanwhile=self._others_work), {}, self._run_due)
        self._open(HOME)
        farm = Producer(self.region, HOME, on_hand="1000000")
        self.hubs = [self._hub(farm, f"p{number}") for number in range(peers)]
        self.farm = farm

    def _open(self, name: str) -> None:
        instance = self._instances.open(
            self._folder / name, Plan(plugins=("federation",)), clock=self.clock, base_url=f"https://{name}.example"
        )
        base = f"https://{name}.example"
        federation = use_transport(instance, MeteredWire(self.region.wires, base, self.meter, self._called))
        self.region.members[name] = self.region.wires.places[base] = federation
        self._works[id(instance)] = work_of(instance)
        begin_identity(federation)

    def _hub(self, farm: Producer, name: str) -> tuple[Hub, str]:
        """Sets up one peer; the others have nothing to do meanwhile."""
        self._open(name)
        members = {id: self.region.members[id] for id in (HOME, name)}
        pair = Region(self.region.wires, members, self._run_due)
        invite(pair[HOME], pair[name].base, SCOPES)
        pair.work(HOME)
        accept(pair[name], pair.peer(name, HOME).id, SCOPES)
        pair.work()
        hub = Hub(pair, name, f"hub-{name}")
        farm.region = pair
        farm.grant(hub)
        return hub, hub.sell(farm)

    def _run_due(self, instance: Instance) -> bool:
        with self.meter.run(_name_of(instance.settings.base_url)):
            return run_due(instance, self._works[id(instance)])

    def _others_work(self) -> None:
        """While a customer waits for goods that another hub holds, those who were called do what is due."""
        while names := sorted(self._called):
            self._called.clear()
            self.region.work(*names)

    def minute(self) -> None:
        self.clock.advance(minutes=1)
        for name, federation in self.region.members.items():
            with self.meter.run(name):
                run_periodic(federation.instance, self._works[id(federation.instance)])
        self.region.work()

    def rows(self) -> int:
        with self.farm.read() as tx:
            return sum(int(tx.value(select(func.count()).select_from(table))) for table in metadata.sorted_tables)

    def measure(self, label: str, minutes: int, act: Callable[[], None] = lambda: None) -> None:
        rows, seconds, requests = self.rows(), self.meter.seconds, self.meter.requests
        act()
        for _ in range(minutes):
            self.minute()
        spent, peers = (self.meter.seconds - seconds) / minutes, len(self.hubs)
        more_requests, more_rows = (self.meter.requests - requests) // minutes, (self.rows() - rows) // minutes
        figures = f"{more_requests:,} | {spent:.2f} s | {spent / peers * 1000:.2f} ms | {more_rows:,}"
        print(f"| {peers:,} | {label} | {figures} |", flush=True)

    def change_price(self) -> None:
        with self.farm.write() as tx:
            set_price(tx, self.farm.id, self.farm.item, 2100)
        self.region.work()

    def order(self) -> None:
        for hub, item in self.hubs:
            hub.order(item, PIECES)

    def close(self) -> None:
        for hub, _ in self.hubs:
            with hub.write() as tx:
                for table in (coordination, sale_session):
                    tx.execute(update(table).values(closes_at=tx.now))

    def end(self) -> None:
        for federation in self.region.members.values():
            federation.instance.close()


def main() -> None:
    configure_logs(level="error")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(machine("sqlalchemy", "cryptography"))
    print("| peers | | requests a minute | processor a minute | of that a peer | rows more a minute |")
    print("|---:|---|---:|---:|---:|---:|")
    for peers in PEERS:
        with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
            load = Load(Path(folder), peers)
            tune_garbage_collector()  # as `commensal serve` does
            load.minute()
            load.measure("nobody does anything", IDLE)
            load.measure("one price changes", 1, load.change_price)
            load.measure("a customer of each orders", 2, load.order)
            load.measure("all sales close", 3, load.close)
            load.end()


if __name__ == "__main__":
    main()
