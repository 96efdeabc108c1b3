"""The story of the demo, over three processes: the last crate, a stopped instance, and how it catches up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from commensal import DemoRun, StockLot, broken_invariants, lots_by_id, lots_of, open_instance, spoken, told

from ..leases.questions import leases

PATIENCE = 120.0  # seconds for whatever has to cross between instances
_FEW = range(4, 80)  # pieces of what is bought up
_numbers = count()
T = TypeVar("T")


@dataclass(frozen=True)
class Traded:
    """Folders of the instances, the producers whose goods travel, and the sale session of each hub."""

    home: Path
    producers: tuple[str, ...]
    hubs: tuple[Path, ...]
    sessions: tuple[str, ...]


@dataclass(frozen=True)
class Shop:
    """One hub, as its shoppers see it."""

    url: str
    session: str

    def offers(self) -> list[dict[str, Any]]:
        answer = httpx.get(
            f"{self.url}/api/sale-sessions/{self.session}/offers", params={"limit": 200}, trust_env=False, timeout=60
        )
        answer.raise_for_status()
        return list(answer.json()["items"])

    def order(self, item_id: str) -> bool:
        """Buys one piece. False where there is none."""
        number = next(_numbers)
        answer = httpx.post(
            f"{self.url}/api/sale-sessions/{self.session}/orders",
            json={"items": {item_id: 1}, "name": "Ada", "email": f"ada{number}@example.org"},
            headers={"Idempotency-Key": f"demo-{number}"},
            trust_env=False,
            timeout=60,
        )
        if answer.status_code not in (201, 409):
            raise RuntimeError(f"{self.url} answered {answer.status_code}: {answer.text[:300]}")
        return answer.status_code == 201


def tell(run: DemoRun, traded: Traded) -> list[str]:
    """Tells it, and returns what went wrong."""
    shops = [Shop(run.url(place + 1), session) for place, session in enumerate(traded.sessions)]
    wrong = _last_crate(run, traded, shops)
    wrong += _stopped(run, traded, shops[0])
    agreed = _until(lambda: _difference(traded), lambda said: not said)
    for place in range(len(shops) + 1):
        run.stop(place)
    return wrong + agreed + _books(run, traded)


def _last_crate(run: DemoRun, traded: Traded, shops: list[Shop]) -> list[str]:
    """Customers of both hubs buy piece by piece, all at once, until none is left anywhere."""
    offers = [_offered_once(shop) for shop in shops]
    both = offers[0].keys() & offers[1].keys()
    few = [name for name in both if offers[0][name]["left"] in _FEW and len(_at_home(traded, name)) == 1]
    if not few:
        return [spoken("there is nothing of which there are few")]
    name = min(few, key=lambda one: (int(offers[0][one]["left"]), one))
    items = [str(one[name]["item_id"]) for one in offers]
    grains = _to_be_had(traded, name, [str(one[name]["lot_id"]) for one in offers])
    there = grains // int(offers[0][name]["lot_quantity"])
    said = "[bold]Two regions[/bold] sell {product}, of which there are {count}, counted once"
    run.say(spoken(said, product=name, count=there))
    bought = [0] * len(shops)
    with ThreadPoolExecutor(len(shops)) as pool:
        for _ in range(int(PATIENCE)):  # what lies idle at one hub is called back for the other
            now = list(pool.map(lambda at: _buy_up(shops[at], items[at]), range(len(shops))))
            bought = [before + more for before, more in zip(bought, now, strict=True)]
            if sum(bought) >= there:
                break
            time.sleep(1)
    said = "[bold]Bought[/bold] at both at once, piece by piece: {here} here, {there} there"
    run.say(spoken(said, here=bought[0], there=bought[1]))
    if sum(bought) == there:
        return []
    return [spoken("{sold} pieces of {count} were sold", sold=sum(bought), count=there)]


def _offered_once(shop: Shop) -> dict[str, dict[str, Any]]:
    """What a shop offers in one size only, by name."""
    offers = shop.offers()
    names = Counter(one["name"] for one in offers)
    return {one["name"]: one for one in offers if names[one["name"]] == 1}


def _buy_up(shop: Shop, item_id: str) -> int:
    bought = 0
    while shop.order(item_id):
        bought += 1
    return bought


def _stopped(run: DemoRun, traded: Traded, shop: Shop) -> list[str]:
    """The producers' instance is gone; the hub sells what it holds."""
    held = _until(lambda: _held(traded, shop), lambda one: one is not None)
    if held is None:
        return [spoken("a hub holds nothing ahead of need")]
    run.stop(0)
    sold = shop.order(str(held["item_id"]))
    said = "[bold]The producers' instance[/bold] is stopped; a customer of a hub orders {product}, in vain"
    if sold:
        said = "[bold]The producers' instance[/bold] is stopped; a customer of a hub orders {product}, and gets it"
    run.say(spoken(said, product=held["name"]))
    run.start(0)
    return [] if sold else [spoken("a hub could not sell what it holds")]


def _held(traded: Traded, shop: Shop) -> dict[str, Any] | None:
    """Something that the hub may sell without asking anybody."""
    lots = _lots(traded.hubs[0])
    for one in shop.offers():
        lot = lots.get(one["lot_id"])
        if lot is not None and lot.free * lot.per_unit >= one["lot_quantity"]:
            return one
    return None


def _to_be_had(traded: Traded, name: str, copies: list[str]) -> int:
    """Grains that anybody may still buy of this lot: at home, at the hubs, and on the way between them.

    The home counts as lent what is on its way, in either direction, so one look at it misses none.
    """
    ordered = [_lot(folder, copy).reserved for folder, copy in zip(traded.hubs, copies, strict=True)]
    (home,) = _at_home(traded, name)
    return int((home.free + home.lent - sum(ordered, Decimal(0))) * home.per_unit)


def _at_home(traded: Traded, name: str) -> list[StockLot]:
    """Lots of this name where the goods are."""
    with open_instance(traded.home) as opened, opened.store.read() as tx:
        return [lot for one in traded.producers for lot in lots_of(tx, one, limit=1000) if lot.name == name]


def _difference(traded: Traded) -> list[str]:
    """Where the two sides of leases do not say the same (yet)."""
    lent = sum((lot.lent for lot in _lots(traded.home).values()), Decimal(0))
    held = sum(
        (lot.free + lot.reserved for folder in traded.hubs for lot in _lots(folder).values() if not lot.unlimited),
        Decimal(0),
    )
    if lent == held:
        return []
    return [spoken("producers have lent {lent:f}, and hubs hold {held:f}", lent=lent, held=held)]


def _lot(folder: Path, lot_id: str) -> StockLot:
    with open_instance(folder) as opened, opened.store.read() as tx:
        return lots_by_id(tx, [lot_id])[lot_id]


def _lots(folder: Path) -> dict[str, StockLot]:
    """All lots of leases, by id."""
    with open_instance(folder) as opened, opened.store.read() as tx:
        return lots_by_id(tx, {one.lot_id for one in leases(tx, limit=10_000)})


def _books(run: DemoRun, traded: Traded) -> list[str]:
    wrong = []
    for folder in (traded.home, *traded.hubs):
        with open_instance(folder) as opened, opened.store.read() as tx:
            wrong += [f"{folder.name}: {told(one)}" for one in broken_invariants(tx)]
    if not wrong:
        said = "[green]All is well[/green] in all three databases: nothing oversold, both sides of each lease agree."
        run.say(spoken(said))
    return wrong


def _until(ask: Callable[[], T], good: Callable[[T], bool]) -> T:
    """What is asked, once it is good; what it was at last, when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not good(said := ask()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return said
