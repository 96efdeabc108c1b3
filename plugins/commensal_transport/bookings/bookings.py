"""Bookings: a quote that is ordered and confirmed in one transaction, and what happens to it until its end.

The carrier's trip is locked first, so no room is taken twice. A booking with a trip of another instance is ordered
here, and confirmed there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, update

from commensal import Conflict, Forbidden, Hooks, Invalid, NotFound, Problem, Transaction, plugin_settings, read_text

from ..costs.cost_rules import known_rules
from ..costs.law import Party
from ..costs.sharing import BUILT_IN, Carried, Rules
from ..news import tell_others
from ..places.loads import Keeping, Load, room_taken
from ..settings import Settings
from ..tables import transport_booking, transport_event
from ..trips.help_years import HelpYear, help_years
from ..trips.needs import ID, Need, SaleKey, need_by_key
from ..trips.trips import Trip, TripTerms, insert_trip, locked_trip, plan_trip, trip_by_id, write_stops
from .codes import make_codes, refuse_wrong_code
from .quotes import NoQuote, quote, refusal_of
from .quotes_elsewhere import answered_quote
from .states import ACTIVE, ACTS, HOLDS_ROOM, LOADED, ON_THE_WAY, Event, State, after

SHOWN = timedelta(days=21)  # for so long bookings stay on pages
MOST_SHOWN = 200

_booking = transport_booking.c


@dataclass(frozen=True, kw_only=True)
class Booking:
    """Goods of a sender on a trip. Money is in cents, times are UTC.

    cold, room_crates:       the room that they take: crates to be cooled, and all crates with their boxes
    pickup_at, delivery_at:  as confirmed; the van comes within half an hour after it
    cap:                     the most that the sender pays; None: the carrier's own goods
    iri:                     its name, if another instance has given it one
    number, heard:           of the sender's newest order, and of the newest message of the carrier's home
    reason:                  code of a refusal
    most:                    the most that its sender pays, who would not drive; None: they would
    """

    id: str
    trip_id: str
    sender_id: str
    receiver_id: str
    origin: str
    sale_id: str
    crates: int
    kg: int
    cold: int
    keeping: Keeping
    own_boxes: bool
    room_crates: int
    pickup_id: str | None
    delivery_id: str | None
    pickup_at: datetime
    delivery_at: datetime
    alone: int
    cap: int | None
    tariff: int
    state: State
    booked_at: datetime
    version: int
    iri: str | None = None
    number: int = 0
    heard: int = 0
    reason: str = ""
    most: int | None = None

    @property
    def key(self) -> SaleKey:
        return SaleKey(self.origin, self.sale_id)

    @property
    def room(self) -> Load:
        return Load(self.room_crates, self.kg, self.cold)

    @property
    def is_own(self) -> bool:
        return self.cap is None


# ------------------------------------------------------------------------------------------------ booking


def offer_trip(tx: Transaction, hooks: Hooks, enterprise_id: str, terms: TripTerms, keys: Collection[SaleKey]) -> Trip:
    """ "I drive anyway": offers a trip with what the carrier brings itself, and the room that is left.

    Raises `Invalid` with every mistake, `NotFound`, `Conflict` if the goods do not fit, come late, or travel already.
    """
    needs = [need_by_key(tx, hooks, enterprise_id, key) for key in sorted(set(keys))]
    trip = plan_trip(tx, hooks, enterprise_id, terms, needs)
    insert_trip(tx, trip)
    moments = dict(zip((stop.id for stop in trip.stops), trip.moments(), strict=True))
    by_place = {stop.place: stop for stop in reversed(trip.stops)}
    for need in needs:
        assert need.home is not None
        assert need.destination is not None
        pickup, delivery = by_place[need.home], by_place[need.destination]
        times = (moments[pickup.id], moments[delivery.id])
        own = _new_booking(tx, trip, need, times, alone=0, cap=None, tariff=0)
        _insert(tx, need, replace(own, pickup_id=pickup.id, delivery_id=delivery.id))
    tell_others(tx, trip=trip.id)
    return trip


def book(tx: Transaction, hooks: Hooks, sender_id: str, key: SaleKey, trip_id: str, *, price: int) -> Booking:
    """Orders the carriage of a need for at most `price` cents. Here it is confirmed at once; with a trip of another
    instance it is ordered, until that one has answered.

    Raises `NotFound`, and `Conflict` with the code of what is in the way: gone, place, class, full, time, basis, price,
    rule, or already, if the goods travel with another trip.
    """
    trip = locked_trip(tx, trip_id)
    need = need_by_key(tx, hooks, sender_id, key)
    if trip.peer_id is not None:
        return _order_elsewhere(tx, trip, need, price, known_rules(tx, hooks))
    party = plugin_settings(tx, hooks, sender_id, ID, Settings).party
    year = help_years(tx, hooks, [trip.enterprise_id])[trip.enterprise_id]
    booking = confirm(tx, trip, need, party, price=price, rules=known_rules(tx, hooks), year=year)
    tell_others(tx, trip=trip.id)
    return booking


def confirm(
    tx: Transaction,
    trip: Trip,
    need: Need,
    party: Party,
    *,
    price: int,
    slack: int = 0,
    iri: str | None = None,
    number: int = 0,
    rules: Rules = BUILT_IN,
    year: HelpYear | None = None,
) -> Booking:
    """Takes the room of a need on a trip that is locked, for at most `price` cents.

    slack: by so many cents the price may have risen because the exact place was not known; the driver bears them
    iri, number: of an order of another instance; year: of the carrier, by `help_years`

    Raises `Conflict` as `book` does.
    """
    offer = quote(tx, trip, carried_on(trip, bookings_of_trip(tx, trip.id)), need, party, rules, year)
    if isinstance(offer, NoQuote):
        raise offer.error
    if offer.price > price + slack:
        raise Conflict("price", "The price has changed meanwhile; please look again.")
    write_stops(tx, trip, offer.insertion.stops)
    pickup, delivery = (offer.insertion.stops[number] for number in (offer.insertion.pickup, offer.insertion.delivery))
    cap, moments = min(offer.price, price), (offer.pickup, offer.delivery)
    booking = _new_booking(tx, trip, need, moments, alone=offer.alone, cap=cap, tariff=offer.tariff)
    return _insert(tx, need, replace(booking, pickup_id=pickup.id, delivery_id=delivery.id, iri=iri, number=number))


def insert_refused(tx: Transaction, trip: Trip, need: Need, reason: str, *, iri: str, number: int) -> Booking:
    """Writes down that an order of another instance was refused, so that it stays so however often it comes."""
    moments = (trip.starts_at, trip.ends_at)
    refused = _new_booking(tx, trip, need, moments, alone=0, cap=0, tariff=0)
    return _write(tx, replace(refused, state="refused", reason=reason[:40], iri=iri, number=number))


def _order_elsewhere(tx: Transaction, trip: Trip, need: Need, price: int, rules: Rules) -> Booking:
    offer = answered_quote(tx, trip, need)
    if trip.state != "open" or trip.book_until <= tx.now:
        raise Conflict("gone", "This trip takes no more bookings.")
    if trip.rule not in rules:
        raise refusal_of("rule")
    if offer is None or offer.price > price:
        raise Conflict("price", "The price has changed meanwhile; please look again.")
    booking = _new_booking(tx, trip, need, (offer.pickup, offer.delivery), alone=offer.alone, cap=offer.price, tariff=0)
    ordered = _insert(tx, need, replace(booking, state="ordered", number=1))
    tell_others(tx, booking=ordered.id)
    return ordered


def _new_booking(
    tx: Transaction,
    trip: Trip,
    need: Need,
    moments: tuple[datetime, datetime],
    *,
    alone: int,
    cap: int | None,
    tariff: int,
) -> Booking:
    """A confirmed booking without stops, which is not written yet."""
    assert need.receiver_id is not None
    room = room_taken(need.crates, need.kg, need.keeping, own_boxes=need.own_boxes)
    return Booking(
        id=tx.new_id(),
        trip_id=trip.id,
        sender_id=need.sender_id,
        receiver_id=need.receiver_id,
        origin=need.key.origin,
        sale_id=need.key.sale_id,
        crates=need.crates,
        kg=need.kg,
        cold=room.cold,
        keeping=need.keeping,
        own_boxes=need.own_boxes,
        room_crates=room.crates,
        pickup_id=None,
        delivery_id=None,
        pickup_at=moments[0],
        delivery_at=moments[1],
        alone=alone,
        cap=cap,
        tariff=tariff,
        state="confirmed",
        booked_at=tx.now,
        version=1,
        most=need.most,
    )


def _insert(tx: Transaction, need: Need, booking: Booking) -> Booking:
    _refuse_second(tx, need)
    _write(tx, booking)
    if not booking.is_own and booking.iri is None:  # else its sender's instance makes them
        make_codes(tx, booking.id)
    return booking


def _write(tx: Transaction, booking: Booking) -> Booking:
    tx.execute(insert(transport_booking).values({column.name: getattr(booking, column.name) for column in _booking}))
    return booking


def _refuse_second(tx: Transaction, need: Need) -> None:
    """A sale's goods travel once. Two who book at the same moment are told apart by the unique index."""
    if need.key in carried_keys(tx, need.sender_id):
        raise Conflict("already", "These goods travel with another trip already; cancel that booking first.")


