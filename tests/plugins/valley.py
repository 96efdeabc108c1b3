"""A valley with a hub in town and three farms north of it, for tests of transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.checks import broken_invariants
from commensal.sale_sessions.tables import coordination_supplier
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_transport.bookings.bookings import (
    Booking,
    book,
    booking_by_id,
    bookings_of_trip,
    carried_on,
    offer_trip,
    report,
)
from commensal_transport.bookings.quotes import NoQuote, TripQuote, quote
from commensal_transport.bookings.states import Event
from commensal_transport.costs.cost_rules import known_rules
from commensal_transport.settings import Settings
from commensal_transport.tables import transport_trip
from commensal_transport.trips.needs import Need, SaleKey, needs_of
from commensal_transport.trips.trips import Trip, TripTerms, trip_by_id
from commensal_transport.trips.vehicles import Vehicle, add_vehicle

KEY = SaleKey("", "shop-session")
FARMS: Mapping[str, tuple[str, str]] = {
    "gardener": ("47.60", "0.70"),
    "dairy": ("47.55", "0.72"),
    "baker": ("47.50", "0.66"),
}


@dataclass
class Valley:
    """The gardener lives farthest from the hub "shop", the dairy and the baker on the way; all three are farms.

    The sale closes tomorrow noon; goods are taken in the day after, in the four hours before the distribution.
    """

    instance: Instance
    items: dict[str, str]

    @property
    def store(self) -> Store:
        return self.instance.store

    def order(self, **pieces: int) -> None:
        """Orders pieces of 5 kg of each farm: ``order(dairy=4)`` is 22 kg with packaging, in 3 crates."""
        wish = Wish(
            items={self.items[farm]: number for farm, number in pieces.items()},
            name="Ada",
            email="ada@example.org",
            language="en",
        )
        with self.store.write() as tx:
            place_order(tx, self.instance.hooks, "shop-session", wish)

    def set(self, farm: str, **settings: Any) -> None:
        with self.store.write() as tx:
            of_farm = (enterprise_plugin.c.enterprise_id == farm, enterprise_plugin.c.plugin == "transport")
            tx.execute(update(enterprise_plugin).where(*of_farm).values(settings=settings))

    def vehicle(self, farm: str = "gardener", **room: Any) -> Vehicle:
        with self.store.write() as tx:
            return add_vehicle(tx, farm, **{"name": "Kangoo", "crates": 40, "kg": 600, **room})

    def need(self, farm: str) -> Need:
        with self.store.read() as tx:
            (need,) = needs_of(tx, self.instance.hooks, farm)
            return need

    def trip(self, farm: str = "gardener", *, vehicle: Vehicle | None = None, **terms: Any) -> Trip:
        """The farm drives anyway: from four hours before the distribution until it begins."""
        vehicle = vehicle or self.vehicle(farm)
        begins = self.need(farm).closes
        times = {"starts_at": begins - timedelta(hours=4), "ends_at": begins + timedelta(hours=2)}
        with self.store.write() as tx:
            offer = TripTerms(**{"vehicle_id": vehicle.id, **times, **terms})
            return offer_trip(tx, self.instance.hooks, farm, offer, [KEY])

    def quote(self, farm: str, trip: Trip) -> TripQuote | NoQuote:
        with self.store.read() as tx:
            trip = trip_by_id(tx, trip.id)
            carried = carried_on(trip, bookings_of_trip(tx, trip.id))
            party = self.settings(farm).party
            return quote(tx, trip, carried, self.need(farm), party, known_rules(tx, self.instance.hooks))

    def settings(self, farm: str) -> Settings:
        with self.store.read() as tx:
            of_farm = (enterprise_plugin.c.enterprise_id == farm, enterprise_plugin.c.plugin == "transport")
            values = tx.value(select(enterprise_plugin.c.settings).where(*of_farm))
        settings = self.instance.hooks.settings("transport", values)
        assert isinstance(settings, Settings)
        return settings

    def book(self, farm: str, trip: Trip, price: int = 100_000) -> Booking:
        with self.store.write() as tx:
            return book(tx, self.instance.hooks, farm, KEY, trip.id, price=price)

    def report(self, who: str, booking: Booking, event: Event, **facts: Any) -> Booking:
        with self.store.write() as tx:
            return report(tx, who, booking.id, event, **facts)

    def again(self, trip: Trip) -> Trip:
        """The trip as it is stored now."""
        with self.store.read() as tx:
            assert broken_invariants(tx) == []
            return trip_by_id(tx, trip.id)

    def trip_by_id(self, trip_id: str) -> Trip:
        with self.store.read() as tx:
            return trip_by_id(tx, trip_id)

    def booking(self, booking: Booking) -> Booking:
        with self.store.read() as tx:
            return booking_by_id(tx, booking.id)

    def bookings(self, trip: Trip) -> list[Booking]:
        with self.store.read() as tx:
            return bookings_of_trip(tx, trip.id)

    def deadline(self, trip: Trip) -> datetime:
        with self.store.read() as tx:
            moment = tx.value(select(transport_trip.c.book_until).where(transport_trip.c.id == trip.id))
            assert isinstance(moment, datetime)
            return moment


def open_valley(instance: Instance, clock: ManualClock, **pieces: int) -> Valley:
    """The valley after the close of a sale in which so many pieces of each farm were ordered; by default four each."""
    valley = Valley(instance, {})
    with instance.store.write() as tx:
        a_shop(tx, name="Halle", latitude=Decimal("47.39"), longitude=Decimal("0.68"))
        for farm, (latitude, longitude) in FARMS.items():
            place = {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}
            a_shop(tx, farm, name=farm.title(), is_producer=True, is_hub=False, **place)
            goods = a_lot(tx, farm, name="Goods", unit="Kilogram", on_hand="100000")
            kind = "dairy-product" if farm == "dairy" else "vegetable"
            valley.items[farm] = an_item(
                tx,
                goods,
                name=f"Goods of the {farm}",
                enterprise_id=farm,
                grains=5000,
                quantity=Decimal(5),
                unit="Kilogram",
                product_type=kind,
            )
            tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id=farm))
        for name in ("shop", *FARMS):
            row = {"enterprise_id": name, "plugin": "transport", "settings": {"is_farm": name != "shop"}, "version": 1}
            tx.execute(insert(enterprise_plugin).values(row))
    valley.order(**(pieces or dict.fromkeys(FARMS, 4)))
    clock.advance(days=1, minutes=1)
    return valley
