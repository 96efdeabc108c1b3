"""Starting points of schedules: instances that are peers, producers with grants, hubs with sales under way.

Peering and the first catalogue cost more than a schedule, so each world is made once for a process, and copied.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path

from sqlalchemy import insert, update

from commensal.catalogs.items import add_item
from commensal.catalogs.listings import listings_of
from commensal.catalogs.offers import set_price
from commensal.enterprises.tables import enterprise_member
from commensal.hooks.loading import migration_folders
from commensal.products.products import create_product
from commensal.sale_sessions.tables import coordination
from commensal.storage.database.migrate import migrate
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal_federation.grants.questions import grants_between
from commensal_federation.identity import begin_identity
from commensal_federation.testing import Region, Wire, Wires, region_of

from ..federation.moves import add_person
from ..federation.trading import Hub, Place, Producer
from .nodes import Node, new_node

BEGIN = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Farm:
    """A producer's enterprise. `goods` maps products to their lots and items."""

    node: str
    id: str
    goods: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Stall:
    """A hub's sale session; `items` are of its own catalog, copies of what producers elsewhere list."""

    node: str
    id: str
    items: Sequence[str]


@dataclass(frozen=True)
class World:
    name: str
    folder: Path
    images: Mapping[str, bytes]  # of the disks, by node
    before_grants: Mapping[str, bytes]  # when all were peers, and nobody had granted anything or listed goods of others
    farms: Sequence[Farm]
    stalls: Sequence[Stall]
    peers: Sequence[tuple[str, str]]


def _two_hubs(region: Region, all_met: Callable[[], None]) -> tuple[list[Farm], list[Stall]]:
    """A farm, and two hubs that sell the same last crates."""
    for at in "bc":
        region.befriend("a", at)
    farm, hubs = farm_with_cheese(region, "a"), [Hub(region, at, f"hub-{at}") for at in "bc"]
    all_met()
    for hub in hubs:
        farm.grant(hub)
    return [_farm_of(farm)], [_stall_of(hub, [farm]) for hub in hubs]


def _chain(region: Region, all_met: Callable[[], None]) -> tuple[list[Farm], list[Stall]]:
    """A farm, a regional hub that sells and resells, and a shop supplied by the hub."""
    region.befriend("a", "b")
    region.befriend("b", "c")
    farm, hub, shop = farm_with_cheese(region, "a"), Hub(region, "b", "hub-b"), Hub(region, "c", "shop-c")
    all_met()
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    return [_farm_of(farm)], [_stall_of(hub, [farm]), _stall_of(shop, [regional])]


def _two_farms(region: Region, all_met: Callable[[], None]) -> tuple[list[Farm], list[Stall]]:
    """Two farms on two instances, and two hubs that sell the goods of both."""
    _befriend(region, "ab", "cd")
    farms, hubs = [farm_with_cheese(region, at) for at in "ab"], [Hub(region, at, f"hub-{at}") for at in "cd"]
    all_met()
    for hub in hubs:
        for farm in farms:
            farm.grant(hub)
    return [_farm_of(farm) for farm in farms], [_stall_of(hub, farms) for hub in hubs]


def _seven(region: Region, all_met: Callable[[], None]) -> tuple[list[Farm], list[Stall]]:
    """Two farms, four hubs, one of which supplies a shop."""
    _befriend(region, "ab", "cdef")
    region.befriend("c", "g")
    farms, hubs = [farm_with_cheese(region, at) for at in "ab"], [Hub(region, at, f"hub-{at}") for at in "cdef"]
    shop = Hub(region, "g", "shop-g")
    all_met()
    for hub in hubs:
        for farm in farms:
            farm.grant(hub, resell=hub.at == "c")
    regional = hubs[0].as_producer(farms[0])
    regional.grant(shop)
    stalls = [*(_stall_of(hub, farms) for hub in hubs), _stall_of(shop, [regional])]
    return [_farm_of(farm) for farm in farms], stalls


def _befriend(region: Region, farms: str, hubs: str) -> None:
    for farm in farms:
        for hub in hubs:
            region.befriend(farm, hub)


def _shape(edges: Sequence[str], region: Region, all_met: Callable[[], None]) -> tuple[list[Farm], list[Stall]]:
    """Who has granted whom: "ab" is the farm on a to the hub on b, "bc" this hub to the one on c, which it resells to.

    All are peers, and the farm's owner has an account everywhere, so that it can move to any of them.
    """
    for first, second in combinations(sorted(region.members), 2):
        region.befriend(first, second)
    farm, stalls = farm_with_cheese(region, "a"), []
    own(farm)
    hubs = {at: Hub(region, at, f"hub-{at}") for at in sorted(region.members) if at != "a"}
    all_met()
    for at, hub in hubs.items():
        producers: list[Producer] = []
        for giver in [edge[0] for edge in edges if edge[1] == at]:
            producer = farm if giver == "a" else Producer.over(hubs[giver])
            producer.grant(hub, resell=any(edge[0] == at for edge in edges))
            producers.append(producer)
        stalls.append(_stall_of(hub, producers))
    return [_farm_of(farm)], stalls


def owner_at(node: str) -> str:
    """The account of the farm's owner at this node."""
    return f"ann-at-{node}"