def carried_keys(tx: Transaction, sender_id: str) -> set[SaleKey]:
    """The sales whose goods travel with a trip, or are ordered to."""
    query = select(_booking.origin, _booking.sale_id).where(
        _booking.sender_id == sender_id, _booking.state.in_(ACTIVE), _booking.delivery_at > tx.now - SHOWN
    )
    return {SaleKey(row["origin"], row["sale_id"]) for row in tx.all(query)}


def carried_by(tx: Transaction, booking: Booking) -> Booking | None:
    """The booking with which the goods of this one travel, which may be another one."""
    query = select(_booking.id).where(
        _booking.sender_id == booking.sender_id,
        _booking.origin == booking.key.origin,
        _booking.sale_id == booking.key.sale_id,
        _booking.state.in_(ACTIVE),
        _booking.delivery_at > tx.now - SHOWN,
    )
    row = tx.first(query)
    return booking_by_id(tx, row["id"]) if row is not None else None


def carried_on(trip: Trip, bookings: Sequence[Booking], *, owing: Collection[State] = HOLDS_ROOM) -> list[Carried]:
    """The bookings of a trip as far as they matter for its cost."""
    places = {stop.id: stop.place for stop in trip.stops}
    return [
        Carried(
            id=booking.id,
            sender_id=booking.sender_id,
            pickup_id=booking.pickup_id,
            delivery_id=booking.delivery_id,
            place=places[booking.pickup_id],
            destination=places[booking.delivery_id],
            tariff=booking.tariff,
            cap=booking.cap,
            booked_at=booking.booked_at,
            most=booking.most,
        )
        for booking in bookings
        if booking.state in owing and booking.pickup_id and booking.delivery_id
    ]


