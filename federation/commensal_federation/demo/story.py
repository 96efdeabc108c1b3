"""The story of the demo over three processes: selling the last crate, stopping an instance, and catching up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from commensal import DemoRun, StockLot, broken_invariants, open_instance, spoken
from commensal.parts.terminal import told
from commensal.stock import lots_by_id, lots_of

from ..leases.row import leases

PATIENCE = 120.0  # seconds to wait for messages between instances
_SCARCE = range(4, 80)  # pieces of a product that the story sells out
_numbers = count()
T = TypeVar("T")


@dataclass(frozen=True)
class DemoTrade:
    """Folders of the instances, the producers whose goods travel, and the sale session of each hub."""

    home: Path
    producers: tuple[str, ...]
    hubs: tuple[Path, ...]
    sessions: tuple[str, ...]


@dataclass(frozen=True)
class _HubShop:
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
        """Buys one piece, as a guest from a network of their own. False where there is none."""
        number = next(_numbers)
        answer = httpx.post(
            f"{self.url}/api/sale-sessions/{self.session}/orders",
            json={"items": {item_id: 1}, "name": "Ada", "email": f"ada{number}@example.org"},
            headers={"Idempotency-Key": f"demo-{number}", "X-Forwarded-For": str(IPv4Address("10.0.0.0") + number)},
            trust_env=False,
            timeout=60,
        )
        if answer.status_code not in (201, 409):
            raise RuntimeError(f"{self.url} answered {answer.status_code}: {answer.text[:300]}")
        return answer.status_code == 201


def run_story(run: DemoRun, trade: DemoTrade) -> list[str]:
    """Runs the story, and returns what went wrong."""
    shops = [_HubShop(run.url(number + 1), session) for number, session in enumerate(trade.sessions)]
    wrong = _last_crate(run, trade, shops)
    wrong += _stop_producers(run, trade, shops[0])
    disagreements = _poll(lambda: _difference(trade), lambda differences: not differences)
    for index in range(len(shops) + 1):
        run.stop(index)
    return wrong + disagreements + _check_invariants(run, trade)


def _last_crate(run: DemoRun, trade: DemoTrade, shops: list[_HubShop]) -> list[str]:
    """Customers of both hubs buy piece by piece, all at once, until none is left anywhere."""
    offers = [_single_size_offers(shop) for shop in shops]
    common_names = offers[0].keys() & offers[1].keys()
    scarce = [
        name for name in common_names if offers[0][name]["left"] in _SCARCE and len(_lots_at_home(trade, name)) == 1
    ]
    if not scarce:
        return [spoken("there is nothing of which there are few")]
    name = min(scarce, key=lambda candidate: (int(offers[0][candidate]["left"]), candidate))
    items = [str(by_name[name]["item_id"]) for by_name in offers]
    grains = _available_grains(trade, name, [str(by_name[name]["lot_id"]) for by_name in offers])
    available = grains // int(offers[0][name]["lot_quantity"])
    text = "[bold]Two regions[/bold] sell {product}, of which there are {count}, counted once"
    run.say(spoken(text, product=name, count=available))
    bought = [0] * len(shops)
    with ThreadPoolExecutor(len(shops)) as pool:
        for _ in range(int(PATIENCE)):  # idle units of one hub are recalled for the other
            round_counts = list(pool.map(lambda number: _buy_up(shops[number], items[number]), range(len(shops))))
            bought = [before + more for before, more in zip(bought, round_counts, strict=True)]
            if sum(bought) >= available:
                break
            time.sleep(1)
    text = "[bold]Bought[/bold] at both at once, piece by piece: {here} here, {there} there"
    run.say(spoken(text, here=bought[0], there=bought[1]))
    if sum(bought) == available:
        return []
    return [spoken("{sold} pieces of {count} were sold", sold=sum(bought), count=available)]


def _single_size_offers(shop: _HubShop) -> dict[str, dict[str, Any]]:
    """The offers of products that a shop sells in one size only, by name."""
    offers = shop.offers()
    names = Counter(offer["name"] for offer in offers)
    return {offer["name"]: offer for offer in offers if names[offer["name"]] == 1}


def _buy_up(shop: _HubShop, item_id: str) -> int:
    bought = 0
    while shop.order(item_id):
        bought += 1
    return bought


def _stop_producers(run: DemoRun, trade: DemoTrade, shop: _HubShop) -> list[str]:
    """Stops the producers' instance while a hub sells what it holds."""
    offer = _poll(lambda: _sellable_offer(trade, shop), lambda offer: offer is not None)
    if offer is None:
        return [spoken("a hub holds nothing ahead of need")]
    run.stop(0)
    sold = shop.order(str(offer["item_id"]))
    text = "[bold]The producers' instance[/bold] is stopped; a customer of a hub orders {product}, in vain"
    if sold:
        text = "[bold]The producers' instance[/bold] is stopped; a customer of a hub orders {product}, and gets it"
    run.say(spoken(text, product=offer["name"]))
    run.start(0)
    return [] if sold else [spoken("a hub could not sell what it holds")]


