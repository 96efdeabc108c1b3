"""JSON API of transport: what is to be carried, trips, prices, bookings, what happened to them, and statements.

Moments are UTC; money is in cents of euros; loads are crates of 600 × 400 mm, and kilograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from commensal import Body, Call, Endpoint, Routes, hookimpl, say

from .bookings.bookings import SHOWN, book, bookings_of_enterprise, offer_trip, report
from .bookings.codes import LONGEST, read_code
from .bookings.counts import Reason, differing_counts, say_count
from .bookings.driving import CarrierEvent, Noted, cancel_trip, take_note
from .bookings.mails import tell
from .bookings.offers import NeedAnswer, find_quotes
from .bookings.statements import finish_trip, readable_statement
from .bookings.states import ACTIVE, TOOK_PART
from .costs.cost_rules import known_rules
from .costs.law import Basis
from .costs.sharing import DEAREST, LONGEST_RULE
from .forms import as_key
from .news import ask_others
from .places.loads import MOST_CRATES, MOST_KG, Keeping
from .shown import (
    BookingShown,
    CountsShown,
    NeedShown,
    QuoteShown,
    QuotesShown,
    StatementShown,
    TripShown,
    booking_shown,
    counts_shown,
    need_shown,
    statement_shown,
    trip_shown,
)
from .trips.needs import correct_load, need_by_key, needs_of
from .trips.trips import TripTerms, own_trip, trip_by_id, trips_by_id, trips_of
from .trips.vehicles import Vehicle, add_vehicle, vehicles_of

_routes = Routes("transport")
_HERE = "/enterprises/{enterprise}"
_FUTURE = timedelta(minutes=5)  # by which the clock of a telephone may be ahead

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
NeedId = Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
Crates = Annotated[int, msgspec.Meta(ge=1, le=MOST_CRATES)]
Kilograms = Annotated[int, msgspec.Meta(ge=1, le=MOST_KG)]
Cents = Annotated[int, msgspec.Meta(ge=0, le=DEAREST)]


class AtStop(Body, frozen=True, kw_only=True):
    """What happened to a booking at a stop. `crates` were counted, `celsius` was measured, with one decimal at most;
    `empties` are empty crates that were left where goods were loaded, or taken along where they were unloaded;
    `code` is what the other side has shown, scanned or typed; `at` is the moment by the clock of the telephone."""

    booking_id: Id
    event: CarrierEvent
    crates: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    celsius: Decimal | None = None
    empties: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    code: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    at: Moment


@dataclass(frozen=True, kw_only=True)
class ReportOutcome:
    """`conflict`: this cannot have happened by what is known here; `text` says why. The run sheet lists it for people
    to decide."""

    outcome: Literal["done", "conflict"]
    text: str = ""


class NewVehicle(Body, frozen=True, kw_only=True):
    """`cold` of its crates are kept at the class `keeping`; `cents_per_km` is what a kilometre costs."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    crates: Crates
    kg: Kilograms
    cold: Annotated[int, msgspec.Meta(ge=0, le=MOST_CRATES)] = 0
    keeping: Keeping = "ambient"
    cents_per_km: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 40


class PackedLoad(Body, frozen=True, kw_only=True):
    """What the sender has really packed for a need, in place of the estimate. `most`: the cents that they pay at most
    for its carriage, who would not drive there; null: they would."""

    need: NeedId
    crates: Crates
    kg: Kilograms
    own_boxes: bool = False
    most: Annotated[int, msgspec.Meta(ge=1, le=DEAREST)] | None = None


class NewTrip(Body, frozen=True, kw_only=True):
    """A trip with the carrier's own goods, `needs`. Without `book_until`, bookings end twelve hours before it."""

    vehicle_id: Id
    starts_at: Moment
    ends_at: Moment
    book_until: Moment | None = None
    basis: Basis = "farm_help"
    rule: Annotated[str, msgspec.Meta(max_length=LONGEST_RULE)] = "same_saving/1"
    toll: Cents = 0
    stop_price: Cents = 0
    crate_price: Cents = 0
    needs: Annotated[tuple[NeedId, ...], msgspec.Meta(min_length=1, max_length=50)]


class NewBooking(Body, frozen=True, kw_only=True):
    """A need that shall travel with a trip, for at most `price` cents: what its quote says."""

    need: NeedId
    trip_id: Id
    price: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class OneBooking(Body, frozen=True, kw_only=True):
    booking_id: Id
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CountedCrates(Body, frozen=True, kw_only=True):
    """What was counted of a delivered booking: its sender says `loaded`, its receiver `unloaded`, its carrier both.
    `reason` is needed by who stands by its own count: it counted again; the delivery note or the code, or a photograph
    shows it; the crates were lost or broken on the way; something else."""

    booking_id: Id
    loaded: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    unloaded: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    reason: Reason = ""


