"""A network of co-operatives that trade for one week, with the real code, on one machine. ``make network``.

    HUBS=20 SEED=1 python -m tests.benchmarks.federation_network

Each ten hubs have three suppliers and a reseller, all of them instances of their own in one process, on SQLite files,
joined by wires without sockets. Hubs sell the goods of two suppliers directly, those of the third from the reseller.
Customers order for a week of virtual time: 21 orders a hub, all of them in half an hour of each day, of which every
minute is played; the rest of a day goes by in steps of two hours. Who is refused tries again after a minute, three
times.

A tenth of the machines is off at any time, and others after each step. Clocks are up to 25 seconds wrong, and each day
one in twenty is three minutes wrong, which is more than peers accept. Of the requests two in a hundred do not arrive,
and of one in a hundred the answer is lost. Three releases are played, no older code runs: a third of the instances
leaves `barred` out of what it says, and another third `ordered`, too, as those do which do not know these members.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event, update

from commensal import Conflict, Instance, SoldOut, Work
from commensal.base.clock import ManualClock
from commensal.base.logs import configure_logs
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.serving.serving import tune_garbage_collector
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.bindings import Binding
from commensal_federation.identity import begin_identity
from commensal_federation.messages.types import Writing
from commensal_federation.runtime import Federation, use_transport
from commensal_federation.testing import Region, Wire, Wires
from commensal_federation.transport import Answer, Request, Unreachable

from ..federation.trading import Hub, Producer
from .machine import machine
from .network_agreement import alerts_of, differences, idle_elsewhere, messages_of, oversold

DAYS, ORDERS_A_DAY = 7, 3  # of each hub
MARKET, STEP = 30, 2  # minutes of each day in which customers order; hours of a step in the rest of it
SUPPLIERS, HUBS_OF_GROUP = 3, 10  # and a reseller, which is one more instance
MOST = 4  # pieces of an order
THERE = 0.9  # of the pieces that will be asked for
TRIES = 4  # of a customer, a minute apart
OFF = 0.1  # of the machines
SKEW, WRONG, FAR_WRONG = 25, 180, 0.05  # seconds; seconds of a wrong clock; of the machines
UNSENT, UNANSWERED = 0.02, 0.01  # of the requests
RELEASES = ((), ("barred",), ("barred", "ordered"))  # members of messages that a release does not know
HEADINGS = (
    *(
        "hubs",
        "instances",
        "pieces asked for",
        "sold, of those and there",
        "at the first try",
        "producer away",
        "refused",
    ),
    *("in vain", "messages an instance", "requests", "processor", "until books agree", "alerts left"),
)
HOURS = 12  # in which books must agree, once all machines and lines are well again


def _speak_as_before(federation: Federation, release: int) -> None:
    messages = cast(dict[str, Binding], federation.messages)
    for name in ("LeaseRequest", "LeaseReport", "LeaseGrant", "LeaseRefusal"):
        known = messages[name]

        def write(body: Any, writing: Writing, *, known: Binding = known) -> dict[str, Any]:
            said = known.type.write(body, writing)
            return {member: value for member, value in said.items() if member not in RELEASES[release]}

        messages[name] = replace(known, type=replace(known.type, write=write))


class WrongClock(ManualClock):
    """A clock that goes `wrong` by so much beside the true one."""

    def __init__(self, true: ManualClock) -> None:
        super().__init__(true.now())
        self._true, self.wrong = true, timedelta()

    def now(self) -> datetime:
        return self._true.now() + self.wrong


@dataclass
class Weather:
    """What goes wrong with machines and lines at present."""

    chance: random.Random
    off: set[str] = field(default_factory=set)  # base addresses
    bad: bool = False  # lines
    requests: int = 0


@dataclass(frozen=True)
class FlappingWire(Wire):
    weather: Weather
    called: set[str]  # base addresses of those who have something to do since

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        base = "/".join(request.url.split("/")[:3])
        self.weather.requests += 1
        if {base, self.base} & self.weather.off:
            raise Unreachable(f"{base} is off")
        luck = self.weather.chance.random() if self.weather.bad else 1.0
        if luck < UNSENT:
            raise Unreachable(f"the line to {base} broke off")
        answer = super().send(request, seconds=seconds, size=size)
        self.wires.passed.clear()
        self.called.update((base, self.base))
        if luck < UNSENT + UNANSWERED:
            raise Unreachable(f"the answer of {base} got lost")
        return answer


@dataclass
class Figures:
    """Pieces of orders, and what was found at refusals."""

    asked: int = 0
    sold: int = 0
    sold_at_once: int = 0
    away: int = 0  # pieces not sold since a producer could not be reached
    refused: int = 0  # pieces
    in_vain: list[str] = field(default_factory=list)  # refusals while goods were idle at reachable instances
    shut: int = 0  # pieces of customers whose hub's own machine was off


class Network:
    """All instances, and who sells what of whom."""

    def __init__(self, folder: Path, hubs: int, seed: int, *, days: int = DAYS, most: int = MOST) -> None:
        self._days, self._most = days, most
        self.chance, self.clock, self._folder = random.Random(seed), ManualClock(NOON), folder
        self._instances, self._works = Instances(folder), dict[int, Work]()
        self._clocks, self._far_wrong = dict[str, WrongClock](), set[str]()  # by base addresses
        self.weather, self.called = Weather(self.chance), set[str]()
        self.wires = Wires(meanwhile=self._called_work)
        self.region = Region(self.wires, {}, self._run_due)
        self.farms, self.hubs, self.figures = list[Producer](), list[tuple[Hub, list[str]]](), Figures()
        for group in range(0, hubs, HUBS_OF_GROUP):
            self._group(group, min(HUBS_OF_GROUP, hubs - group))
            print(f"{len(self.hubs)} of {hubs} hubs are there", file=sys.stderr, flush=True)

    def _group(self, first: int, count: int) -> None:
        pieces = int(count * self._days * ORDERS_A_DAY * (1 + self._most) / 2 / SUPPLIERS * THERE)
        farms = []
        for number in range(SUPPLIERS):
            name = f"s{first + number}"
            self._open(name)
            farms.append(Producer(self.region, name, f"farm-{name}", on_hand=str(pieces)))
        self._open(f"r{first}")
        reseller = Hub(self.region, f"r{first}", f"reseller-{first}")
        self._grant(farms[-1], reseller, resell=True)
        regional = reseller.as_producer(farms[-1])
        for number in range(first, first + count):
            self._open(f"h{number}")
            hub, items = Hub(self.region, f"h{number}", f"hub-{number}"), []
            for producer in (*farms[:-1], regional):
                self._grant(producer, hub)
                items.append(hub.sell(producer))
            self._sell_for_a_week(hub)
            self.hubs.append((hub, items))
        self.farms += farms

    def _open(self, name: str) -> None:
        base, clock = f"https://{name}.example", WrongClock(self.clock)
        self._clocks[base] = clock
        instance = self._instances.open(
            self._folder / name, Plan(plugins=("federation",)), clock=clock, base_url=base, name=name
        )
        event.listen(instance.store.engine, "connect", lambda driver, record: driver.execute("PRAGMA synchronous=OFF"))
        wire = FlappingWire(self.wires, base, self.weather, self.called)
        self.region.members[name] = self.wires.places[base] = use_transport(instance, wire)
        self._works[id(instance)] = work_of(instance)
        _speak_as_before(self.region.members[name], len(self.region.members) % len(RELEASES))
        begin_identity(self.region.members[name])

    def _grant(self, producer: Producer, hub: Hub, *, resell: bool = False) -> None:
        """Makes them peers and lets the hub sell the goods; the others have nothing to do meanwhile."""
        members = {name: self.region.members[name] for name in (producer.at, hub.at)}
        hub.region = producer.region = pair = Region(self.wires, members, self._run_due)
        pair.befriend(producer.at, hub.at)
        producer.grant(hub, resell=resell)
        hub.region = producer.region = self.region

    def _sell_for_a_week(self, hub: Hub) -> None:
        with hub.write() as tx:
            for table in (coordination, sale_session):
                tx.execute(update(table).values(closes_at=tx.now + timedelta(days=self._days)))
            ends = {
                "begins_at": tx.now + timedelta(days=self._days + 1),
                "ends_at": tx.now + timedelta(days=self._days + 1, hours=2),
            }
            tx.execute(update(sale_session).values(ends))

    def _run_due(self, instance: Instance) -> bool:
        return run_due(instance, self._works[id(instance)])

    def _called_work(self) -> None:
        """While a customer waits, those who were called do what is due."""
        while self.called:
            names = sorted(base.removeprefix("https://").partition(".")[0] for base in self.called - self.weather.off)
            self.called.clear()
            if names:
                self.region.work(*names)

    def on(self) -> Iterator[str]:
        return (name for name, member in self.region.members.items() if member.base not in self.weather.off)

    def step(self, **by: float) -> None:
        """Moves time on, and lets those who are on do what is due."""
        self.clock.advance(**by)
        names = list(self.on())
        for name in names:
            instance = self.region[name].instance
            run_periodic(instance, self._works[id(instance)])
            self.region.work(name)  # at once: who was called just now has no reason to call
        self.region.work(*names)

    def week(self) -> None:
        self.weather.bad = True
        for day in range(self._days):
            self._set_clocks()
            self._market()
            for _ in range(0, 24, STEP):
                self._others_are_off()
                self.step(hours=STEP)
            print(
                f"day {day + 1}: {self.figures.sold} of {self.figures.asked} pieces sold", file=sys.stderr, flush=True
            )
        self.weather.bad = False
        self.weather.off.clear()

    def _set_clocks(self) -> None:
        self._far_wrong.clear()
        for base, clock in self._clocks.items():
            seconds = self.chance.uniform(-SKEW, SKEW)
            if self.chance.random() < FAR_WRONG:
                self._far_wrong.add(base)
                seconds = WRONG
            clock.wrong = timedelta(seconds=seconds)

    def _others_are_off(self) -> None:
        members = sorted(member.base for member in self.region.members.values())
        self.weather.off = set(self.chance.sample(members, round(OFF * len(members))))

    def _market(self) -> None:
        self._others_are_off()
        customers: dict[int, list[tuple[Hub, str, int, int]]] = {minute: [] for minute in range(MARKET + TRIES)}
        for hub, items in self.hubs:
            for _ in range(ORDERS_A_DAY):
                wish = (hub, self.chance.choice(items), self.chance.randint(1, self._most), 1)
                customers[self.chance.randrange(MARKET)].append(wish)
        for minute, comers in customers.items():
            for hub, item, pieces, attempt in comers:
                if not self._buy(hub, item, pieces, attempt):
                    customers[minute + 1].append((hub, item, pieces, attempt + 1))
            self.step(minutes=1)

    def _buy(self, hub: Hub, item: str, pieces: int, attempt: int) -> bool:
        """Returns whether the customer is done: has bought, or gives up."""
        figures = self.figures
        if hub.federation.base in self.weather.off:
            figures.shut += pieces
            return True
        figures.asked += pieces if attempt == 1 else 0
        wish = Wish(items={item: pieces}, name="Ada", email="ada@example.org", language="en")
        try:
            hub.instance.transact(lambda tx: place_order(tx, hub.instance.hooks, f"{hub.id}-session", wish))
        except SoldOut as refused:
            if attempt < TRIES:
                return False
            figures.refused += pieces
            away = self.weather.off | self._far_wrong
            if hub.federation.base not in away:
                found = [idle_elsewhere(self.region, away, hub, *short) for short in refused.missing.items()]
                figures.in_vain += found if all(found) else []
            return True
        except Conflict as conflict:
            if conflict.code != "unreachable":
                raise
            if attempt < TRIES:
                return False
            figures.away += pieces
            return True
        self._called_work()
        figures.sold += pieces
        figures.sold_at_once += pieces if attempt == 1 else 0
        return True

    def settle(self) -> int | None:
        """Lets all work with all machines, lines and clocks well. Returns the minutes until all books agree; None if
        they do not within `HOURS`."""
        for minute in range(HOURS * 60):
            if not any(differences(self.region)):
                return minute
            self.step(minutes=1)
        return None

    def stock(self) -> int:
        return sum(int(farm.lot.on_hand) for farm in self.farms)

    def end(self) -> None:
        for federation in self.region.members.values():
            federation.instance.close()


def report(network: Network, settled: int | None, seconds: float) -> str:
    """The line of the table that this network is."""
    figures, instances = network.figures, len(network.region.members)
    there = min(figures.asked, network.stock())
    messages, requests = messages_of(network.region), network.weather.requests
    return (
        f"| {len(network.hubs)} | {instances} | {figures.asked:,} | {figures.sold / there:.1%} | "
        f"{figures.sold_at_once / there:.1%} | {figures.away} | {figures.refused} | {len(figures.in_vain)} | "
        f"{messages / instances:.0f} | {requests / instances:.0f} | {seconds / instances:.1f} s | {settled} min | "
        f"{alerts_of(network.region)} |"
    )


def main() -> int:
    configure_logs(level="critical")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(machine("sqlalchemy", "cryptography"))
    hubs, seed = int(os.environ.get("HUBS", "20")), int(os.environ.get("SEED", "1"))
    with tempfile.TemporaryDirectory(prefix="commensal-network-") as folder:
        network = Network(Path(folder), hubs, seed)
        tune_garbage_collector()  # as `commensal serve` does
        network.weather.requests, before = 0, time.process_time()
        network.week()
        settled = network.settle()
        print("| " + " | ".join(HEADINGS) + " |")
        print("|" + "---:|" * len(HEADINGS))
        print(report(network, settled, time.process_time() - before))
        faults = [*network.figures.in_vain, *differences(network.region), *oversold(network.region)]
        for text in faults[:20]:
            print(text)
        network.end()
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
