"""A farm of instance a brings goods to a hub of instance b, where a neighbour drives there anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

from sqlalchemy import insert, update

from commensal.enterprises.tables import enterprise, enterprise_plugin
from commensal.sale_sessions.tables import coordination_supplier
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_federation.delivery.outbox.dead_letters import newest
from commensal_federation.messaging import post
from commensal_federation.testing import Region
from commensal_transport.bookings.bookings import (
    Booking,
    book,
    bookings_of_enterprise,
    bookings_of_trip,
    offer_trip,
    report,
)
from commensal_transport.bookings.quotes_elsewhere import QuoteElsewhere, Waiting, answers_for
from commensal_transport.bookings.statements import TripStatement, finish_trip, statement_of
from commensal_transport.bookings.states import Event, State
from commensal_transport.news import ask_others
from commensal_transport.trips.needs import Need, needs_of
from commensal_transport.trips.trips import Trip, TripTerms, bookable_trips, trip_by_id, trips_of
from commensal_transport.trips.vehicles import Vehicle, add_vehicle

from .trading import Hub, Place, Producer, clock_of, minutes

PLUGINS = ("transport", "federation")
PLACES = {"farm": ("47.60", "0.70"), "mill": ("47.56", "0.71"), "near": ("47.39", "0.68"), "orchard": ("47.50", "0.69")}


@dataclass
class Road:
    """ "farm" of a supplies "near", a hub of b; "mill" of b does so too, and has a van. Both are farms."""

    region: Region
    farm: Producer
    hub: Hub
    mill: Place
    vans: dict[str, Vehicle] = field(default_factory=dict)

    def close(self) -> None:
        """The sale closes: both have goods to bring, the day after tomorrow."""
        clock_of(self.region).advance(days=1, hours=1)
        minutes(self.region, 3)
        self.ask()

    def ask(self) -> None:
        """The instances of those who supply the hub from elsewhere ask for its place, and then for prices."""
        for _ in range(2):
            for place in [place for place in (self.farm, self.mill) if place.at != self.hub.at]:
                with place.write() as tx:
                    ask_others(tx, place.id)
            self.region.work()

    def need(self, place: Place) -> Need:
        with place.read() as tx:
            (need,) = needs_of(tx, place.instance.hooks, place.id)
            return need

    def offer(self, **terms: Any) -> Trip:
        """The mill drives anyway, from four hours before the distribution until two hours after it began."""
        need = self.need(self.mill)
        times = {"starts_at": need.closes - timedelta(hours=4), "ends_at": need.closes + timedelta(hours=2)}
        with self.mill.write() as tx:
            trip = offer_trip(
                tx,
                self.mill.instance.hooks,
                "mill",
                TripTerms(**{"vehicle_id": self.vans["mill"].id, **times, **terms}),
                [need.key],
            )
        self.region.work()
        return trip

    def copies(self) -> list[Trip]:
        """The trips elsewhere that the farm sees."""
        with self.farm.read() as tx:
            return bookable_trips(tx, but_of="farm", elsewhere=True)

    def answers(self) -> list[QuoteElsewhere | Waiting]:
        with self.farm.read() as tx:
            return answers_for(tx, self.need(self.farm), bookable_trips(tx, but_of="farm", elsewhere=True))

    def book(self, price: int | None = None) -> Booking:
        """The farm orders the only price that it has, and the mill's instance answers."""
        ordered = self.order(price)
        self.region.work()
        return ordered

    def order(self, price: int | None = None) -> Booking:
        """The same, before any message has gone."""
        (answer,) = self.answers()
        assert isinstance(answer, QuoteElsewhere), answer
        with self.farm.write() as tx:
            return book(
                tx,
                self.farm.instance.hooks,
                "farm",
                self.need(self.farm).key,
                answer.trip.id,
                price=answer.price if price is None else price,
            )

    def bookings(self, place: Place) -> list[Booking]:
        """All that this enterprise sends or receives, as its instance knows it, without own goods of carriers."""
        with place.read() as tx:
            return [booking for booking in bookings_of_enterprise(tx, place.id) if not booking.is_own]

    def aboard(self, trip: Trip) -> list[Booking]:
        """The bookings of a trip, as its carrier's home knows them."""
        with self.mill.read() as tx:
            return bookings_of_trip(tx, trip.id)

    def guest_of(self, trip: Trip) -> Booking:
        """The only booking of others on a trip."""
        (booking,) = [booking for booking in self.aboard(trip) if not booking.is_own]
        return booking

    def trip(self, trip: Trip) -> Trip:
        with self.mill.read() as tx:
            return trip_by_id(tx, trip.id)

    def trip_now(self) -> Trip:
        """The mill's newest trip."""
        with self.mill.read() as tx:
            return trips_of(tx, "mill", since=tx.now - timedelta(days=99))[-1]

    def trip_id(self) -> str:
        return self.trip_now().id

    def report(self, place: Place, booking: Booking, event: Event, **facts: Any) -> None:
        with place.write() as tx:
            report(tx, place.id, booking.id, event, **facts)
        self.region.work()

    def drive(self, trip: Trip) -> TripStatement:
        """All is picked up and delivered, and the statement is written."""
        steps: dict[State, Event] = {"confirmed": "pick_up", "picked_up": "deliver"}
        for state, event in steps.items():
            for booking in self.aboard(trip):
                if booking.state == state:
                    self.report(self.mill, booking, event, crates=booking.crates)
        with self.mill.write() as tx:
            statement = finish_trip(tx, "mill", trip.id)
        self.region.work()
        return statement

    def statement(self, place: Place, trip_id: str) -> TripStatement | None:
        with place.read() as tx:
            return statement_of(tx, trip_id)

    def settings(self, place: Place, **settings: Any) -> None:
        of_place = (enterprise_plugin.c.enterprise_id == place.id, enterprise_plugin.c.plugin == "transport")
        with place.write() as tx:
            tx.execute(update(enterprise_plugin).where(*of_place).values(settings=settings))

    def news(self, place: Place) -> list[str]:
        """The subjects of the e-mails about transport that this enterprise has got."""
        files = sorted((place.instance.folder / "mail").glob("*.eml"))
        mails: list[Any] = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        of_place = [mail for mail in mails if mail["To"].addresses[0].addr_spec == f"{place.id}@example.org"]
        return [str(mail["Subject"]) for mail in of_place if "/transport" in mail.get_body(("plain",)).get_content()]


