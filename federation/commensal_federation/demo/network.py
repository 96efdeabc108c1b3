"""Lets the demo's instances trade: they agree, producers grant the hubs, catalogues follow, sales open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from commensal import (
    DemoHub,
    DemoNetwork,
    DemoStory,
    Instance,
    Listing,
    Supplier,
    Transaction,
    add_session,
    create_catalog,
    do_one_job,
    hookimpl,
    list_products,
    listed_for,
    open_coordination,
    put_on_sale,
    sellable_products,
    spoken,
)

from ..catalogue.grants import accept_grant, follow, give_grant, grants_between, mirror_of
from ..catalogue.listing import list_all
from ..dfc.iris import enterprise_iri
from ..identity import begin_identity
from ..runtime import Federation
from ..testing import Region, region_of
from .story import Traded, tell

PRODUCERS = 3  # that sell to the neighbours too
MARGIN = Decimal(20)  # percent that hubs add
PRICE = 250  # cents for a piece of what the region's first hub does not sell


@dataclass(frozen=True)
class _Home:
    """The producers' instance, and how its operators call the others."""

    network: DemoNetwork
    region: Region

    @property
    def federation(self) -> Federation:
        return self.region["home"]


@hookimpl
def demo_network(network: DemoNetwork) -> DemoStory | None:
    """All instances lie in one process while they agree; later each speaks over HTTP."""
    instances = [("home", network.home), *((str(at), one.instance) for at, one in enumerate(network.neighbours))]
    region = region_of(instances, do_one_job)
    for federation in region.members.values():
        begin_identity(federation)
    home = _Home(network, region)
    producers = list(network.producer_ids[:PRODUCERS])
    for producer in producers:
        _list_own(network.home, producer, network.hub_id)
    sessions = []
    for at, hub in enumerate(network.neighbours):
        region.befriend("home", str(at))
        _trade(home, str(at), hub, producers)
        sessions.append(_open_sale(region[str(at)], home.federation, hub, producers))
    region.work()
    hubs = tuple(one.instance.folder for one in network.neighbours)
    traded = Traded(home=network.home.folder, producers=tuple(producers), hubs=hubs, sessions=tuple(sessions))
    return DemoStory(tries=_tries(network), tell=lambda run: tell(run, traded))


def _list_own(instance: Instance, producer: str, hub: str) -> None:
    """Producers of the region sell through its hubs; for others they need a list of their own. They ask what the hub
    does."""
    with instance.store.write() as tx:
        catalog = create_catalog(tx, enterprise_id=producer, name="Pour les voisins")
        prices = {one.product.id: one.price for one in listed_for(tx, hub, None, limit=1000)}
        mine = [one.product.id for one in sellable_products(tx, producer, producer_id=producer, limit=200)]
        listings = [Listing(product_id=one, price=prices.get(one, PRICE)) for one in mine]
        list_products(tx, producer, catalog.id, listings)


def _trade(home: _Home, name: str, hub: DemoHub, producers: Sequence[str]) -> None:
    """Grants are given and taken, and the hub's catalog follows with a margin."""
    there = home.region[name]
    peer = home.region.peer("home", name)
    for producer in producers:
        with home.network.home.store.write() as tx:
            give_grant(home.federation, tx, producer, peer.id, enterprise_iri(there.base, hub.hub_id), "Le hub voisin")
    home.region.work()
    with hub.instance.store.write() as tx:
        for offered in grants_between(tx, enterprise_id=hub.hub_id, direction="received", state="offered"):
            accept_grant(there, tx, offered.id)
            follow(tx, hub.hub_id, offered.id, hub.catalog_id, MARGIN)
    home.region.work()


def _open_sale(there: Federation, home: Federation, hub: DemoHub, producers: Sequence[str]) -> str:
    """A sale of all that came, open for two days."""
    with hub.instance.store.write() as tx:
        for taken in grants_between(tx, enterprise_id=hub.hub_id, direction="received", state="accepted"):
            list_all(tx, taken)
        return _session(tx, hub, [mirror_of(tx, enterprise_iri(home.base, one)) for one in producers])


def _session(tx: Transaction, hub: DemoHub, suppliers: Sequence[str]) -> str:
    sale = open_coordination(
        tx, coordinator_id=hub.hub_id, name="Vente avec les voisins", opens_at=tx.now,
        closes_at=tx.now + timedelta(days=2), suppliers=[Supplier(enterprise_id=one) for one in suppliers],
    )  # fmt: skip
    begins_at = tx.now + timedelta(days=3)
    session = add_session(
        tx, sale.id, hub.hub_id, shop_id=hub.hub_id, catalog_id=hub.catalog_id, begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=3),
    )  # fmt: skip
    put_on_sale(tx, session.id, hub.hub_id)
    return session.id


def _tries(network: DemoNetwork) -> list[str]:
    urls = [one.instance.settings.base_url for one in network.neighbours]
    home = network.home.folder
    return [
        *(spoken("Look at what producers of the region sell at {url}", url=url) for url in urls),
        spoken("Buy the last crate of something from both at once: one of you gets it."),
        spoken(
            "Stop the producers' instance (pkill -f 'serve --instance {home}$'), and go on buying what the others "
            "hold.",
            home=home,
        ),
        spoken("Start it again (commensal serve --instance {home}).", home=home),
        spoken("Watch it catch up: commensal leases --instance {home}", home=home),
    ]