# ------------------------------------------------------------------------------------------------ what happens


def report(
    tx: Transaction,
    enterprise_id: str,
    booking_id: str,
    event: Event,
    *,
    crates: int | None = None,
    celsius: Decimal | None = None,
    empties: int | None = None,
    note: str = "",
    noted_at: datetime | None = None,
    code: str | None = None,
) -> Booking:
    """Writes down what has happened to a booking, and gives room back that it frees. `noted_at` is when somebody noted
    it, by the clock of their telephone; `code` is what the other side has shown, as `read_code` returns it.

    A sender who cancels after `book_until` cancels late. Raises `NotFound` for a booking of others, `Forbidden` if
    another side reports this, `Conflict` if it cannot happen in the booking's state or the code is another one,
    `Invalid`.
    """
    booking = booking_by_id(tx, booking_id)
    trip = locked_trip(tx, booking.trip_id)
    booking = booking_by_id(tx, booking_id)  # as it is now that its trip is locked
    sides = {"carrier": trip.enterprise_id, "sender": booking.sender_id, "receiver": booking.receiver_id}
    if enterprise_id not in sides.values():
        raise NotFound
    if event not in ACTS or sides[ACTS[event]] != enterprise_id:
        raise Forbidden("not_yours", "Another side of this booking reports that.")
    if event == "cancel" and trip.book_until <= tx.now:
        event = "cancel_late"
    state = after(booking.state, event)
    if state is None or trip.state != "open":
        raise Conflict("state", "This cannot happen to the booking any more; please look at it again.")
    row = _checked_event(booking.id, event, crates, celsius, note, empties)
    refuse_wrong_code(tx, booking.id, event, code)
    row |= {"id": tx.new_id(), "at": tx.now, "by_id": enterprise_id, "noted_at": noted_at, "code": code}
    tx.execute(insert(transport_event).values(row))
    tx.execute(
        update(transport_booking).where(_booking.id == booking.id).values(state=state, version=_booking.version + 1)
    )
    if trip.peer_id is not None:  # its home gives the room back
        if enterprise_id == booking.sender_id:
            tx.execute(update(transport_booking).where(_booking.id == booking.id).values(number=booking.number + 1))
        tell_others(tx, booking=booking.id)
        return booking_by_id(tx, booking.id)
    tell_others(tx, trip=trip.id)
    if booking.state in HOLDS_ROOM and state not in HOLDS_ROOM and state != "delivered":
        _free(tx, trip, booking, state)
    elif state not in ON_THE_WAY:
        _drop_stops(tx, trip_by_id(tx, trip.id))
    return booking_by_id(tx, booking.id)