def open_road(
    new_region: Callable[..., Region],
    *more: str,
    others: tuple[str, ...] = (),
    mill_at: str = "b",
    with_orchard: bool = False,
) -> Road:
    """After the close: customers of the hub have ordered two crates of the farm's apples, and the mill's flour. `more`
    plugins are enabled; `others` are further instances, peers of both. The mill lives at b, or at one of the others. An
    orchard at b may bring goods to the hub, too."""
    friends = ("ab", *(first + other for other in others for first in "ab"))
    region: Region = new_region("a", "b", *others, friends=friends, plugins=(*more, *PLUGINS))
    farm, hub = Producer(region, "a"), Hub(region, "b", "near")
    farm.grant(hub)
    if mill_at == hub.at:
        mill = Place(region, "b", "mill")
        with mill.write() as tx:
            flour = _a_supplier(tx, "mill", "Flour")
    else:
        mill = Producer(region, mill_at, "mill")
        mill.grant(hub)
        flour = hub.sell(mill)
    orchard = Place(region, "b", "orchard")
    if with_orchard:
        with orchard.write() as tx:
            pears = _a_supplier(tx, "orchard", "Pears")
    for place in (farm, mill, hub, orchard)[: 4 if with_orchard else 3]:
        _locate(place)
    road = Road(region, farm, hub, mill)
    with mill.write() as tx:
        road.vans["mill"] = add_vehicle(tx, "mill", name="Kangoo", crates=40, kg=600)
    apples = hub.sell(farm)
    hub.order(apples, 30)
    hub.order(flour, 4, name="Bob")
    if with_orchard:
        hub.order(pears, 4, name="Cem")
    road.close()
    return road


def _a_supplier(tx: Any, id: str, goods: str) -> str:
    """A farm of the hub's own instance that sells there. Returns its goods."""
    a_shop(tx, id, name=id.title(), is_producer=True, is_hub=False)
    lot = a_lot(tx, id, name=goods, unit="Kilogram", on_hand="100000")
    item = an_item(tx, lot, "near", name=goods, enterprise_id=id, grains=5000, quantity=Decimal(5), unit="Kilogram")
    tx.execute(insert(coordination_supplier).values(coordination_id="near-sale", enterprise_id=id))
    return item


def _locate(place: Place) -> None:
    latitude, longitude = map(Decimal, PLACES[place.id])
    row = {"enterprise_id": place.id, "plugin": "transport", "settings": {"is_farm": place.id != "near"}, "version": 1}
    with place.write() as tx:
        here = update(enterprise).where(enterprise.c.id == place.id)
        tx.execute(here.values(latitude=latitude, longitude=longitude))
        tx.execute(insert(enterprise_plugin).values(row))


def say(road: Road, at: str, name: str, body: object) -> str:
    """Instance `at` posts this message of transport to the other; returns how it ended: "delivered", or the code of the
    refusal."""
    federation, other = road.region[at], "b" if at == "a" else "a"
    with federation.instance.store.write() as tx:
        id = post(federation, tx, road.region.peer(at, other).id, f"transport.{name}", body)
    road.region.work()
    with federation.instance.store.read() as tx:
        letter = next(letter for letter in newest(tx, "out") if letter.id == id)
    return letter.error.partition(":")[0] or letter.state
