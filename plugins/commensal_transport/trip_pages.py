"""A trip for its driver: the run sheet with its stops, what happened at each, and what the carrier decides about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from starlette.responses import Response

from commensal import Enterprise, NotFound, Refused, Screen, Transaction
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from .bookings import Booking, bookings_of_trip, report
from .changes import cancel_trip, change_vehicle
from .contacts import contacts_of, may_meet
from .forms import celsius, optional_whole
from .geography import Point
from .loads import Load
from .mails import tell
from .partners import partners_by_id
from .routing import Stop, metres
from .statements import finish_trip
from .states import ACTS, HOLDS_ROOM, NEXT, ON_THE_WAY, Event
from .trips import Trip, trip_by_id
from .vehicles import vehicle_by_id, vehicles_of
from .week_pages import transport_url

_EVENTS: tuple[Event, ...] = get_args(Event)


@dataclass
class StopOfDay:
    """A stop on the run sheet with what is loaded and unloaded there. `place` is None where coordinates say enough."""

    stop: Stop
    at: datetime
    enterprise: Enterprise
    aboard: Load
    loads: list[Booking] = field(default_factory=list)
    unloads: list[Booking] = field(default_factory=list)


def trip_page(visit: Visit, shop: Enterprise) -> Screen:
    return _trip_page(visit, shop)


def _trip_page(visit: Visit, shop: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
    with visit.read() as tx:
        trip = _own_trip(tx, visit, shop)
        bookings = bookings_of_trip(tx, trip.id)
        named = {stop.enterprise_id for stop in trip.stops} | {booking.sender_id for booking in bookings}
        enterprises = partners_by_id(tx, visit, named | {booking.receiver_id for booking in bookings})
        vehicle, vehicles = vehicle_by_id(tx, shop.id, trip.vehicle_id), vehicles_of(tx, shop.id)
        met: dict[str, list[str]] = {}
        for booking in (booking for booking in bookings if may_meet(booking, trip, tx.now)):
            for enterprise_id in {booking.sender_id, booking.receiver_id} - {shop.id}:
                met.setdefault(enterprise_id, []).append(booking.id)
        contacts = contacts_of(tx, visit.instance.hooks, met, enterprises)
    context = {
        "trip": trip, "stops": stops_of_day(trip, bookings, enterprises), "bookings": bookings, "next": _next(bookings),
        "enterprises": enterprises, "vehicle": vehicle, "vehicles": vehicles, "mistakes": errors,
        "home": transport_url(shop.id), "done": visit.query.get("done", ""), "confirming": visit.query.get("ask", ""),
        "zone": shop.timezone, "contacts": contacts, "km": round(metres(trip.stops) / 1000),
        "is_over": not any(booking.state in HOLDS_ROOM for booking in bookings), "map_link": _map_link,
    }  # fmt: skip
    return Screen(template="transport/trip.html", context=context, status=status)


def _own_trip(tx: Transaction, visit: Visit, shop: Enterprise) -> Trip:
    trip = trip_by_id(tx, visit.path["trip"])
    if trip.enterprise_id != shop.id:
        raise NotFound
    return trip


def stops_of_day(trip: Trip, bookings: list[Booking], enterprises: dict[str, Enterprise]) -> list[StopOfDay]:
    """The stops in the order in which they are driven, with what is aboard behind each."""
    days = {
        stop.id: StopOfDay(stop, at, enterprises[stop.enterprise_id], trip.room - stop.free)
        for stop, at in zip(trip.stops, trip.moments(), strict=True)
    }
    for booking in bookings:
        if booking.state in ON_THE_WAY and booking.pickup_id and booking.delivery_id:
            days[booking.pickup_id].loads.append(booking)
            days[booking.delivery_id].unloads.append(booking)
    return list(days.values())


def _next(bookings: list[Booking]) -> dict[str, list[Event]]:
    """What the carrier may report next about each booking; of its own goods only that they are aboard, or not."""
    return {
        booking.id: [
            event
            for event in NEXT.get(booking.state, {})
            if ACTS[event] == "carrier" and (event in ("pick_up", "deliver", "fail") or not booking.is_own)
        ]
        for booking in bookings
    }


def _map_link(place: Point) -> str:
    return f"geo:{place.latitude},{place.longitude}"


def happened_now(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Reports what happened to a booking at a stop."""

    def act(tx: Transaction) -> str:
        trip, form = _own_trip(tx, visit, shop), visit.form
        event = next((event for event in _EVENTS if event == form.get("event")), None)
        ours = {booking.id for booking in bookings_of_trip(tx, trip.id)}
        if event is None or form.get("booking") not in ours:
            raise NotFound
        crates, measured = optional_whole(form, "crates"), celsius(form, "celsius")
        booking = report(
            tx, shop.id, form["booking"], event, crates=crates, celsius=measured, note=form.get("note", "")
        )
        if event == "fail":
            tell(tx, "called_off", trip, [booking])
        return "noted"

    return _done(visit, shop, act)


def change_now(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Ends the trip with its statement, calls it off, or drives it with another vehicle."""

    def act(tx: Transaction) -> str:
        trip = _own_trip(tx, visit, shop)
        match visit.form.get("then", ""):
            case "finish":
                finish_trip(tx, shop.id, trip.id)
            case "cancel":
                cancel_trip(tx, shop.id, trip.id)
            case "vehicle":
                change_vehicle(tx, shop.id, trip.id, visit.form.get("vehicle_id", ""))
            case _:
                raise NotFound
        return visit.form["then"]

    return _done(visit, shop, act)


def _done(visit: Visit, shop: Enterprise, act: Callable[[Transaction], str]) -> Screen | Response:
    try:
        with visit.write() as tx:
            done = act(tx)
    except NotFound:
        raise
    except Refused as error:
        return _trip_page(visit, shop, mistakes(visit, error, lambda name: False), status_of(error))
    return visit.redirect(f"{transport_url(shop.id)}/trips/{visit.path['trip']}?done={done}")
