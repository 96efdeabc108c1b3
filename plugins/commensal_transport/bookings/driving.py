"""What a driver reports at the stops of a trip, at once or hours later from a telephone that had no network.

What cannot have happened by what is known here, such as a pick-up of goods whose sender has cancelled meanwhile, is
kept as a conflict for people to decide; nothing is merged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args

from sqlalchemy import Select, Update, insert, select, update

from commensal import Conflict, NotFound, Transaction

from ..news import tell_others
from ..places.loads import Load, keeps
from ..tables import transport_booking, transport_conflict, transport_event, transport_trip
from ..trips.trips import Trip, locked_trip, own_trip, trip_by_id, write_stops
from ..trips.vehicles import vehicle_by_id
from .bookings import Booking, booking_by_id, bookings_of_trip, report
from .codes import STEPS
from .counts import counts_of, tell_of_difference
from .mails import tell
from .states import HOLDS_ROOM, NEXT, State

CarrierEvent = Literal["pick_up", "deliver", "fail", "no_goods", "brought_by_sender", "skip"]
CARRIER_EVENTS: tuple[CarrierEvent, ...] = get_args(CarrierEvent)
MOVES: dict[CarrierEvent, tuple[State, State]] = {
    event: (before, after)
    for event in CARRIER_EVENTS
    for before, moves in NEXT.items()
    for each, after in moves.items()
    if each == event
}
"""The one state in which a carrier may report each event, and the state that follows."""
EARLIEST = timedelta(hours=36)  # before the trip begins: a van may be loaded on the eve
_MOST = 100  # conflicts of a trip
_conflict = transport_conflict.c


@dataclass(frozen=True, kw_only=True)
class Noted:
    """crates, empties: counted; celsius: measured; code: that the other side has shown; at: when it was noted (UTC), by
    the clock of the telephone"""

    booking_id: str
    event: CarrierEvent
    crates: int | None = None
    celsius: Decimal | None = None
    empties: int | None = None
    code: str | None = None
    note: str = ""
    at: datetime | None = None


def report_at_stop(tx: Transaction, carrier_id: str, trip_id: str, noted: Noted) -> Booking:
    """Writes down what happened to a booking of the carrier's trip. Raises what `report` does, and `Conflict` for what
    is written down before the eve of the trip."""
    trip = own_trip(tx, carrier_id, trip_id)
    if booking_by_id(tx, noted.booking_id).trip_id != trip.id:
        raise NotFound
    if tx.now < trip.starts_at - EARLIEST:  # when it arrives here: the clock of a telephone may be wrong
        text = "The trip begins in {hours} hours: write down what happens at its stops when it is driven."
        raise Conflict("trip_ahead", text, hours=(trip.starts_at - tx.now) // timedelta(hours=1))
    booking = report(
        tx,
        carrier_id,
        noted.booking_id,
        noted.event,
        crates=noted.crates,
        celsius=noted.celsius,
        empties=noted.empties,
        note=noted.note,
        noted_at=noted.at,
        code=noted.code if noted.event in STEPS else None,
    )
    if noted.event == "fail":
        tell(tx, "called_off", trip, [booking])
    if noted.event == "deliver":
        tell_of_difference(tx, trip, booking, "same", counts_of(tx, [(booking, trip.enterprise_id)])[booking.id])
    return booking


# ------------------------------------------------------------------------------------------------ conflicts


@dataclass(frozen=True, kw_only=True)
class NotedInVain:
    """What a driver noted and what is not recorded. Times are UTC; `noted_at` is by the clock of the telephone."""

    id: str
    booking_id: str
    event: CarrierEvent
    crates: int | None
    celsius: Decimal | None
    note: str
    noted_at: datetime
    person_id: str


def take_note(tx: Transaction, carrier_id: str, trip_id: str, noted: Noted, *, by: str) -> Conflict | None:
    """Writes down what a telephone sends, however late. Returns why it cannot have happened; then it is kept as a
    conflict. Raises `NotFound`, `Invalid`."""
    try:
        with tx.attempt():
            report_at_stop(tx, carrier_id, trip_id, noted)
    except Conflict as error:
        row = {
            "id": tx.new_id(),
            "booking_id": noted.booking_id,
            "event": noted.event,
            "crates": noted.crates,
            "celsius": noted.celsius,
            "empties": noted.empties,
            "code": noted.code,
            "note": noted.note[:500],
            "noted_at": noted.at or tx.now,
            "recorded_at": tx.now,
            "person_id": by,
        }
        tx.execute(insert(transport_conflict).values(row))
        return error
    return None


def open_conflicts(tx: Transaction, trip_id: str) -> list[NotedInVain]:
    """The conflicts of a trip that nobody has decided yet, the oldest first; at most 100."""
    columns = [_conflict[name] for name in NotedInVain.__dataclass_fields__]
    is_open = _conflict.booking_id.in_(_bookings_of(trip_id)) & _conflict.settled_at.is_(None)
    rows = tx.all(select(*columns).where(is_open).order_by(_conflict.noted_at, _conflict.id).limit(_MOST))
    return [NotedInVain(**row) for row in rows]


def settle_conflict(tx: Transaction, trip_id: str, conflict_id: str, *, by: str) -> None:
    """Takes a conflict off the list: somebody has decided what to do about it. Raises `NotFound`."""
    of_trip = (_conflict.id == conflict_id) & _conflict.booking_id.in_(_bookings_of(trip_id))
    settled = update(transport_conflict).where(of_trip, _conflict.settled_at.is_(None))
    if tx.change(settled.values(settled_at=tx.now, settled_by=by)) != 1:
        raise NotFound


def _bookings_of(trip_id: str) -> Select[tuple[str]]:
    return select(transport_booking.c.id).where(transport_booking.c.trip_id == trip_id)


# What a carrier changes about a trip after it was offered: calling it off, or driving it with another vehicle.


def cancel_trip(tx: Transaction, enterprise_id: str, trip_id: str) -> None:
    """Calls a trip off: its bookings end, whoever made them gets an e-mail, and their goods are to be carried again.

    Raises `NotFound`, and `Conflict` if it is driven, or on the road.
    """
    trip = locked_trip(tx, trip_id, enterprise_id)
    bookings = bookings_of_trip(tx, trip.id)
    if trip.state != "open" or any(booking.state in ("picked_up", "delivered") for booking in bookings):
        raise Conflict("on_the_road", "This trip is driven already, or on the road.")
    confirmed = [booking.id for booking in bookings if booking.state == "confirmed"]
    ended = update(transport_booking).where(transport_booking.c.id.in_(confirmed))
    tx.execute(ended.values(state="cancelled_by_carrier", version=transport_booking.c.version + 1))
    for booking_id in confirmed:
        row = {"booking_id": booking_id, "event": "fail", "by_id": enterprise_id, "note": ""}
        tx.execute(insert(transport_event).values(id=tx.new_id(), at=tx.now, **row))
    tell(tx, "called_off", trip, [booking for booking in bookings if booking.id in confirmed])
    tx.execute(_edit(trip).values(state="cancelled", version=trip.version + 1))
    tell_others(tx, trip=trip.id)


def change_vehicle(tx: Transaction, enterprise_id: str, trip_id: str, vehicle_id: str) -> Trip:
    """Drives the trip with another vehicle of the carrier. The price of a kilometre stays as it was promised.

    Raises `NotFound`, and `Conflict` if what is booked does not fit into it: nobody who was confirmed is dropped.
    """
    trip = locked_trip(tx, trip_id, enterprise_id)
    vehicle = vehicle_by_id(tx, enterprise_id, vehicle_id)
    if trip.state != "open":
        raise Conflict("on_the_road", "This trip is driven already, or on the road.")
    held = [booking for booking in bookings_of_trip(tx, trip.id) if booking.state in HOLDS_ROOM]
    more = vehicle.room - trip.room
    stops = [replace(stop, free=stop.free + more) for stop in trip.stops]
    is_too_small = not all(Load().fits(stop.free) for stop in stops)
    if is_too_small or any(booking.cold and not keeps(vehicle.keeping, booking.keeping) for booking in held):
        raise Conflict("too_small", "What is booked does not fit into {name}.", name=vehicle.name)
    write_stops(tx, trip, stops)
    room = {"crates": vehicle.crates, "kg": vehicle.kg, "cold": vehicle.cold, "keeping": vehicle.keeping}
    tx.execute(_edit(trip).values(vehicle_id=vehicle.id, **room, version=trip.version + 1))
    tell_others(tx, trip=trip.id)
    return trip_by_id(tx, trip.id)


def _edit(trip: Trip) -> Update:
    return update(transport_trip).where(transport_trip.c.id == trip.id)
