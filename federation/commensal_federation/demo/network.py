"""Sets up trade between the demo's instances: agreements, grants to hubs, followed catalogues, open sales."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from shutil import which

from commensal import DemoHub, DemoNetwork, DemoStory, Instance, Transaction, do_one_job, hookimpl, spoken
from commensal.catalogs import Listing, create_catalog, list_products, listed_for, sellable_products
from commensal.sale_sessions import Supplier, add_session, open_coordination, put_on_sale

from ..catalogue.asked_prices import accept_price, asked_prices
from ..catalogue.grants import accept_grant, follow, give_grant
from ..catalogue.listings import list_all
from ..dfc.iris import enterprise_iri
from ..grants.questions import grants_between, mirror_of
from ..identity import begin_identity
from ..runtime import Federation
from ..testing import Region, region_of
from .story import DemoTrade, run_story

PRODUCERS = 3  # producers that also sell to the neighbours
MARGIN = Decimal(20)  # percent that hubs add
PRICE = 250  # cents for a piece, if the region's first hub does not sell the product


@dataclass(frozen=True)
class _Home:
    """The producers' instance in the demo's network and region."""

    network: DemoNetwork
    region: Region

    @property
    def federation(self) -> Federation:
        return self.region["home"]


@hookimpl
def demo_network(network: DemoNetwork) -> DemoStory | None:
    """Sets the network up with all instances in one process; later each has its own and uses HTTP."""
    instances = [
        ("home", network.home),
        *((str(number), neighbour.instance) for number, neighbour in enumerate(network.neighbours)),
    ]
    region = region_of(instances, do_one_job)
    for federation in region.members.values():
        begin_identity(federation)
    home = _Home(network, region)
    producers = list(network.producer_ids[:PRODUCERS])
    for producer in producers:
        _list_own(network.home, producer, network.hub_id)
    sessions = []
    for index, hub in enumerate(network.neighbours):
        region.befriend("home", str(index))
        _grant_and_follow(home, str(index), hub, producers)
        sessions.append(_open_sale(region[str(index)], home.federation, hub, producers))
    region.work()
    hubs = tuple(neighbour.instance.folder for neighbour in network.neighbours)
    trade = DemoTrade(home=network.home.folder, producers=tuple(producers), hubs=hubs, sessions=tuple(sessions))
    return DemoStory(tries=_suggestions(network), tell=lambda run: run_story(run, trade))


def _list_own(instance: Instance, producer: str, hub: str) -> None:
    """Gives the producer a catalog for the neighbours, at the prices of the region's hub."""
    with instance.store.write() as tx:
        catalog = create_catalog(tx, enterprise_id=producer, name="Pour les voisins")
        prices = {listing.product.id: listing.price for listing in listed_for(tx, hub, None, limit=1000)}
        product_ids = [
            product.product.id for product in sellable_products(tx, producer, producer_id=producer, limit=200)
        ]
        listings = [Listing(product_id=product_id, price=prices.get(product_id, PRICE)) for product_id in product_ids]
        list_products(tx, producer, catalog.id, listings)


def _grant_and_follow(home: _Home, name: str, hub: DemoHub, producers: Sequence[str]) -> None:
    """The producers grant the hub, it accepts, and its catalog follows theirs with a margin."""
    federation = home.region[name]
    peer = home.region.peer("home", name)
    for producer in producers:
        with home.network.home.store.write() as tx:
            give_grant(
                home.federation, tx, producer, peer.id, enterprise_iri(federation.base, hub.hub_id), "Le hub voisin"
            )
    home.region.work()
    with hub.instance.store.write() as tx:
        for grant in grants_between(tx, enterprise_id=hub.hub_id, direction="received", state="offered"):
            accept_grant(federation, tx, grant.id)
            follow(tx, hub.hub_id, grant.id, hub.catalog_id, MARGIN)
    home.region.work()


def _open_sale(federation: Federation, home: Federation, hub: DemoHub, producers: Sequence[str]) -> str:
    """Opens a sale of all received products for two days; returns the session's id."""
    with hub.instance.store.write() as tx:
        for grant in grants_between(tx, enterprise_id=hub.hub_id, direction="received", state="accepted"):
            list_all(federation, tx, grant)
        for waiting in asked_prices(tx, hub.hub_id):  # a hub that sells nothing yet looks at each first price
            accept_price(tx, hub.hub_id, waiting.product_id, price=waiting.asked)
        return _add_sale(tx, hub, [mirror_of(tx, enterprise_iri(home.base, producer)) for producer in producers])


def _add_sale(tx: Transaction, hub: DemoHub, suppliers: Sequence[str]) -> str:
    sale = open_coordination(
        tx,
        coordinator_id=hub.hub_id,
        name="Vente avec les voisins",
        opens_at=tx.now,
        closes_at=tx.now + timedelta(days=2),
        suppliers=[Supplier(enterprise_id=supplier) for supplier in suppliers],
    )
    begins_at = tx.now + timedelta(days=3)
    session = add_session(
        tx,
        sale.id,
        hub.hub_id,
        shop_id=hub.hub_id,
        catalog_id=hub.catalog_id,
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=3),
    )
    put_on_sale(tx, session.id, hub.hub_id)
    return session.id


def _typed() -> str:
    """The command as this shell finds it: `make demo` puts it on no PATH."""
    return "commensal" if which("commensal") else str(Path(sys.executable).with_name("commensal"))


def _suggestions(network: DemoNetwork) -> list[str]:
    urls = [neighbour.instance.settings.base_url for neighbour in network.neighbours]
    home = network.home.folder
    return [
        *(spoken("Look at what producers of the region sell at {url}", url=url) for url in urls),
        spoken("Buy the last crate of something from both at once: one of you gets it."),
        spoken(
            "Stop the producers' instance (pkill -f 'serve --instance {home}$'), and go on buying what the others "
            "hold.",
            home=home,
        ),
        spoken("Start it again ({commensal} serve --instance {home}).", commensal=_typed(), home=home),
        spoken("Watch it catch up: {commensal} leases --instance {home}", commensal=_typed(), home=home),
    ]
