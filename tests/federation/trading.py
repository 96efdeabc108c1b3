"""A producer on one instance and hubs on others, for tests of their trade."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from commensal import Order
from commensal.base.clock import ManualClock
from commensal.catalogs.items import add_item
from commensal.catalogs.listings import listings_of
from commensal.catalogs.offers import set_price
from commensal.catalogs.product_listing import Listing, list_products
from commensal.enterprises.plugins import enabled_plugins
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id, orders_of_session
from commensal.orders.quote import quote_order
from commensal.orders.values import Wish
from commensal.parts.checks.invariants import broken_invariants
from commensal.parts.serving.work import work_of
from commensal.products.products import create_product
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.stock.lots import lots_by_id
from commensal.storage.jobs.periodic import run_periodic
from commensal.testing.placed import a_shop
from commensal_federation.catalogue.grants import accept_grant, give_grant
from commensal_federation.catalogue.listings import received_items
from commensal_federation.dfc.iris import enterprise_iri
from commensal_federation.grants.questions import grants_between, mirror_of
from commensal_federation.leases.row import leases
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.catalogue import Grant, ReceivedItem
from commensal_federation.messages.leases import Lease
from commensal_federation.messages.order_answer import AnswerLine
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.supplier import answer_order
from commensal_federation.testing import Region


def region_of_peers(new_region: Callable[..., Region], *friends: str) -> Region:
    """The instances named by `friends`, which are pairs of peers: "ab", "ac"."""
    region: Region = new_region(*sorted(set("".join(friends))), friends=friends)
    return region


def folder_at(region: Region, name: str, folder: Path) -> Path:
    """Makes a folder in which commands find this instance: its settings, database and keys."""
    folder.mkdir(exist_ok=True)
    (folder / "instance.toml").write_text(
        f'name = "Instance {name.upper()}"\nbase_url = "{region[name].base}"\nlanguage = "en"\n'
        f'[plugins]\nenabled = ["federation"]\n[database]\nurl = "{region[name].instance.store.url}"\n'
    )
    (folder / "instance.toml").chmod(0o600)
    if not (folder / "keys").exists():
        (folder / "keys").symlink_to(region[name].instance.folder / "keys")
    return folder


@dataclass
class Place:
    """An enterprise of an instance of a region. Its id is its name."""

    region: Region
    at: str
    id: str

    @property
    def federation(self) -> Any:
        return self.region[self.at]

    @property
    def instance(self) -> Any:
        return self.federation.instance

    @property
    def iri(self) -> str:
        return enterprise_iri(self.federation.base, self.id)

    def write(self) -> Any:
        return self.instance.store.write()

    def read(self) -> Any:
        return self.instance.store.read()


class Producer(Place):
    """A producer of one product, crates of apples, at 20 euros a piece."""

    def __init__(self, region: Region, at: str, id: str = "farm", *, on_hand: str = "100", unit: str = "Piece") -> None:
        super().__init__(region, at, id)
        with self.write() as tx:
            a_shop(tx, id, is_producer=True, name=id)
            self.product = create_product(
                tx,
                enterprise_id=id,
                name="Apples",
                product_type="fruit",
                quantity=Decimal(1),
                unit=unit,
                vat_rate=Decimal("5.5"),
                on_hand=Decimal(on_hand),
            )
            self.item = add_item(tx, id, f"{id}-catalog", self.product.id).id
            set_price(tx, id, self.item, 2000)

    @property
    def lot(self) -> Any:
        with self.read() as tx:
            return lots_by_id(tx, [self.product.lot_id])[self.product.lot_id]

    @classmethod
    def over(cls, hub: Hub) -> Producer:
        """Treats a hub as a producer that grants what it lists."""
        producer = cls.__new__(cls)
        Place.__init__(producer, hub.region, hub.at, hub.id)
        return producer

    def grant(self, hub: Hub, *, resell: bool = False, category_id: str | None = None) -> Grant:
        """Grants the hub the right to sell, which the hub accepts."""
        peer = self.region.peer(self.at, hub.at)
        with self.write() as tx:
            grant_given = give_grant(
                self.federation, tx, self.id, peer.id, hub.iri, hub.id, resell=resell, category_id=category_id
            )
        self.region.work()
        with hub.write() as tx:
            (grant,) = grants_between(tx, enterprise_id=hub.id, direction="received", state="offered")
            accept_grant(hub.federation, tx, grant.id)
        self.region.work()
        return grant_given

    def leases(self) -> list[Lease]:
        with self.read() as tx:
            return [lease for lease in leases(tx) if lease.role == "lender"]


class Hub(Place):
    """A hub with a sale under way."""

    def __init__(self, region: Region, at: str, id: str = "hub") -> None:
        super().__init__(region, at, id)
        with self.write() as tx:
            a_shop(tx, id, name=id)

    def received(self, producer: Place) -> list[ReceivedItem]:
        with self.read() as tx:
            grants = grants_between(tx, enterprise_id=self.id, direction="received", state="accepted")
            (grant,) = [grant for grant in grants if grant.other_iri == producer.iri]
            return received_items(tx, grant)

    def sell(self, producer: Place, price: int = 2500) -> str:
        """Lists all that the producer offers and puts it on sale; returns the item id of the first product."""
        received = self.received(producer)
        with self.write() as tx:
            products = [listing.product_id for listing in received]
            listings = [
                Listing(product_id=product, price=price)
                for product in products
                if product not in listings_of(tx, self.id, products)
            ]
            list_products(tx, self.id, f"{self.id}-catalog", listings)
            copy = mirror_of(tx, producer.iri)
            tx.execute(insert(coordination_supplier).values(coordination_id=f"{self.id}-sale", enterprise_id=copy))
            items = [item_id for ids in listings_of(tx, self.id, products).values() for item_id in ids]
            for item in items:
                tx.execute(insert(session_item).values(session_id=f"{self.id}-session", item_id=item))
        self.region.work()
        return items[0]

    def as_producer(self, of: Producer) -> Producer:
        """Lists what the producer offers, so that the hub can grant it to others."""
        received = self.received(of)
        with self.write() as tx:
            listings = [Listing(product_id=listing.product_id, price=listing.price + 200) for listing in received]
            list_products(tx, self.id, f"{self.id}-catalog", listings)
        self.region.work()
        return Producer.over(self)

    def pass_on_names(self, allowed: bool = True) -> None:
        with self.write() as tx:
            setting = update(enterprise_plugin).where(enterprise_plugin.c.plugin == "federation")
            tx.execute(setting.values(settings={"pass_on_names": allowed}))

    def trust(self) -> None:
        """Lets producers elsewhere bring less than they had confirmed, without asking a person."""
        with self.write() as tx:
            settings = enabled_plugins(tx, self.id)["federation"]
            trusting = {**settings, "allowance_percent": 100, "allowance_month": 10_000_00}
            setting = update(enterprise_plugin).where(enterprise_plugin.c.plugin == "federation")
            tx.execute(setting.values(settings=trusting))

    def asked(self, item: str, language: str = "en") -> dict[str, str]:
        """Returns the consent requests shown to a shopper, by name."""
        with self.read() as tx:
            quote = quote_order(tx, self.instance.hooks, f"{self.id}-session", {item: 1}, language=language)
        return {id: request.text for id, request in quote.consent_requests.items()}

    def order(self, item: str, pieces: int, name: str = "Ada", *, consents: Collection[str] = ()) -> Order:
        """Places a shopper's order, including the request to lenders for more stock."""
        email = f"{name.split()[0].lower()}@example.org"
        wish = Wish(items={item: pieces}, name=name, email=email, language="en", consents=tuple(consents))
        order: Order = self.instance.transact(
            lambda tx: place_order(tx, self.instance.hooks, f"{self.id}-session", wish)
        )
        self.region.work()
        return order

    def lot(self, producer: Producer) -> Any:
        """The hub's copy of the producer's lot."""
        (lease,) = self.leases()
        with self.read() as tx:
            return lots_by_id(tx, [lease.lot_id])[lease.lot_id]

    def leases(self) -> list[Lease]:
        with self.read() as tx:
            return [lease for lease in leases(tx) if lease.role == "holder"]