def correct_count(
    tx: Transaction, carrier_id: str, booking_id: str, *, crates: int | None, celsius: Decimal | None, note: str = ""
) -> Booking:
    """The carrier has counted or measured wrongly at loading: another event says what is right, and the first stays.

    The sender and the receiver read the newest count, also at other instances. Raises `NotFound` for a trip of others,
    `Conflict` if the goods were not loaded, or the statement is written, `Invalid`.
    """
    booking = booking_by_id(tx, booking_id)
    trip = locked_trip(tx, booking.trip_id, carrier_id)
    booking = booking_by_id(tx, booking_id)  # as it is now that its trip is locked
    if booking.state not in LOADED or trip.state != "open" or trip.peer_id is not None:
        raise Conflict("state", "This cannot happen to the booking any more; please look at it again.")
    if crates is None and celsius is None:
        raise Invalid([Problem("crates", "Count between 0 and 10,000 crates.", "/crates")])
    row = _checked_event(booking.id, "pick_up", crates, celsius, note)
    before = counted_of(tx, [booking.id]).get(booking.id, LoadCount(None, None))
    if crates is None:
        row["crates"] = before.crates
    if celsius is None:
        row["celsius"] = before.celsius
    tx.execute(insert(transport_event).values(id=tx.new_id(), at=tx.now, by_id=carrier_id, noted_at=None, **row))
    tell_others(tx, trip=trip.id)
    return booking


def _checked_event(
    booking_id: str, event: Event, crates: int | None, celsius: Decimal | None, note: str, empties: int | None = None
) -> dict[str, Any]:
    problems: list[Problem] = []
    note = read_text(note, "/note", problems, most=500)
    if crates is not None and not 0 <= crates <= 10_000:
        problems.append(Problem("crates", "Count between 0 and 10,000 crates.", "/crates"))
    if empties is not None and not 0 <= empties <= 10_000:
        problems.append(Problem("crates", "Count between 0 and 10,000 crates.", "/empties"))
    if celsius is not None and not (celsius.is_finite() and -60 <= celsius <= 60 and celsius == round(celsius, 1)):
        problems.append(
            Problem("celsius", "A temperature must be between −60 and 60 °C, with one decimal at most.", "/celsius")
        )
    if problems:
        raise Invalid(problems)
    return {
        "booking_id": booking_id,
        "event": event,
        "crates": crates,
        "celsius": celsius,
        "note": note,
        "empties": empties,
    }