def own(farm: Producer) -> None:
    """Gives the farm an owner with an account on each instance, and calls off its own sale."""
    for name, federation in farm.region.members.items():
        with federation.instance.store.write() as tx:
            add_person(tx, owner_at(name))
    with farm.write() as tx:
        member = {"enterprise_id": farm.id, "person_id": owner_at(farm.at), "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member), member)
        own_sale = coordination.c.id == f"{farm.id}-sale"
        tx.execute(update(coordination).where(own_sale).values(cancelled_at=tx.now))


Build = Callable[[Region, Callable[[], None]], tuple[list[Farm], list[Stall]]]
BUILDS: Mapping[str, tuple[str, Build]] = {
    "two hubs": ("abc", _two_hubs),
    "chain": ("abc", _chain),
    "two farms": ("abcd", _two_farms),
    "seven": ("abcdefg", _seven),
}


def _shapes(hubs: str) -> Iterator[str]:
    """All ways in which goods come from a to each of these hubs, directly or through hubs of earlier letters."""
    sources = [[f"{giver}{hub}" for giver in "abcd" if giver < hub] for hub in hubs]
    choices = [[chosen for n in range(1, len(each) + 1) for chosen in combinations(each, n)] for each in sources]
    for shape in product(*choices):
        yield " ".join(edge for edges in shape for edge in edges)


SHAPES = [*_shapes("bc"), *_shapes("bcd")]  # of three and four instances


@cache
def world_of(name: str) -> World:
    """Made at the first call, then copied."""
    edges = name.split()
    names, build = BUILDS[name] if name in BUILDS else ("".join(sorted({*name} - {" "})), partial(_shape, edges))
    folder = Path(tempfile.mkdtemp(prefix="commensal-simulation-"))
    nodes = [new_node(node_name, folder / node_name, BEGIN, name) for node_name in names]
    wires = Wires()
    for node in nodes:
        node.load(template_of_disks())
        node.start(Wire(wires, node.base))
        begin_identity(node.federation)
    region = region_of(
        [(node.name, node.instance) for node in nodes],
        lambda instance: run_due(instance, next(node.work for node in nodes if node.instance is instance)),
    )
    before_grants: dict[str, bytes] = {}
    farms, stalls = build(region, lambda: before_grants.update({node.name: node.image() for node in nodes}))
    _minutes(nodes, region, 2)  # hubs hold some units ahead of need
    peers = sorted({(node.name, two.name) for node in nodes for two in nodes if _are_peers(node, two)})
    images = {node.name: node.image() for node in nodes}
    for name in _traders_in_resold_goods(nodes):
        del before_grants[name]
    world = World(name, folder, images, before_grants, farms, stalls, peers)
    weakref.finalize(world, shutil.rmtree, folder, ignore_errors=True)
    for node in nodes:
        node.instance.close()
    return world


@cache
def template_of_disks() -> bytes:
    with tempfile.TemporaryDirectory(prefix="commensal-simulation-") as folder:
        node = new_node("template", Path(folder) / "template", BEGIN, "template")
        node.start(Wire(Wires(), node.base))
        migrate(node.disk, migration_folders(node.instance.hooks))
        image = node.image()
        node.instance.close()
    return image


def _minutes(nodes: Sequence[Node], region: Region, count: int) -> None:
    for minute in range(1, count + 1):
        for node in nodes:
            node.clock.set(BEGIN + timedelta(minutes=minute))
            run_periodic(node.instance, node.work)
        region.work()


def _traders_in_resold_goods(nodes: Sequence[Node]) -> set[str]:
    """Those for which no message brings all back: what a reseller had listed is its own, and goods that it withdraws
    before their producer's statement has come are not heard of again."""
    traders = set()
    for node in nodes:
        with node.disk.read() as tx:
            grants = grants_between(tx)
        if len({grant.direction for grant in grants}) == 2:
            given_to = {grant.other_iri for grant in grants if grant.direction == "given"}
            traders |= {node.name, *(two.name for two in nodes for iri in given_to if iri.startswith(two.base))}
    return traders


def _are_peers(node: Node, other: Node) -> bool:
    try:
        return node is not other and node.peer(other).active
    except AssertionError:
        return False


def farm_with_cheese(region: Region, at: str) -> Producer:
    """A farm with crates by the piece, and cheese that is weighed."""
    farm = Producer(region, at, f"farm-{at}", on_hand="30")
    with farm.write() as tx:
        cheese = create_product(
            tx,
            enterprise_id=farm.id,
            name="Cheese",
            product_type="fruit",
            quantity=Decimal("0.5"),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(15),
            weighed=True,
        )
        set_price(tx, farm.id, add_item(tx, farm.id, f"{farm.id}-catalog", cheese.id).id, 1200)
        farm.goods = [farm.product, cheese]  # type: ignore[attr-defined]
    return farm


def _farm_of(farm: Producer) -> Farm:
    products = farm.goods  # type: ignore[attr-defined]
    with farm.read() as tx:
        items = listings_of(tx, farm.id, [product.id for product in products])
    return Farm(farm.at, farm.id, {product.id: (product.lot_id, items[product.id][0]) for product in products})


def _stall_of(hub: Hub, producers: Sequence[Place]) -> Stall:
    for producer in producers:
        hub.sell(producer)
    products = [item.product_id for producer in producers for item in hub.received(producer)]
    with hub.read() as tx:
        items_by_product = listings_of(tx, hub.id, products)
    return Stall(hub.at, hub.id, [items_by_product[product][0] for product in products])