def minutes(region: Region, count: int = 1) -> None:
    """Advances the clock by `count` minutes, and runs at each instance what is due each minute."""
    for _ in range(count):
        clock_of(region).advance(minutes=1)
        for federation in region.members.values():
            run_periodic(federation.instance, work_of(federation.instance))
        region.work()


def clock_of(region: Region) -> ManualClock:
    """The clock shared by all instances of a region."""
    clock = next(iter(region.members.values())).instance.clock
    assert isinstance(clock, ManualClock)
    return clock


def assert_consistent(region: Region) -> None:
    """Asserts that no instance violates an invariant."""
    for name, federation in region.members.items():
        with federation.instance.store.read() as tx:
            assert broken_invariants(tx) == [], name


def only_order(place: Place) -> InstanceOrder:
    """The only order that the enterprise has with another instance."""
    with place.read() as tx:
        (order,) = orders_of(tx, place.id)
    return order


def customer_orders(hub: Hub) -> list[Order]:
    """The orders of the hub's customers."""
    with hub.read() as tx:
        rows = orders_of_session(tx, hub.id, f"{hub.id}-session")
        return [order_by_id(tx, row.id, enterprise_id=hub.id) for row in rows]


def close(region: Region) -> None:
    """Passes the day of the sale."""
    clock_of(region).advance(days=1, hours=1)
    minutes(region, 3)


def answer(farm: Producer, confirmed: int, *, weighed: Decimal | None = None) -> None:
    """The farm confirms so many pieces of the first line."""
    order = only_order(farm)
    answer_line = AnswerLine(
        item_iri=order.lines[0].item_iri, answer="confirmed", confirmed=confirmed, reason="hail", final_quantity=weighed
    )
    with farm.write() as tx:
        answer_order(farm.federation, tx, farm.id, order.id, {answer_line.item_iri: answer_line})
    farm.region.work()
