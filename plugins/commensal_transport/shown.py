"""What the JSON API answers about transport. Moments are UTC, money is in cents of euros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from commensal import Amount, Transaction

from .bookings.bookings import Booking, bookings_of_trip
from .bookings.counts import Counts, Side
from .bookings.statements import TripStatement, mistakes_of
from .costs.alone import Tour
from .costs.law import Basis
from .costs.sharing import Rules
from .forms import key_text
from .places.loads import Keeping
from .trips.needs import Need
from .trips.trips import Trip


@dataclass(frozen=True, kw_only=True)
class NeedShown:
    """Goods to be brought to `receiver_id` (null: one of another instance of which nothing is known here) between
    `opens_at` and `closes_at`. `alone` is what driving there alone takes; `most` the cents that the
    sender pays at most, who would not drive there; `booking_id` is how they travel."""

    need: str
    sale: str
    receiver_id: str | None
    receiver: str
    crates: int
    kg: int
    keeping: Keeping
    own_boxes: bool
    is_edited: bool
    opens_at: datetime
    closes_at: datetime
    alone: Tour | None
    most: Amount | None
    booking_id: str | None


@dataclass(frozen=True, kw_only=True)
class QuoteShown:
    """`price` is the most that the sender pays, `alone` what driving alone costs."""

    trip_id: str
    carrier_id: str
    price: Amount
    alone: Amount
    pickup_at: datetime
    delivery_at: datetime


@dataclass(frozen=True, kw_only=True)
class QuotesShown:
    """`refusals` say of carriers why they do not carry it; `waiting` are carriers elsewhere that have been asked."""

    quotes: Sequence[QuoteShown]
    refusals: Sequence[tuple[str, str]]
    waiting: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class StopShown:
    """`free_*` is the room that is left behind the stop."""

    id: str
    enterprise_id: str
    at: datetime
    opens_at: datetime
    closes_at: datetime
    free_crates: int
    free_kg: int
    free_cold: int


@dataclass(frozen=True, kw_only=True)
class BookingShown:
    """`cap` is the most that the sender pays, null for the carrier's own goods."""

    id: str
    trip_id: str
    need: str
    sender_id: str
    receiver_id: str
    crates: int
    kg: int
    keeping: Keeping
    own_boxes: bool
    pickup_at: datetime
    delivery_at: datetime
    cap: Amount | None
    state: str


@dataclass(frozen=True, kw_only=True)
class CountsShown:
    """Crates of a booking that was delivered, by what each side says. `state` is `open` while somebody of `waiting` has
    not said what is true, `kept` where all stand by counts that differ, `lost` where `lost` crates were lost with the
    carrier (below 0: more came than were loaded), `same` if nothing is missing."""

    booking_id: str
    state: Literal["same", "open", "lost", "kept"]
    waiting: Sequence[Side]
    by_sender: int
    loaded: int
    unloaded: int
    by_receiver: int
    lost: int


@dataclass(frozen=True, kw_only=True)
class TripShown:
    """A trip of the enterprise, with its way and who rides along, which nobody else reads."""

    id: str
    vehicle_id: str
    basis: Basis
    rule: str
    starts_at: datetime
    ends_at: datetime
    book_until: datetime
    state: str
    stops: Sequence[StopShown]
    bookings: Sequence[BookingShown]


@dataclass(frozen=True, kw_only=True)
class StatementShown:
    """`content` is what all read alike, under `digest`; `owes` is what the reader pays, and `mistakes` are codes of
    what does not add up."""

    trip_id: str
    carrier_id: str
    content: Mapping[str, Any]
    digest: str
    written_at: datetime
    owes: int
    mistakes: Sequence[str]


def need_shown(need: Need, booking_id: str | None) -> NeedShown:
    return NeedShown(
        need=key_text(need.key),
        sale=need.sale,
        receiver_id=need.receiver_id,
        receiver=need.shop,
        crates=need.crates,
        kg=need.kg,
        keeping=need.keeping,
        own_boxes=need.own_boxes,
        is_edited=need.is_edited,
        opens_at=need.opens,
        closes_at=need.closes,
        alone=need.alone,
        most=need.most,
        booking_id=booking_id,
    )


def trip_shown(tx: Transaction, trip: Trip) -> TripShown:
    stops = [
        StopShown(
            id=stop.id,
            enterprise_id=stop.enterprise_id,
            at=at,
            opens_at=stop.opens,
            closes_at=stop.closes,
            free_crates=stop.free.crates,
            free_kg=stop.free.kg,
            free_cold=stop.free.cold,
        )
        for stop, at in zip(trip.stops, trip.moments(), strict=True)
    ]
    return TripShown(
        id=trip.id,
        vehicle_id=trip.vehicle_id,
        basis=trip.basis,
        rule=trip.rule,
        starts_at=trip.starts_at,
        ends_at=trip.ends_at,
        book_until=trip.book_until,
        state=trip.state,
        stops=stops,
        bookings=[booking_shown(booking) for booking in bookings_of_trip(tx, trip.id)],
    )


def booking_shown(booking: Booking) -> BookingShown:
    return BookingShown(
        id=booking.id,
        trip_id=booking.trip_id,
        need=key_text(booking.key),
        sender_id=booking.sender_id,
        receiver_id=booking.receiver_id,
        crates=booking.crates,
        kg=booking.kg,
        keeping=booking.keeping,
        own_boxes=booking.own_boxes,
        pickup_at=booking.pickup_at,
        delivery_at=booking.delivery_at,
        cap=booking.cap,
        state=booking.state,
    )


def counts_shown(counts: Counts) -> CountsShown:
    return CountsShown(
        booking_id=counts.booking.id,
        state=counts.state,
        waiting=counts.waiting,
        by_sender=counts.sender,
        loaded=counts.loaded,
        unloaded=counts.unloaded,
        by_receiver=counts.receiver,
        lost=counts.lost,
    )


def statement_shown(
    enterprise: str, rules: Rules, trip: Trip, statement: TripStatement, bookings: Sequence[Booking]
) -> StatementShown:
    mine = [each.id for each in bookings if each.sender_id == enterprise and each.id in statement.shares]
    return StatementShown(
        trip_id=trip.id,
        carrier_id=trip.enterprise_id,
        content=statement.content,
        digest=statement.digest,
        written_at=statement.written_at,
        owes=sum(statement.shares[id][1] for id in mine),
        mistakes=mistakes_of(statement.content, rules),
    )