class OneNeed(Body, frozen=True, kw_only=True):
    need: NeedId


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


# ------------------------------------------------------------------------------------------------ needs and prices


@_routes.get(f"{_HERE}/needs", scope="demand:read")
def transport_needs(call: Call, enterprise: str) -> Sequence[NeedShown]:
    """What the enterprise must bring to hubs whose sale has closed, the next distribution first."""
    mine = bookings_of_enterprise(call.tx, enterprise)
    carried = {each.key: each.id for each in mine if each.sender_id == enterprise and each.state in ACTIVE}
    return [need_shown(need, carried.get(need.key)) for need in needs_of(call.tx, call.instance.hooks, enterprise)]


@_routes.put(f"{_HERE}/needs", scope="sales:write")
def correct_transport_load(call: Call, enterprise: str, body: PackedLoad) -> NeedShown:
    """Writes down what was really packed; carriers elsewhere are asked again."""
    hooks, key = call.instance.hooks, as_key(body.need)
    packed = {"crates": body.crates, "kg": body.kg}
    correct_load(call.tx, hooks, enterprise, key, own_boxes=body.own_boxes, most=body.most, **packed)
    ask_others(call.tx, enterprise)
    return need_shown(need_by_key(call.tx, hooks, enterprise, key), None)


@_routes.get(f"{_HERE}/quotes", scope="sales:write")
def transport_quotes(call: Call, enterprise: str, query: OneNeed) -> QuotesShown:
    """Who would carry a need, the cheapest first. A quote binds nobody."""
    hooks = call.instance.hooks
    offer = NeedAnswer(need_by_key(call.tx, hooks, enterprise, as_key(query.need)), query.need)
    find_quotes(call.tx, hooks, enterprise, [offer], call.language)
    shown = [
        QuoteShown(
            trip_id=quote.trip.id,
            carrier_id=quote.trip.enterprise_id,
            price=quote.price,
            alone=quote.alone,
            pickup_at=quote.pickup,
            delivery_at=quote.delivery,
        )
        for quote in offer.quotes
    ]
    return QuotesShown(quotes=shown, refusals=offer.refusals, waiting=offer.waiting)


# ------------------------------------------------------------------------------------------------ trips


@_routes.get(f"{_HERE}/vehicles", scope="sales:write")
def transport_vehicles(call: Call, enterprise: str) -> Sequence[Vehicle]:
    """The vehicles of the enterprise, by name."""
    return vehicles_of(call.tx, enterprise)


@_routes.post(f"{_HERE}/vehicles", scope="sales:write", status=201)
def add_transport_vehicle(call: Call, enterprise: str, body: NewVehicle) -> Vehicle:
    """Adds a vehicle."""
    return add_vehicle(call.tx, enterprise, **msgspec.structs.asdict(body))


@_routes.get(f"{_HERE}/trips", scope="transport:drive")
def transport_trips(call: Call, enterprise: str) -> Sequence[TripShown]:
    """The enterprise's trips that are not over, the next one first; at most 50."""
    return [trip_shown(call.tx, trip) for trip in trips_of(call.tx, enterprise, since=call.tx.now)]


@_routes.post(f"{_HERE}/trips", scope="sales:write", status=201)
def offer_transport_trip(call: Call, enterprise: str, body: NewTrip) -> TripShown:
    """ "I drive anyway": offers the room that the carrier's own goods leave."""
    terms = {name: value for name, value in msgspec.structs.asdict(body).items() if name != "needs"}
    moments = {name: value.astimezone(UTC) for name, value in terms.items() if isinstance(value, datetime)}
    keys = [as_key(need) for need in body.needs]
    return trip_shown(call.tx, offer_trip(call.tx, call.instance.hooks, enterprise, TripTerms(**terms | moments), keys))


@_routes.get(f"{_HERE}/trips/{{trip}}", scope="transport:drive")
def transport_trip(call: Call, enterprise: str, trip: str) -> TripShown:
    """One of the enterprise's trips, with its stops and bookings."""
    return trip_shown(call.tx, own_trip(call.tx, enterprise, trip))


@_routes.post(f"{_HERE}/trips/{{trip}}/cancel", scope="sales:write")
def cancel_transport_trip(call: Call, enterprise: str, trip: str) -> TripShown:
    """Calls a trip off; whoever has booked is told."""
    cancel_trip(call.tx, enterprise, trip)
    return trip_shown(call.tx, trip_by_id(call.tx, trip))


@_routes.post(f"{_HERE}/trips/{{trip}}/finish", scope="sales:write")
def finish_transport_trip(call: Call, enterprise: str, trip: str) -> StatementShown:
    """The trip is driven: writes its statement."""
    rules = known_rules(call.tx, call.instance.hooks)
    finish_trip(call.tx, enterprise, trip, rules)
    return statement_shown(enterprise, rules, *readable_statement(call.tx, enterprise, trip))


