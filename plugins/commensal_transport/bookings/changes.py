"""What a carrier changes about a trip after it was offered: calling it off, or driving it with another vehicle."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Update, insert, update

from commensal import Conflict, Transaction

from ..news import tell_others
from ..places.loads import Load, keeps
from ..tables import transport_booking, transport_event, transport_trip
from ..trips.trips import Trip, locked_trip, trip_by_id, write_stops
from ..trips.vehicles import vehicle_by_id
from .bookings import bookings_of_trip
from .mails import tell
from .states import HOLDS_ROOM


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