def _sellable_offer(trade: DemoTrade, shop: _HubShop) -> dict[str, object] | None:
    """An offer that the hub can sell from its own lease, else None."""
    lots = _lots(trade.hubs[0])
    for offer in shop.offers():
        lot = lots.get(offer["lot_id"])
        if lot is not None and lot.free * lot.per_unit >= offer["lot_quantity"]:
            return offer
    return None


def _available_grains(trade: DemoTrade, name: str, copies: list[str]) -> int:
    """Grains of this lot still available anywhere: at home, at the hubs, and in transit between them.

    The home counts units in transit, in either direction, as lent, so its numbers include them all.
    """
    ordered = [_lot(folder, copy).reserved for folder, copy in zip(trade.hubs, copies, strict=True)]
    (home,) = _lots_at_home(trade, name)
    return int((home.free + home.lent - sum(ordered, Decimal(0))) * home.per_unit)


def _lots_at_home(trade: DemoTrade, name: str) -> list[StockLot]:
    """Lots of this name at the producers' instance."""
    with open_instance(trade.home) as opened, opened.store.read() as tx:
        return [lot for producer in trade.producers for lot in lots_of(tx, producer, limit=1000) if lot.name == name]


def _difference(trade: DemoTrade) -> list[str]:
    """A message if lent and held units of leases differ (yet), else an empty list."""
    lent_units = sum((lot.lent for lot in _lots(trade.home).values()), Decimal(0))
    held_units = sum(
        (lot.free + lot.reserved for folder in trade.hubs for lot in _lots(folder).values() if not lot.unlimited),
        Decimal(0),
    )
    if lent_units == held_units:
        return []
    return [spoken("producers have lent {lent:f}, and hubs hold {held:f}", lent=lent_units, held=held_units)]


def _lot(folder: Path, lot_id: str) -> StockLot:
    with open_instance(folder) as opened, opened.store.read() as tx:
        return lots_by_id(tx, [lot_id])[lot_id]


def _lots(folder: Path) -> dict[str, StockLot]:
    """All lots of leases, by id."""
    with open_instance(folder) as opened, opened.store.read() as tx:
        return lots_by_id(tx, {lease.lot_id for lease in leases(tx, limit=10_000)})


def _check_invariants(run: DemoRun, trade: DemoTrade) -> list[str]:
    wrong = []
    for folder in (trade.home, *trade.hubs):
        with open_instance(folder) as opened, opened.store.read() as tx:
            wrong += [f"{folder.name}: {told(broken)}" for broken in broken_invariants(tx)]
    if not wrong:
        text = "[green]All is well[/green] in all three databases: nothing oversold, both sides of each lease agree."
        run.say(spoken(text))
    return wrong


def _poll(read: Callable[[], T], is_good: Callable[[T], bool]) -> T:
    """Reads a value until it is good or `PATIENCE` seconds are over; returns the last value."""
    deadline = time.monotonic() + PATIENCE
    while not is_good(value := read()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return value
