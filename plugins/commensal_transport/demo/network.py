"""Prepares a round between the demo's instances: two sales that have closed, a trip, and prices that were asked.

A farm of the region drives to a hub of its own instance and to one of the neighbour's. A second farm of the region has
booked. A farm of the neighbour sees the price and has not booked yet: a visitor may, and the story does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from commensal import (
    DemoHub,
    DemoNetwork,
    DemoStory,
    Enterprise,
    Instance,
    Transaction,
    do_one_job,
    enterprises_by_id,
    hookimpl,
    spoken,
)
from commensal.catalogs import Listing, catalogs_of, list_products, sellable_products
from commensal.enterprises import create_enterprise, enable_plugin, grant, list_members
from commensal.orders import Wish, complete_due, place_order
from commensal.products import create_product
from commensal.sale_sessions import (
    Supplier,
    add_session,
    change_coordination,
    offers_for,
    open_coordination,
    put_on_sale,
)

from ..bookings.bookings import book, offer_trip
from ..news import ask_others
from ..places.routing import crow_flight
from ..trips.needs import ID, Need, needs_of, point_of
from ..trips.trips import TripTerms
from ..trips.vehicles import add_vehicle
from .story import Farm, SharedRound, run_story

SALE = "Commande de mi-semaine"
GUEST = "La Ferme de la Dune"
KINDS, PIECES = 3, 6  # of each farm's goods that are ordered, and how many of each
_NEAR = Decimal("0.03")  # degrees, about 3 km: how far the neighbour's farm lives from the one that drives
_BEFORE, _AFTER = timedelta(hours=5), timedelta(hours=3)  # the trip, around the moment when both distributions begin


@hookimpl
def demo_network(network: DemoNetwork) -> DemoStory | None:
    """Needs the federation, and peers that it has made. Returns None without them."""
    home, neighbour = network.home, network.neighbours[0]
    if not _has_peers(home):
        return None
    begins_at = _distribution(home)
    with home.store.write() as tx:
        driver, helper = _choose_farms(tx, network)
        for enterprise_id in (driver.id, helper.id, network.hub_id):
            enable_plugin(tx, home.hooks, enterprise_id, ID, {"is_farm": enterprise_id != network.hub_id})
        vehicle = add_vehicle(tx, driver.id, name="Kangoo", crates=60, kg=700)
        catalog_id = catalogs_of(tx, network.hub_id)[0].id
    with neighbour.instance.store.write() as tx:
        guest_id = _settle_guest(tx, neighbour, driver)
        copy_id = _copy_at(neighbour.instance, tx, home, driver.id)
    _hold_sale(home, network.hub_id, catalog_id, [driver.id, helper.id], begins_at)
    _hold_sale(neighbour.instance, neighbour.hub_id, neighbour.catalog_id, [copy_id, guest_id], begins_at)
    _work(network)
    with home.store.write() as tx:
        ask_others(tx, driver.id)  # where the neighbour's hub is
    _work(network)
    with home.store.write() as tx:
        terms = TripTerms(vehicle_id=vehicle.id, starts_at=begins_at - _BEFORE, ends_at=begins_at + _AFTER)
        keys = [need.key for need in _needs(tx, home, driver.id, begins_at)]
        trip = offer_trip(tx, home.hooks, driver.id, terms, keys)
        (need,) = _needs(tx, home, helper.id, begins_at)
        book(tx, home.hooks, helper.id, need.key, trip.id, price=_whatever(need))
    _work(network)
    shared = SharedRound(
        trip_id=trip.id,
        driver=Farm(home.folder, driver.id),
        helper=Farm(home.folder, helper.id),
        guest=Farm(neighbour.instance.folder, guest_id),
    )
    return DemoStory(tries=_suggestions(network, driver, guest_id), tell=lambda run: run_story(run, shared))


def _has_peers(home: Instance) -> bool:
    if "federation" not in home.hooks.plugins():
        return False
    from ..elsewhere.sending import sharing_peers  # only where the federation is enabled

    with home.store.read() as tx:
        return bool(sharing_peers(tx))


def _copy_at(instance: Instance, tx: Transaction, home: Instance, enterprise_id: str) -> str:
    """The id at `instance` of its copy of an enterprise of `home`."""
    from ..elsewhere.names import id_of_copy

    return id_of_copy(instance, tx, home, enterprise_id)


def _distribution(home: Instance) -> datetime:
    """Four in the afternoon of the day after tomorrow."""
    zone = ZoneInfo("Europe/Paris")
    day = home.clock.now().astimezone(zone).date() + timedelta(days=2)
    return datetime.combine(day, time(16), zone)


def _choose_farms(tx: Transaction, network: DemoNetwork) -> tuple[Enterprise, Enterprise]:
    """The farm that drives, which sells to the neighbours too, and the nearest other one that supplies the hub."""
    farms = enterprises_by_id(tx, network.producer_ids)
    driver = farms[network.producer_ids[0]]
    home = point_of(driver)
    assert home is not None, "the farms of the region have coordinates"
    by_distance = sorted(
        (crow_flight(home, place), farm.id) for farm in farms.values() if farm != driver and (place := point_of(farm))
    )
    supplies = (id for _, id in by_distance if sellable_products(tx, network.hub_id, producer_id=id, limit=1))
    return driver, farms[next(supplies)]


def _settle_guest(tx: Transaction, neighbour: DemoHub, near: Enterprise) -> str:
    """A farm at the neighbour's instance, near this one; whoever runs the hub there runs it too."""
    assert near.latitude is not None
    owner = list_members(tx, neighbour.hub_id)[0]
    farm = create_enterprise(
        tx,
        owner_id=owner.person_id,
        currency="EUR",
        name=GUEST,
        visibility="public",
        email="dune@example.org",
        city=near.city,
        country="FR",
        latitude=near.latitude + _NEAR,
        longitude=near.longitude,
        language="fr",
        timezone="Europe/Paris",
        is_producer=True,
    )
    for scope in ("ReadProducts", "WriteOrders"):
        grant(tx, farm.id, neighbour.hub_id, scope, by=owner.person_id)
    potatoes = create_product(
        tx,
        enterprise_id=farm.id,
        name="Pommes de terre",
        product_type="vegetable",
        quantity=Decimal(5),
        unit="Kilogram",
        vat_rate=Decimal("5.5"),
        on_hand=Decimal(600),
    )
    list_products(tx, neighbour.hub_id, neighbour.catalog_id, [Listing(product_id=potatoes.id, price=850)])
    for enterprise_id in (farm.id, neighbour.hub_id):
        settings = {"is_farm": enterprise_id == farm.id}
        enable_plugin(tx, neighbour.instance.hooks, enterprise_id, ID, settings)
    return farm.id


