"""Costs of trade between instances.

python -m tests.benchmarks.federation_trade [PRODUCTS [PEERS]]

The instances are in one process on SQLite files, joined by wires without sockets. Times are processor times of one core
for all instances together; a hub elsewhere has its own core. 500 and 5 take a few seconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from commensal import Instance, Transaction
from commensal.base.clock import ManualClock
from commensal.base.logs import configure_logs
from commensal.catalogs.offers import set_price
from commensal.catalogs.product_listing import Listing, list_products
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.copies.lending import tell_beyond
from commensal.parts.product_lists.lists import import_list
from commensal.parts.product_lists.read import read_list
from commensal.parts.serving.serving import tune_garbage_collector
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal.testing.placed import a_shop
from commensal_federation.catalogue.grants import accept_grant, give_grant
from commensal_federation.catalogue.listings import received_items
from commensal_federation.dfc.iris import enterprise_iri
from commensal_federation.grants.questions import grants_between, mirror_of
from commensal_federation.identity import begin_identity
from commensal_federation.leases.holder import take_grant
from commensal_federation.leases.row import lease_with
from commensal_federation.messages.catalogue import Grant, ReceivedItem
from commensal_federation.messages.leases import LeaseGrant
from commensal_federation.testing import Region, answer_of, region_of
from commensal_federation.transport import Answer, Request

from .machine import machine

PRODUCTS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PEERS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
ORDERS = 100
CHANGES = 20  # of a price
Order = Callable[[int], None]
AT_ONCE = 2000  # products of one list


def main() -> None:
    configure_logs(level="error")
    print(machine("sqlalchemy", "cryptography"))
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        region = _region(Path(folder))
        _fill(region["0"].instance, "e0", PRODUCTS)
        _fill(region["0"].instance, "few", 20)
        region.work()
        tune_garbage_collector()  # as `commensal serve` does
        spent = _timed(lambda: _grant(region, 1, "e0"))
        print(f"| {PRODUCTS:,} products, from nothing to listable at a new peer | {spent:.1f} s |")
        for place in range(2, 1 + PEERS):
            _grant(region, place, "few")
        _prices(region)
        local, leased = _in_turns(_own_order(region), _leased_order(region))
        print(f"| an order of a local product | {local:.1f} ms |")
        print(f"| an order of a leased one, where the lease suffices | {leased:.1f} ms, {leased / local:.2f} times |")
        for federation in region.members.values():
            federation.instance.close()


def _region(folder: Path) -> Region:
    clock, instances = ManualClock(NOON), Instances(folder)
    plan = Plan(plugins=("federation",))
    named_instances = [
        (str(place), instances.open(folder / str(place), plan, clock=clock, base_url=f"https://{place}.example"))
        for place in range(1 + PEERS)
    ]
    works = {id(instance): work_of(instance) for _, instance in named_instances}
    region = region_of(named_instances, lambda instance: run_due(instance, works[id(instance)]))
    for place, federation in enumerate(region.members.values()):
        begin_identity(federation)
        with federation.instance.store.write() as tx:
            a_shop(tx, f"e{place}", is_producer=place == 0)
            if not place:
                a_shop(tx, "few", is_producer=True)
    for place in range(1, 1 + PEERS):
        region.befriend("0", str(place))
    return region


def _fill(instance: Instance, shop: str, products: int) -> None:
    head = "producer,name,category,units,unit_type,price,on_hand,tax_category,lot"
    for start in range(0, products, AT_ONCE):
        rows = (
            f"{shop},Produit {n},pomme,1,kg,2.50,1000,5.5,Produit {n}"
            for n in range(start, min(start + AT_ONCE, products))
        )
        with instance.store.write() as tx:
            result = import_list(tx, shop, read_list("\n".join([head, *rows]).encode()))
            assert not result.problems, result.problems[:3]


def _grant(region: Region, number: int, producer: str) -> Grant:
    """Runs from the offer to the last item."""
    home, hub = region["0"], region[str(number)]
    with home.instance.store.write() as tx:
        peer = region.peer("0", str(number))
        give_grant(home, tx, producer, peer.id, enterprise_iri(hub.base, f"e{number}"), "Hub")
    region.work()
    with hub.instance.store.write() as tx:
        (grant,) = grants_between(tx, direction="received", state="offered")
        accept_grant(hub, tx, grant.id)
    region.work()
    assert _first(region, number).price == 250
    return grant


def _first(region: Region, number: int) -> ReceivedItem:
    with region[str(number)].instance.store.read() as tx:
        (grant,) = grants_between(tx, direction="received", state="accepted")
        return received_items(tx, grant, limit=1)[0]


def _prices(region: Region) -> None:
    """Each peer has its own core: its work is counted separately, and the last peer's is awaited."""
    peer_seconds = list[float]()

    def answer_of_peer(origin: str, request: Request) -> Answer:
        started = time.process_time()
        base = request.url.partition("/-/")[0]
        answer = answer_of(region.wires.places[base], request, origin)
        peer_seconds.append(time.process_time() - started)
        return answer

    region.wires.before = answer_of_peer
    homes, wholes = list[float](), list[float]()
    for price in range(300, 300 + CHANGES):
        peer_seconds.clear()
        start_time = time.perf_counter()
        spent = _timed(partial(_reprice, region, price))
        wholes.append(time.perf_counter() - start_time)
        homes.append(spent - sum(peer_seconds) + max(peer_seconds))
    region.wires.before = lambda origin, request: None
    p95_index = CHANGES * 95 // 100 - 1
    home_ms, total_ms = sorted(homes)[p95_index] * 1000, sorted(wholes)[p95_index] * 1000
    figures = (
        f"p95 {home_ms:.0f} ms of processor at home and at the last of them; {total_ms:.0f} ms by the clock, all here"
    )
    print(f"| a price change, until {PEERS - 1} peers show it | {figures} |")


