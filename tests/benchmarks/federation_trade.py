"""What trade between instances costs.

    python -m tests.benchmarks.federation_trade [PRODUCTS [PEERS]]

Instances in one process on SQLite files, joined by wires without sockets. Times are of the processor, of one core and
of all instances together: a hub elsewhere has a core of its own. 500 and 5 take a few seconds.
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
from commensal.operations.memory import tune_garbage_collector
from commensal.operations.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal.testing.placed import a_shop
from commensal.trade.catalogs.listing import Listing, list_products
from commensal.trade.catalogs.offers import set_price
from commensal.trade.orders.place import place_order
from commensal.trade.orders.values import Wish
from commensal.trade.product_lists.lists import import_list
from commensal.trade.product_lists.read import read_list
from commensal.trade.sale_sessions.tables import coordination_supplier, session_item
from commensal.trade.stock.lending import tell_beyond
from commensal_federation.catalogue.grants import accept_grant, give_grant, grants_between, mirror_of
from commensal_federation.catalogue.listing import received_items
from commensal_federation.dfc.iris import enterprise_iri
from commensal_federation.identity import begin_identity
from commensal_federation.leases.holder import take_grant
from commensal_federation.leases.row import lease_with
from commensal_federation.messages.bodies.catalogue import Grant, ReceivedItem
from commensal_federation.messages.bodies.leases import LeaseGrant
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
        own, leased = _in_turns(_own_order(region), _leased_order(region))
        print(f"| an order of a local product | {own:.1f} ms |")
        print(f"| an order of a leased one, where the lease suffices | {leased:.1f} ms, {leased / own:.2f} times |")
        for federation in region.members.values():
            federation.instance.close()


def _region(folder: Path) -> Region:
    clock, instances = ManualClock(NOON), Instances(folder)
    plan = Plan(plugins=("federation",))
    opened = [
        (str(place), instances.open(folder / str(place), plan, clock=clock, base_url=f"https://{place}.example"))
        for place in range(1 + PEERS)
    ]
    works = {id(one): work_of(one) for _, one in opened}
    region = region_of(opened, lambda one: run_due(one, works[id(one)]))
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
    for first in range(0, products, AT_ONCE):
        rows = (
            f"{shop},Produit {n},pomme,1,kg,2.50,1000,5.5,Produit {n}"
            for n in range(first, min(first + AT_ONCE, products))
        )
        with instance.store.write() as tx:
            done = import_list(tx, shop, read_list("\n".join([head, *rows]).encode()))
            assert not done.problems, done.problems[:3]


def _grant(region: Region, place: int, producer: str) -> Grant:
    """From the offer to the last item."""
    home, hub = region["0"], region[str(place)]
    with home.instance.store.write() as tx:
        peer = region.peer("0", str(place))
        give_grant(home, tx, producer, peer.id, enterprise_iri(hub.base, f"e{place}"), "Hub")
    region.work()
    with hub.instance.store.write() as tx:
        (grant,) = grants_between(tx, direction="received", state="offered")
        accept_grant(hub, tx, grant.id)
    region.work()
    assert _first(region, place).price == 250
    return grant


def _first(region: Region, place: int) -> ReceivedItem:
    with region[str(place)].instance.store.read() as tx:
        (taken,) = grants_between(tx, direction="received", state="accepted")
        return received_items(tx, taken, limit=1)[0]


def _prices(region: Region) -> None:
    """Each peer has a core of its own: what it does is counted apart, and the last one's is waited for."""
    theirs = list[float]()

    def there(origin: str, request: Request) -> Answer:
        begun = time.process_time()
        base = request.url.partition("/-/")[0]
        answer = answer_of(region.wires.places[base], request, origin)
        theirs.append(time.process_time() - begun)
        return answer

    region.wires.before = there
    homes, wholes = list[float](), list[float]()
    for price in range(300, 300 + CHANGES):
        theirs.clear()
        begun = time.perf_counter()
        spent = _timed(partial(_reprice, region, price))
        wholes.append(time.perf_counter() - begun)
        homes.append(spent - sum(theirs) + max(theirs))
    region.wires.before = lambda origin, request: None
    last = CHANGES * 95 // 100 - 1
    home, whole = sorted(homes)[last] * 1000, sorted(wholes)[last] * 1000
    told = f"p95 {home:.0f} ms of processor at home and at the last of them; {whole:.0f} ms by the clock, all here"
    print(f"| a price change, until {PEERS - 1} peers show it | {told} |")


def _reprice(region: Region, price: int) -> None:
    """Until all peers show the new price."""
    item_id = _first(region, 2).iri.rpartition("/")[2]
    with region["0"].instance.store.write() as tx:
        set_price(tx, "few", item_id, price)
    region.work("0")
    assert all(_first(region, place).price == price for place in range(2, 1 + PEERS))


def _own_order(region: Region) -> Order:
    """Orders at the producer's own shop."""
    instance = region["0"].instance
    item_id = _first(region, 1).iri.rpartition("/")[2]
    with instance.store.write() as tx:
        tx.execute(insert(session_item).values(session_id="e0-session", item_id=item_id))
    return partial(_order, instance, "e0", item_id)


def _leased_order(region: Region) -> Order:
    """The same at a hub that holds enough."""
    hub, offered = region["1"], _first(region, 1)
    with hub.instance.store.write() as tx:
        (item_id,) = list_products(tx, "e1", "e1-catalog", [Listing(product_id=offered.product_id, price=300)])
        copy = mirror_of(tx, enterprise_iri(region["0"].base, "e0"))
        tx.execute(insert(coordination_supplier).values(coordination_id="e1-sale", enterprise_id=copy))
        tx.execute(insert(session_item).values(session_id="e1-session", item_id=item_id))
        _hold(region, tx, offered)
    return partial(_order, hub.instance, "e1", item_id)


def _hold(region: Region, tx: Transaction, offered: ReceivedItem) -> None:
    from commensal_federation.leases.questions import leases

    peer = region.peer("1", "0")
    lot = next(lease for lease in leases(tx, limit=100_000) if lease.lot_name == offered.name)
    lease = lease_with(tx, "holder", peer.id, lot_id=lot.lot_id)
    assert lease is not None
    lease_grant = LeaseGrant(
        lot=lease.row["lot_iri"], unit=lease.unit, epoch=1, granted=lease.units(1000 * ORDERS),
        until=tx.now + timedelta(days=1), beyond=lease.units(0),
    )  # fmt: skip
    take_grant(region["1"], tx, peer, lease_grant)
    tell_beyond(tx, lot.lot_id, 0, tx.now + timedelta(days=1))


def _order(instance: Instance, shop: str, item_id: str, number: int) -> None:
    wish = Wish(items={item_id: 1}, name="Ada", email=f"ada{number}@example.org")
    instance.transact(lambda tx: place_order(tx, instance.hooks, f"{shop}-session", wish))


def _in_turns(one: Order, other: Order) -> tuple[float, float]:
    """Milliseconds of each, by the median: they take turns, since machines are shared."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ORDERS):
        for act, spent in zip((one, other), times, strict=True):
            spent.append(_timed(partial(act, number)) * 1000)
    first, second = (statistics.median(each) for each in times)
    return first, second


def _timed(act: Callable[[], Any]) -> float:
    """Seconds of the processor."""
    before = time.process_time()
    act()
    return time.process_time() - before


if __name__ == "__main__":
    main()