def _hold_sale(instance: Instance, hub_id: str, catalog_id: str, suppliers: Sequence[str], begins_at: datetime) -> None:
    """A sale that opened an hour ago, in which a customer has ordered of each supplier, and that closes now."""
    with instance.store.write() as tx:
        sale = open_coordination(
            tx,
            coordinator_id=hub_id,
            name=SALE,
            opens_at=tx.now - timedelta(hours=1),
            closes_at=tx.now + timedelta(hours=1),
            suppliers=[Supplier(enterprise_id=id) for id in suppliers],
        )
        session = add_session(
            tx,
            sale.id,
            hub_id,
            shop_id=hub_id,
            catalog_id=catalog_id,
            begins_at=begins_at,
            ends_at=begins_at + timedelta(hours=3),
        )
        put_on_sale(tx, session.id, hub_id)
        items = _basket(tx, session.id, suppliers)
    wish = Wish(items=items, name="Cantine du collège", email="cantine@example.org")
    # Distant producers are asked for what the hub does not hold.
    instance.transact(lambda tx: place_order(tx, instance.hooks, session.id, wish, by_hub=True))
    with instance.store.write() as tx:
        change_coordination(tx, sale.id, hub_id, sale.version, closes_at=tx.now)
        complete_due(tx)


def _basket(tx: Transaction, session_id: str, suppliers: Sequence[str]) -> Mapping[str, int]:
    """Some pieces of what each supplier has most of."""
    basket: dict[str, int] = {}
    offers = sorted(offers_for(tx, session_id, ()), key=lambda offer: (-(offer.left or 0), offer.item_id))
    for supplier in suppliers:
        theirs = [offer for offer in offers if offer.supplier_id == supplier]
        basket |= {offer.item_id: min(PIECES, offer.left or PIECES) for offer in theirs[:KINDS]}
    return basket


def _needs(tx: Transaction, instance: Instance, farm_id: str, begins_at: datetime) -> list[Need]:
    return [need for need in needs_of(tx, instance.hooks, farm_id) if need.closes == begins_at]


def _whatever(need: Need) -> int:
    """What driving alone costs: a trip that is dearer is refused in any case."""
    assert need.alone is not None
    return need.alone.cents


def _work(network: DemoNetwork) -> None:
    """Does the due jobs of all instances, until no message is on its way."""
    instances = [network.home, *(neighbour.instance for neighbour in network.neighbours)]
    while any(do_one_job(instance) for instance in instances):
        pass


def _suggestions(network: DemoNetwork, driver: Enterprise, guest_id: str) -> list[str]:
    home, neighbour = network.home, network.neighbours[0].instance
    with neighbour.store.read() as tx:
        email = list_members(tx, guest_id)[0].email
    with home.store.read() as tx:
        driver_email = list_members(tx, driver.id)[0].email
    page = "{base}/office/{id}/transport"
    return [
        spoken(
            "{farm} passes by: book its van, as {email}, at {url}",
            farm=driver.name,
            email=email,
            url=page.format(base=neighbour.settings.base_url, id=guest_id),
        ),
        spoken(
            "See who carries what this week, as {email}, at {url}",
            email=driver_email,
            url=page.format(base=home.settings.base_url, id=driver.id),
        ),
    ]
