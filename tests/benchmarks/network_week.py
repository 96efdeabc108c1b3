"""A network of co-operatives for some days of sales: all instances, with the real code, in one process.

Each ten hubs have three suppliers and a reseller, all of them instances of their own on SQLite files, joined by wires
without sockets. Hubs sell the goods of two suppliers directly, those of the third from the reseller, which has a shop,
too. Customers order in half an hour of each day, of which every minute is played; the rest of a day goes by in steps of
two hours. Who is refused tries again after a minute, three times.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, update

from commensal import Conflict, Instance, SoldOut, Work
from commensal.base.clock import ManualClock
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.delivery.work import start
from commensal_federation.identity import begin_identity
from commensal_federation.runtime import use_transport
from commensal_federation.testing import Region, Wires

from ..federation.trading import Hub, Producer
from .network_agreement import differences, idle_elsewhere, way_to
from .network_weather import RELEASES, FlappingWire, Weather, WrongClock, speak_as_before

MARKET, STEP = 30, 2  # minutes of each day in which customers order; hours of a step in the rest of it
SUPPLIERS, HUBS_OF_GROUP = 3, 10  # and a reseller, which is one more instance
TRIES = 4  # of a customer, a minute apart
LOOK = 0.5  # seconds of a wait after which those who were called look for what is due anew
HOURS = 12  # in which books must agree, once all machines and lines are well again


@dataclass(frozen=True)
class Demand:
    """What customers want: `orders` of each shop on each day, of at most `most` pieces. `there` is the share of the
    pieces that will be asked for of which suppliers have so many."""

    days: int = 7
    orders: int = 3
    most: int = 4
    there: float = 0.9


@dataclass
class Figures:
    """Pieces of orders, and what was found at refusals."""

    asked: int = 0
    sold: int = 0
    sold_at_once: int = 0
    refused: int = 0  # "sold out"
    idle: int = 0  # in the network, at refusals, wherever it was; each refusal counts for itself
    away: int = 0  # "cannot be reached", of a machine that is off, or while the clock of one on the way is far wrong
    shut: int = 0  # of customers whose hub's own machine was off
    in_vain: list[str] = field(default_factory=list)  # refusals while the goods were idle at reachable instances


class Network:
    """All instances, and who sells what of whom."""

    def __init__(self, folder: Path, hubs: int, seed: int, demand: Demand) -> None:
        self._folder, self._demand, self._chance = folder, demand, random.Random(seed)
        self._clock, self._instances = ManualClock(NOON), Instances(folder)
        self._works, self._called, self._looked = dict[str, Work](), set[str](), 0.0
        self.weather = Weather(random.Random(seed + 1))
        self._wires = Wires(meanwhile=self._called_work)
        self.region = Region(self._wires, {}, self._run_due)
        self.farms, self.shops, self.figures = list[Producer](), list[tuple[Hub, list[str]]](), Figures()
        for first in range(0, hubs, HUBS_OF_GROUP):
            self._make_group(first, min(HUBS_OF_GROUP, hubs - first))
            print(f"{first + HUBS_OF_GROUP} of {hubs} hubs are there", file=sys.stderr, flush=True)

    def _make_group(self, first: int, count: int) -> None:
        demand = self._demand
        wanted = (count + 1) * demand.days * demand.orders * (1 + demand.most) / 2
        farms = []
        for number in range(first, first + SUPPLIERS):
            self._open(f"s{number}")
            on_hand = str(int(wanted * demand.there / SUPPLIERS))
            farms.append(Producer(self.region, f"s{number}", f"farm-s{number}", on_hand=on_hand))
        self._open(f"r{first}")
        reseller = Hub(self.region, f"r{first}", f"reseller-{first}")
        self._grant(farms[-1], reseller, resell=True)
        regional = reseller.as_producer(farms[-1])
        self._open_shop(reseller, farms[-1:])
        for number in range(first, first + count):
            self._open(f"h{number}")
            hub, suppliers = Hub(self.region, f"h{number}", f"hub-{number}"), (*farms[:-1], regional)
            for supplier in suppliers:
                self._grant(supplier, hub)
            self._open_shop(hub, suppliers)
        self.farms += farms

    def _open(self, name: str) -> None:
        base = f"https://{name}.example"
        clock = self.weather.clocks[base] = WrongClock(self._clock)
        plan = Plan(plugins=("federation",))
        instance = self._instances.open(self._folder / name, plan, clock=clock, base_url=base, name=name)
        event.listen(instance.store.engine, "connect", lambda driver, record: driver.execute("PRAGMA synchronous=OFF"))
        wire = FlappingWire(self._wires, base, self.weather, self._called, self._pause)
        federation = self.region.members[name] = self._wires.places[base] = use_transport(instance, wire)
        self._works[base] = work_of(instance)
        speak_as_before(federation, len(self.region.members) % len(RELEASES))
        begin_identity(federation)

    def _grant(self, producer: Producer, hub: Hub, *, resell: bool = False) -> None:
        """Makes them peers and lets the hub sell the goods; the others have nothing to do meanwhile."""
        members = {name: self.region.members[name] for name in (producer.at, hub.at)}
        hub.region = producer.region = pair = Region(self._wires, members, self._run_due)
        pair.befriend(producer.at, hub.at)
        producer.grant(hub, resell=resell)
        hub.region = producer.region = self.region

    def _open_shop(self, shop: Hub, suppliers: Iterable[Producer]) -> None:
        days = timedelta(days=self._demand.days)
        hand_out = {"begins_at": timedelta(days=1) + days, "ends_at": timedelta(days=1, hours=2) + days}
        shop.region = Region(self._wires, {shop.at: self.region.members[shop.at]}, self._run_due)
        self.shops.append((shop, [shop.sell(supplier) for supplier in suppliers]))
        shop.region = self.region
        with shop.write() as tx:
            for table in (coordination, sale_session):
                tx.execute(update(table).values(closes_at=tx.now + days))
            tx.execute(update(sale_session).values({name: tx.now + later for name, later in hand_out.items()}))

    # ------------------------------------------------------------------------------------------------ work

    def _run_due(self, instance: Instance) -> bool:
        return run_due(instance, self._works[instance.settings.base_url])

    def _pause(self, seconds: float) -> None:
        """A customer waits: time goes on, and those who were called do what is due."""
        self._clock.advance(seconds=seconds)
        self._looked += seconds
        if self._looked >= LOOK:
            self._looked = 0.0
            self._work({*self._called, *self._seen})
        self._called_work()

    _seen: frozenset[str] = frozenset()  # those who were called since the customer came

    def _called_work(self) -> None:
        while called := {*self._called}:
            self._called.clear()
            self._seen |= called
            self._work(called)

    def _work(self, bases: Iterable[str]) -> None:
        names = sorted(base.removeprefix("https://").partition(".")[0] for base in {*bases} - self.weather.off)
        if names:
            self.region.work(*names)

    def step(self, **by: float) -> None:
        """Moves time on, and lets those who are on do what is due."""
        self._clock.advance(**by)
        names = [name for name, member in self.region.members.items() if member.base not in self.weather.off]
        for name in names:
            member = self.region[name]
            run_periodic(member.instance, self._works[member.base])
            self.region.work(name)  # at once: who was called just now has no reason to call
        self.region.work(*names)

    def _begin_again(self, bases: Iterable[str]) -> None:
        """Machines are on again: their programs start."""
        for base in sorted(bases):
            start(self._wires.places[base])

    # ------------------------------------------------------------------------------------------------ sales

    def play(self) -> None:
        self.weather.bad = True
        for day in range(self._demand.days):
            self.weather.set_clocks()
            self._market()
            for _ in range(0, 24, STEP):
                self._begin_again(self.weather.turn())
                self.step(hours=STEP)
            figures = self.figures
            print(f"day {day + 1}: {figures.sold} of {figures.asked} pieces sold", file=sys.stderr, flush=True)
        self._begin_again(self.weather.clear())

    def _market(self) -> None:
        self._begin_again(self.weather.turn())
        customers: dict[int, list[tuple[Hub, str, int, int]]] = {minute: [] for minute in range(MARKET + TRIES)}
        for shop, items in self.shops:
            for _ in range(self._demand.orders):
                wish = (shop, self._chance.choice(items), self._chance.randint(1, self._demand.most), 1)
                customers[self._chance.randrange(MARKET)].append(wish)
        for minute, comers in customers.items():
            for shop, item, pieces, attempt in comers:
                if self._comes(shop, item, pieces, attempt):
                    customers[minute + 1].append((shop, item, pieces, attempt + 1))
            self.step(minutes=1)

    def _comes(self, shop: Hub, item: str, pieces: int, attempt: int) -> bool:
        """A customer comes to order. Returns whether it will come again."""
        figures = self.figures
        if shop.federation.base in self.weather.off:
            figures.shut += pieces
            return False
        figures.asked += pieces if attempt == 1 else 0
        refused = self._buy(shop, item, pieces)
        if refused is None:
            figures.sold += pieces
            figures.sold_at_once += pieces if attempt == 1 else 0
            return False
        if attempt < TRIES:
            return True
        self._gives_up(shop, item, pieces, refused)
        return False

    def _buy(self, shop: Hub, item: str, pieces: int) -> Conflict | None:
        """Orders. Returns why that was refused."""
        instance, self._seen = shop.instance, frozenset()
        wish = Wish(items={item: pieces}, name="Ada", email="ada@example.org", language="en")
        try:
            instance.transact(lambda tx: place_order(tx, instance.hooks, f"{shop.id}-session", wish))
        except Conflict as refused:
            if not isinstance(refused, SoldOut) and refused.code != "unreachable":
                raise
            return refused
        finally:
            self._called_work()
        return None

    def _gives_up(self, shop: Hub, item: str, pieces: int, refused: Conflict) -> None:
        """The last try was refused. If the goods are idle where the shop can get them, it tries once more after a round
        in which all messages arrive; what is refused then was refused in vain."""
        figures = self.figures
        if self._says_in_vain(shop, item, refused):
            self.weather.bad = False
            self.step(minutes=1)
            again = self._buy(shop, item, pieces)
            self.weather.bad = True
            if again is None:
                figures.sold += pieces
                return
            refused = again
            figures.in_vain += filter(None, [self._says_in_vain(shop, item, refused)])
        if isinstance(refused, SoldOut):
            figures.refused += pieces
            figures.idle += sum(sum(self._idle(shop, lot).values()) for lot in refused.missing)
        else:
            figures.away += pieces

    def _says_in_vain(self, shop: Hub, item: str, refused: Conflict) -> str:
        """Says why nobody should have been refused now; nothing if there is a reason."""
        if not isinstance(refused, SoldOut):
            is_away = {*way_to(self.region, shop, item)} & self.weather.away
            return "" if is_away else f"{item} was not reached from {shop.at}, though all on the way were on"
        found = {lot: self._idle(shop, lot) for lot in refused.missing}
        if any(sum(found[lot].values()) < missing for lot, missing in refused.missing.items()):
            return ""
        return f"{dict(refused.missing)} were refused at {shop.at}, and idle were {found}"

    def _idle(self, shop: Hub, lot_id: str) -> dict[str, int]:
        return idle_elsewhere(self.region, self.weather.away, shop, lot_id)

    # ------------------------------------------------------------------------------------------------ the end

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
