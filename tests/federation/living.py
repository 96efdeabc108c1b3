"""A producer's instance and two hubs' instances, each a serving process of its own; customers order over HTTP."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from shutil import copyfile
from signal import SIGCONT, SIGTERM, Signals
from typing import Any

import httpx
from sqlalchemy import insert, update

from commensal.instance import Instance, open_instance
from commensal.instance.instance import DATABASE
from commensal.orders.values import MOST_PIECES
from commensal.parts.backups.settings import toml
from commensal.parts.serving.work import do_one_job, work_of
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.stock.movements import receive_stock
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.tables import job
from commensal_federation.delivery.tables import federation_lane
from commensal_federation.identity import begin_identity
from commensal_federation.leases.upkeep import enqueue_upkeep
from commensal_federation.orders.work import enqueue_summaries
from commensal_federation.peers.tables import federation_peer
from commensal_federation.testing import region_of

from .agreement import differences, violations_of
from .trading import Hub, Place, Producer

ON_HAND = 100
NAMES = ("farm", "north", "south")
BEHIND = "east"
PATIENCE = 60.0  # seconds; the machine may be busy
_numbers = count()


@dataclass
class ServingInstance:
    """One serving instance. `within` runs a function where the instance can be reached; `began` receives its port."""

    place: Place
    item: str
    host: str
    port: int
    command: Sequence[str] = ()
    within: Callable[[Callable[[], Any]], Any] = lambda act: act()
    began: Callable[[int], None] = lambda port: None
    ordered: int = 0
    clock: int | None = None  # seconds by which it is ahead; None: the machine's own clock, for which nobody vouches
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def begin(self) -> None:
        folder = self.place.instance.folder
        serve = [sys.executable, "-m", "commensal", "serve", "--instance", folder, "--port", str(self.port)]
        if self.clock is not None:
            serve = [sys.executable, "-m", "tests.federation.wrong_clock", folder, str(self.port), str(self.clock)]
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            self.process = subprocess.Popen([*self.command, *serve], stdout=subprocess.PIPE, stderr=log, text=True)

    def wait(self) -> None:
        """Waits until the process serves."""
        assert self.process is not None
        assert self.process.stdout is not None
        first_line = self.process.stdout.readline().strip()
        assert first_line.startswith("Serving on "), first_line
        self.url = f"http://127.0.0.1:{first_line.rpartition(':')[2]}"
        self.began(int(first_line.rpartition(":")[2]))

    def tell(self, number: Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: Signals = SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(SIGCONT)
            self.process.send_signal(number)
            self.process.communicate(timeout=PATIENCE)
            self.process = None

    def order(self, pieces: int = 1, *, number: int | None = None) -> int:
        """A customer orders. Returns the HTTP status: 201, or 409 if there is not enough stock.

        The same `number` again is the same order, of a customer who has got no answer.
        """
        return self.ask(pieces, next(_numbers) if number is None else number).status_code

    def ask(self, pieces: int, number: int) -> httpx.Response:
        """As `order`, with the whole answer."""
        wish = {"items": {self.item: pieces}, "name": "Ada", "email": f"ada{number}@example.org", "language": "en"}
        url = f"{self.url}/api/sale-sessions/{self.place.id}-session/orders"
        headers = {"Idempotency-Key": f"order-{number}"}
        post = lambda: httpx.post(url, json=wish, headers=headers, trust_env=False, timeout=PATIENCE)  # noqa: E731
        answer: httpx.Response = self.within(post)
        self.ordered += pieces if answer.status_code == 201 else 0
        return answer

    def hurry(self) -> None:
        """Makes everything due now that is put off to a later moment."""
        lane, peer = federation_lane.c, federation_peer.c
        with self.place.write() as tx:
            tx.execute(update(federation_lane).where(lane.due_at > tx.now).values(due_at=None))
            tx.execute(update(federation_peer).where(peer.held_until > tx.now).values(held_until=tx.now))
            tx.execute(update(job).where(job.c.state == "waiting", job.c.due_at > tx.now).values(due_at=tx.now))
            enqueue_upkeep(tx)
            enqueue_summaries(tx)


@dataclass
class Trade:
    """The three instances. The hubs trade with the farm and not with each other. `behind` is a fourth one, which sells
    what the first hub lends on to it."""

    farm: ServingInstance
    hubs: tuple[ServingInstance, ServingInstance]
    behind: ServingInstance | None = None
    on_hand: int = ON_HAND

    @property
    def all(self) -> Sequence[ServingInstance]:
        return (self.farm, *self.hubs, *([self.behind] if self.behind else []))

    def open(self) -> None:
        """Starts all instances; each sells something, and all agree on it."""
        for instance in self.all:
            instance.begin()
        for instance in self.all:
            instance.wait()
        assert [instance.order(2) for instance in self.all] == [201] * len(self.all)
        self.agree()

    def deliver(self) -> None:
        """The farm receives new stock and all agree: what hubs sold before a cut is what they hold in the next one."""
        farm, new_stock = self.farm.place, 4 * (ON_HAND + sum(hub.ordered for hub in self.hubs))
        assert isinstance(farm, Producer)
        with farm.write() as tx:
            receive_stock(tx, farm.id, farm.lot.id, Decimal(new_stock))
        self.on_hand += new_stock
        self.agree()

    def sell_apart(self, *hubs: ServingInstance) -> None:
        """While these hubs are cut off, each sells what it holds and no more; the farm sells too."""
        for hub in hubs or self.hubs:
            assert [hub.order(), hub.order(2)] == [201, 201]
            assert hub.order(int(self.held(hub)) + 1) == 409
        assert self.farm.order() == 201

    def sell_all(self) -> None:
        """Lets each hub sell all that it holds."""
        for hub in self.hubs:
            while (held := int(self.held(hub))) > 0:
                assert hub.order(-(-held // 2)) == 201
            assert hub.order() == 409

    def agree(self) -> None:
        """Waits until all instances agree, and checks the result."""
        deadline = time.monotonic() + PATIENCE
        while differences := self.differences():
            assert time.monotonic() < deadline, differences
            for instance in self.all:
                instance.hurry()
            threading.Event().wait(0.5)
        self.check()

    def differences(self) -> list[str]:
        farm = self.farm.place
        assert isinstance(farm, Producer)
        found = [text for hub in self.hubs if isinstance(hub.place, Hub) for text in differences(farm, hub.place)]
        if self.behind and isinstance(self.behind.place, Hub) and isinstance(self.hubs[0].place, Hub):
            found += differences(Producer.over(self.hubs[0].place), self.behind.place)
        return found

    def close(self) -> None:
        """After the cut, hubs get more than they hold, and all agree again."""
        self.agree()
        for hub in self.hubs:
            self.sell_more(hub)
        self.agree()

    def sell_more(self, hub: ServingInstance) -> None:
        """Sells more than the hub holds, in several orders where one may not have as many pieces. Tries again after
        409: the farm may answer later than a customer waits."""
        deadline = time.monotonic() + PATIENCE
        while True:
            wanted = int(self.held(hub)) + 1
            status = hub.order(min(wanted, MOST_PIECES))
            if status == 201 and wanted <= MOST_PIECES:
                return
            assert status in (201, 409)
            assert time.monotonic() < deadline

    def check(self) -> None:
        """Checks that every piece is counted once and where it belongs."""
        lots = [self._lot(instance) for instance in self.all]
        assert violations_of(*(instance.place for instance in self.all)) == []
        assert [int(lot.reserved) for lot in lots] == [instance.ordered for instance in self.all]
        levels = [(instance.place.at, lot.free, lot.reserved) for instance, lot in zip(self.all, lots, strict=True)]
        assert sum(free + reserved for _, free, reserved in levels) == self.on_hand, levels

    def held(self, hub: ServingInstance) -> Any:
        return self._lot(hub).free

    def _lot(self, instance: ServingInstance) -> Any:
        farm = self.farm.place
        assert isinstance(farm, Producer)
        return instance.place.lot(farm) if isinstance(instance.place, Hub) else farm.lot


def make_trade(folders: Sequence[Path], template: Path, urls: Sequence[str], host: str, allow: str) -> Trade:
    """Makes instances in these folders that know each other by these URLs, ready to serve: three, or four with one
    behind the first hub. The caller closes them."""
    names = [*NAMES, BEHIND][: len(folders)]
    opened = [
        _instance(folder, template, name, url, host, allow)
        for folder, name, url in zip(folders, names, urls, strict=True)
    ]
    region = region_of(list(zip(names, opened, strict=True)), do_one_job)
    for federation in region.members.values():
        begin_identity(federation)
    farm = Producer(region, "farm", on_hand=str(ON_HAND))
    hubs = [Hub(region, name) for name in NAMES[1:]]
    for hub in hubs:
        region.befriend("farm", hub.at)
        farm.grant(hub, resell=BEHIND in names)
    if BEHIND in names:
        region.befriend(hubs[0].at, BEHIND)
        of_first, behind = hubs[0].as_producer(farm), Hub(region, BEHIND)
        of_first.grant(behind)
    items = [hub.sell(farm) for hub in hubs]
    if BEHIND in names:
        hubs.append(behind)
        items.append(behind.sell(of_first))
    with farm.write() as tx:
        tx.execute(insert(coordination_supplier).values(coordination_id="farm-sale", enterprise_id="farm"))
        tx.execute(insert(session_item).values(session_id="farm-session", item_id=farm.item))
    for instance in opened:
        run_periodic(instance, work_of(instance))  # hubs ask for some stock ahead of need
    region.work()
    living = [
        ServingInstance(place, item, host, 0) for place, item in zip((farm, *hubs), (farm.item, *items), strict=True)
    ]
    return Trade(living[0], (living[1], living[2]), behind=living[3] if BEHIND in names else None)


def _instance(folder: Path, template: Path, name: str, url: str, host: str, allow: str) -> Instance:
    folder.mkdir(exist_ok=True)
    copyfile(template, folder / DATABASE)
    limits = {"reads": 100_000, "writes": 100_000, "logins": 100_000}
    file = folder / "instance.toml"
    file.write_text(
        toml(
            {
                "name": name,
                "base_url": url,
                "language": "en",
                "server": {"host": host},
                "limits": limits,
                "outbound": {"allow": [allow]},
                "plugins": {"enabled": ["federation"]},
            }
        )
    )
    file.chmod(0o600)
    return open_instance(folder)