def _reprice(region: Region, price: int) -> None:
    """Changes the price and waits until all peers show it."""
    item_id = _first(region, 2).iri.rpartition("/")[2]
    with region["0"].instance.store.write() as tx:
        set_price(tx, "few", item_id, price)
    region.work("0")
    assert all(_first(region, number).price == price for number in range(2, 1 + PEERS))


def _own_order(region: Region) -> Order:
    """Orders at the producer's own shop."""
    instance = region["0"].instance
    item_id = _first(region, 1).iri.rpartition("/")[2]
    with instance.store.write() as tx:
        tx.execute(insert(session_item).values(session_id="e0-session", item_id=item_id))
    return partial(_order, instance, "e0", item_id)


def _leased_order(region: Region) -> Order:
    """Orders at a hub that holds enough stock."""
    hub, item = region["1"], _first(region, 1)
    with hub.instance.store.write() as tx:
        (item_id,) = list_products(tx, "e1", "e1-catalog", [Listing(product_id=item.product_id, price=300)])
        copy = mirror_of(tx, enterprise_iri(region["0"].base, "e0"))
        tx.execute(insert(coordination_supplier).values(coordination_id="e1-sale", enterprise_id=copy))
        tx.execute(insert(session_item).values(session_id="e1-session", item_id=item_id))
        _hold(region, tx, item)
    return partial(_order, hub.instance, "e1", item_id)


def _hold(region: Region, tx: Transaction, item: ReceivedItem) -> None:
    from commensal_federation.leases.row import leases

    peer = region.peer("1", "0")
    lot = next(lease for lease in leases(tx, limit=100_000) if lease.lot_name == item.name)
    lease = lease_with(tx, "holder", peer.id, lot_id=lot.lot_id)
    assert lease is not None
    lease_grant = LeaseGrant(
        lot=lease.row.lot_iri,
        unit=lease.unit,
        epoch=1,
        granted=lease.units(1000 * ORDERS),
        until=tx.now + timedelta(days=1),
        beyond=lease.units(0),
    )
    take_grant(region["1"], tx, peer, lease_grant)
    tell_beyond(tx, lot.lot_id, 0, tx.now + timedelta(days=1))


def _order(instance: Instance, shop: str, item_id: str, number: int) -> None:
    wish = Wish(items={item_id: 1}, name="Ada", email=f"ada{number}@example.org")
    instance.transact(lambda tx: place_order(tx, instance.hooks, f"{shop}-session", wish))


def _in_turns(first_order: Order, second_order: Order) -> tuple[float, float]:
    """Returns the median of each in milliseconds: they take turns, since machines are shared."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ORDERS):
        for order, seconds in zip((first_order, second_order), times, strict=True):
            seconds.append(_timed(partial(order, number)) * 1000)
    first_median, second_median = (statistics.median(each) for each in times)
    return first_median, second_median


def _timed(action: Callable[[], Any]) -> float:
    """Returns seconds of the processor."""
    started = time.process_time()
    action()
    return time.process_time() - started


if __name__ == "__main__":
    main()