@_routes.post(f"{_HERE}/trips/{{trip}}/events", scope="transport:drive", needs_key=True)
def report_at_stop(call: Call, enterprise: str, trip: str, body: AtStop) -> ReportOutcome:
    """Writes down what the carrier reports about a booking, also hours later."""
    noted = Noted(
        booking_id=body.booking_id,
        event=body.event,
        crates=body.crates,
        celsius=body.celsius,
        empties=body.empties,
        code=read_code(body.code),
        note=body.note,
        at=min(body.at.astimezone(UTC), call.tx.now + _FUTURE),
    )
    error = take_note(call.tx, enterprise, trip, noted, by=call.person_id)
    return ReportOutcome(outcome="conflict", text=say(call.language, error)) if error else ReportOutcome(outcome="done")


# ------------------------------------------------------------------------------------------------ bookings, statements


@_routes.get(f"{_HERE}/bookings", scope="demand:read")
def transport_bookings(call: Call, enterprise: str) -> Sequence[BookingShown]:
    """How goods that the enterprise sends or receives travel, of the last three weeks and to come."""
    return [booking_shown(booking) for booking in bookings_of_enterprise(call.tx, enterprise)]


@_routes.post(f"{_HERE}/bookings", scope="sales:write", status=201)
def book_transport(call: Call, enterprise: str, body: NewBooking) -> BookingShown:
    """Books a need with a trip. One of another instance is ordered, and confirmed or refused by its home."""
    booking = book(call.tx, call.instance.hooks, enterprise, as_key(body.need), body.trip_id, price=body.price)
    if booking.state != "ordered":
        tell(call.tx, "booked", trip_by_id(call.tx, booking.trip_id), [booking])
    return booking_shown(booking)


@_routes.post(f"{_HERE}/bookings/cancel", scope="sales:write")
def cancel_transport_booking(call: Call, enterprise: str, body: OneBooking) -> BookingShown:
    """Cancels a booking of goods that the enterprise sends; after the deadline its detour is still paid."""
    booking = report(call.tx, enterprise, body.booking_id, "cancel", note=body.note)
    tell(call.tx, "cancelled", trip_by_id(call.tx, booking.trip_id), [booking])
    return booking_shown(booking)


@_routes.post(f"{_HERE}/bookings/refuse", scope="sales:write")
def refuse_transported_goods(call: Call, enterprise: str, body: OneBooking) -> BookingShown:
    """Refuses goods that came too warm to the enterprise, which receives them."""
    return booking_shown(report(call.tx, enterprise, body.booking_id, "refuse_warm", note=body.note))


@_routes.get(f"{_HERE}/counts", scope="demand:read")
def differing_transport_counts(call: Call, enterprise: str) -> Sequence[CountsShown]:
    """Crates that differ at both ends of what the enterprise sent, received or carried in the last three weeks."""
    return [counts_shown(counts) for counts in differing_counts(call.tx, enterprise)]


@_routes.post(f"{_HERE}/counts", scope="sales:write")
def say_transport_count(call: Call, enterprise: str, body: CountedCrates) -> CountsShown:
    """Says what is true: the enterprise accepts what another side has counted, or stands by its own count."""
    counted = {"loaded": body.loaded, "unloaded": body.unloaded}
    return counts_shown(say_count(call.tx, enterprise, body.booking_id, reason=body.reason, **counted))


@_routes.get(f"{_HERE}/statements", scope="payments:read")
def transport_statements(call: Call, enterprise: str) -> Sequence[StatementShown]:
    """The statements of rounds in which the enterprise took part in the last three weeks, the newest first."""
    mine = bookings_of_enterprise(call.tx, enterprise)
    trips = trips_by_id(call.tx, {booking.trip_id for booking in mine if booking.state in TOOK_PART})
    own = trips_of(call.tx, enterprise, since=call.tx.now - SHOWN)
    driven = {trip.id: trip for trip in (*own, *trips.values()) if trip.state == "driven"}
    rules = known_rules(call.tx, call.instance.hooks)
    shown = [statement_shown(enterprise, rules, *readable_statement(call.tx, enterprise, id)) for id in driven]
    return sorted(shown, key=lambda statement: statement.written_at, reverse=True)


@_routes.get(f"{_HERE}/trips/{{trip}}/statement", scope="payments:read")
def transport_statement(call: Call, enterprise: str, trip: str) -> StatementShown:
    """The statement of a round for one of those who took part."""
    rules = known_rules(call.tx, call.instance.hooks)
    return statement_shown(enterprise, rules, *readable_statement(call.tx, enterprise, trip))