def _free(tx: Transaction, trip: Trip, booking: Booking, state: State) -> None:
    """Gives the room of a booking back on exactly its legs, and drops stops that nobody needs any more."""
    numbers = {stop.id: number for number, stop in enumerate(trip.stops)}
    assert booking.pickup_id is not None
    assert booking.delivery_id is not None
    legs = range(numbers[booking.pickup_id], numbers[booking.delivery_id])
    stops = tuple(
        replace(stop, free=stop.free + booking.room) if number in legs else stop
        for number, stop in enumerate(trip.stops)
    )
    freed = write_stops(tx, trip, stops)
    if state not in ON_THE_WAY:
        _drop_stops(tx, freed)


def _drop_stops(tx: Transaction, trip: Trip) -> None:
    """Drops the stops that are needed by no booking that the van stops for."""
    bookings = bookings_of_trip(tx, trip.id)
    gone = [booking.id for booking in bookings if booking.state not in ON_THE_WAY]
    tx.execute(update(transport_booking).where(_booking.id.in_(gone)).values(pickup_id=None, delivery_id=None))
    needed = {trip.stops[0].id, trip.stops[-1].id}
    for booking in bookings:
        if booking.state in ON_THE_WAY:
            needed |= {booking.pickup_id or "", booking.delivery_id or ""}
    write_stops(tx, trip, [stop for stop in trip.stops if stop.id in needed])


# ------------------------------------------------------------------------------------------------ questions


def booking_by_id(tx: Transaction, booking_id: str) -> Booking:
    """The booking. Checks no permission. Raises `NotFound`."""
    return Booking(**tx.one(select(transport_booking).where(_booking.id == booking_id)))


def find_booking(tx: Transaction, booking_id: str) -> Booking | None:
    """The booking, or None. Checks no permission."""
    return next(iter(_bookings(tx, _booking.id == booking_id)), None)


def booking_by_iri(tx: Transaction, iri: str) -> Booking | None:
    """The booking to which another instance has given this name, or None."""
    return next(iter(_bookings(tx, _booking.iri == iri)), None)


def bookings_of_trip(tx: Transaction, trip_id: str) -> list[Booking]:
    """All bookings of a trip in the order in which they were made."""
    return _bookings(tx, _booking.trip_id == trip_id)


def bookings_of_trips(tx: Transaction, trip_ids: Collection[str]) -> dict[str, list[Booking]]:
    """The bookings of each of these trips."""
    by_trip: dict[str, list[Booking]] = {trip_id: [] for trip_id in trip_ids}
    for booking in _bookings(tx, _booking.trip_id.in_(by_trip)) if by_trip else ():
        by_trip[booking.trip_id].append(booking)
    return by_trip


def bookings_of_enterprise(tx: Transaction, enterprise_id: str) -> list[Booking]:
    """Bookings of goods that the enterprise sends or receives, of the last three weeks and to come."""
    mine = or_(_booking.sender_id == enterprise_id, _booking.receiver_id == enterprise_id)
    return _bookings(tx, mine, _booking.delivery_at > tx.now - SHOWN)[:MOST_SHOWN]


def _bookings(tx: Transaction, *where: ColumnElement[bool]) -> list[Booking]:
    query = select(transport_booking).where(*where).order_by(_booking.booked_at, _booking.id)
    return [Booking(**row) for row in tx.all(query)]


@dataclass(frozen=True)
class LoadCount:
    """What the carrier counted and measured when it loaded goods; None: nothing."""

    crates: int | None
    celsius: Decimal | None


def counted_of(tx: Transaction, booking_ids: Collection[str]) -> dict[str, LoadCount]:
    """What was counted of these bookings that are loaded, by their ids; of several counts the newest."""
    event = transport_event.c
    query = select(transport_event).where(event.booking_id.in_(booking_ids), event.event == "pick_up")
    rows = tx.all(query.order_by(event.at, event.id)) if booking_ids else ()
    return {row["booking_id"]: LoadCount(row["crates"], row["celsius"]) for row in rows}


def empties_of(tx: Transaction, booking_ids: Collection[str]) -> dict[str, int]:
    """How many empty crates were taken along where these bookings were delivered, by their ids."""
    event = transport_event.c
    delivered = (event.booking_id.in_(booking_ids), event.event == "deliver", event.empties.is_not(None))
    rows = tx.all(select(event.booking_id, event.empties).where(*delivered)) if booking_ids else ()
    return {row["booking_id"]: row["empties"] for row in rows}
