"""Lets an enterprise bring goods to a sale that has closed, so that there is something about it to read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise, enterprise_plugin
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.sale_sessions.tables import coordination_supplier
from commensal.storage.database import Transaction
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_transport.bookings.bookings import book, offer_trip
from commensal_transport.trips.needs import needs_of
from commensal_transport.trips.trips import TripTerms
from commensal_transport.trips.vehicles import add_vehicle

_HUB, _FARM = "omega", "farm"


def bring_goods(instance: Instance, clock: ManualClock, supplier: str) -> None:
    """Opens a hub that sells goods of this supplier and of a farm, and lets its sale close: the supplier's goods travel
    to it with the farm, and it has somewhere else to bring what nobody carries yet."""
    hubs = (_HUB, f"{_HUB}-two")
    with instance.store.write() as tx:
        home = {"latitude": Decimal("47.50"), "longitude": Decimal("0.66")}
        tx.execute(update(enterprise).where(enterprise.c.id == supplier).values(home))
        a_shop(tx, _FARM, is_producer=True, is_hub=False, latitude=Decimal("47.60"), longitude=Decimal("0.70"))
        for hub in hubs:
            _sell(tx, instance, hub, [supplier, _FARM])
        for name in (supplier, _FARM):
            _use_transport(tx, name)
    clock.advance(days=1, minutes=1)
    with instance.store.write() as tx:
        needs = needs_of(tx, instance.hooks, _FARM)
        need = next(each for each in needs if each.receiver_id == _HUB)
        vehicle = add_vehicle(tx, _FARM, name="Van", crates=40, kg=600)
        starts_at, ends_at = need.closes - timedelta(hours=4), need.closes + timedelta(hours=2)
        terms = TripTerms(vehicle_id=vehicle.id, starts_at=starts_at, ends_at=ends_at)
        trip = offer_trip(tx, instance.hooks, _FARM, terms, [need.key])
        book(tx, instance.hooks, supplier, need.key, trip.id, price=10**6)


def sell_for_the_farm(tx: Transaction, hub: str, price: int) -> str:
    """The farm lets the hub sell its goods, for which it asks `price` minor units. Returns the farm's id."""
    for scope in ("ReadProducts", "WriteOrders"):
        grant(tx, _FARM, hub, scope, by=None)
    lot = a_lot(tx, _FARM, name="Roots", unit="Kilogram", on_hand="100")
    an_item(tx, lot, _FARM, name="Roots", enterprise_id=_FARM, grains=1000, unit="Kilogram", price=price)
    return _FARM


def _sell(tx: Transaction, instance: Instance, hub: str, suppliers: list[str]) -> None:
    a_shop(tx, hub, latitude=Decimal("47.39"), longitude=Decimal("0.68"))
    items = {}
    for name in suppliers:
        tx.execute(insert(coordination_supplier).values(coordination_id=f"{hub}-sale", enterprise_id=name))
        lot = a_lot(tx, name, name="Goods", unit="Kilogram", on_hand="100")
        item = an_item(
            tx,
            lot,
            hub,
            name=f"Goods of {name} for {hub}",
            enterprise_id=name,
            grains=5000,
            quantity=Decimal(5),
            unit="Kilogram",
        )
        items[item] = 2
    wish = Wish(items=items, name="Ada", email="ada@example.org", language="en")
    place_order(tx, instance.hooks, f"{hub}-session", wish)


def _use_transport(tx: Transaction, name: str) -> None:
    of_it = (enterprise_plugin.c.enterprise_id == name, enterprise_plugin.c.plugin == "transport")
    values = {"settings": {"is_farm": True}, "version": 1}
    if tx.first(select(enterprise_plugin.c.plugin).where(*of_it)) is None:
        tx.execute(insert(enterprise_plugin).values(enterprise_id=name, plugin="transport", **values))
    else:
        tx.execute(update(enterprise_plugin).where(*of_it).values(values))
