"""A trip for its driver: the run sheet with its stops, what happened at each, and what the carrier decides about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import Enterprise, Invalid, NotFound, Problem, Screen, Transaction, translate
from commensal.pages import Visit, on_refusal, service_worker
from commensal.parts.pictures import re_encode

from ..bookings.bookings import Booking, bookings_of_trip, correct_count, counted_of
from ..bookings.codes import codes_of, read_code
from ..bookings.driving import (
    CARRIER_EVENTS,
    MOVES,
    Noted,
    cancel_trip,
    change_vehicle,
    open_conflicts,
    report_at_stop,
    settle_conflict,
)
from ..bookings.mails import contacts_of, may_meet
from ..bookings.photos import MOST, add_photo, kept_of
from ..bookings.statements import finish_trip
from ..bookings.states import HOLDS_ROOM, LOADED, ON_THE_WAY
from ..costs.cost_rules import known_rules
from ..forms import celsius, optional_whole
from ..places.loads import Load
from ..places.routing import Point, Stop, metres
from ..trips.trips import Trip, own_trip
from ..trips.vehicles import vehicle_by_id, vehicles_of
from .week import partners_by_id, transport_url

_CAMERA = {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}  # it reads codes
_AT_LEAST = timedelta(hours=4)  # that a telephone keeps the sheet of a trip which ends about midnight


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
    with visit.read() as tx:
        trip = own_trip(tx, shop.id, visit.path["trip"])
        bookings = bookings_of_trip(tx, trip.id)
        named = {stop.enterprise_id for stop in trip.stops} | {booking.sender_id for booking in bookings}
        enterprises = partners_by_id(tx, visit, named | {booking.receiver_id for booking in bookings})
        vehicle, vehicles = vehicle_by_id(tx, shop.id, trip.vehicle_id), vehicles_of(tx, shop.id)
        met: dict[str, list[str]] = {}
        for booking in (booking for booking in bookings if may_meet(booking, trip, tx.now)):
            for enterprise_id in {booking.sender_id, booking.receiver_id} - {shop.id}:
                met.setdefault(enterprise_id, []).append(booking.id)
        contacts = contacts_of(tx, visit.instance.hooks, met, enterprises)
        conflicts = open_conflicts(tx, trip.id)
        codes = codes_of(tx, [booking.id for booking in bookings])
        photos = sorted(kept_of(tx, [booking.id for booking in bookings]))
        counted = counted_of(tx, [booking.id for booking in bookings if booking.state in LOADED])
        now = tx.now
    context = {
        "trip": trip,
        "stops": stops_of_day(trip, bookings, enterprises),
        "bookings": bookings,
        "moves": MOVES,
        "enterprises": enterprises,
        "vehicle": vehicle,
        "vehicles": vehicles,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
        "confirming": visit.query.get("ask", ""),
        "zone": shop.timezone,
        "contacts": contacts,
        "km": round(metres(trip.stops, trip.roads) / 1000),
        "is_over": not any(booking.state in HOLDS_ROOM for booking in bookings),
        "map_link": _map_link,
        "counted": counted,
        "conflicts": conflicts,
        "by_id": {booking.id: booking for booking in bookings},
        "kept": _kept(visit, trip, shop.timezone, now),
        "codes": codes,
        "photos": photos,
        "most_photos": MOST,
    }
    return Screen(template="transport/trip.html", context=context, headers=_CAMERA)


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


def kept_until(trip: Trip, timezone: str) -> datetime:
    """When a telephone forgets the run sheet with whom to call and how to get in: at midnight after the trip."""
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(trip.ends_at.astimezone(zone).date() + timedelta(days=1), time(), zone)
    return max(midnight, trip.ends_at + _AT_LEAST)


def _kept(visit: Visit, trip: Trip, timezone: str, now: datetime) -> dict[str, object] | None:
    """What a telephone keeps beside the stops; None for a trip that is driven, called off, or over."""
    until = kept_until(trip, timezone)
    if trip.state != "open" or until <= now:
        return None
    return {
        "loaded": now.isoformat(),
        "until": until.isoformat(),
        "language": visit.language,
        "zone": timezone,
        "texts": texts(visit.language),
    }


def texts(language: str) -> dict[str, str]:
    """What the telephone says without a network."""
    return {
        "online": translate(language, "Connected"),
        "offline": translate(language, "No network"),
        "waiting": translate(language, "{number} to send"),
        "nothing_waiting": translate(language, "everything sent"),
        "others_waiting": translate(language, "{number} of somebody else, sent when they log in"),
        "list_of": translate(language, "list of {hour}"),
        "over": translate(language, "Everything is delivered: go on"),
        "not_crates": translate(language, "Count between 0 and 10,000 crates."),
        "not_celsius": translate(language, "Give a temperature in °C, like 3.5."),
        "not_a_code": translate(language, "This is not a code of a load. Scan it, or type its seven digits again."),
        "other_code": translate(language, "This code is of another load, another round, or the other end of the way."),
        "used_code": translate(language, "{name}: this code has been used, or it is not its turn yet."),
        "read_code": translate(language, "{name}: the code is right."),
        "scan": translate(language, "Scan a code"),
        "stop_scan": translate(language, "Close the camera"),
        "no_camera": translate(language, "The camera cannot be used. Type the seven digits."),
        "conflicts": translate(language, "Not recorded"),
        "conflict_why": translate(language, "The booking was in another state by then; the run sheet lists it."),
        "log_in": translate(language, "You are not logged in any more. Log in again; nothing is lost."),
        "leave": translate(language, "Not sent yet: {number}. Log out and lose that?"),
    }


def worker_script(visit: Visit, shop: Enterprise) -> Response:
    """The service worker. It controls the run sheets, and nothing else."""
    return service_worker(f"/office/{shop.id}/transport/trips")


def _map_link(place: Point) -> str:
    return f"geo:{place.latitude},{place.longitude}"


@on_refusal(trip_page, ())
def post_happened(visit: Visit, shop: Enterprise) -> Response:
    """Reports what happened to a booking at a stop, corrects a count, or settles what a telephone noted in vain."""
    with visit.write() as tx:
        match visit.query.get("then"):
            case "settle":
                trip = own_trip(tx, shop.id, visit.path["trip"])
                settle_conflict(tx, trip.id, visit.form.get("conflict", ""), by=visit.actor.person_id or "")
                return _done(visit, shop, "settled")
            case "correct":
                _correct_count(tx, visit, shop)
                return _done(visit, shop, "corrected")
            case _:
                _report(tx, visit, shop)
                return _done(visit, shop, "noted")


def _correct_count(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    form = visit.form
    own_trip(tx, shop.id, visit.path["trip"])
    crates, degrees = optional_whole(form, "crates"), celsius(form, "celsius")
    correct_count(tx, shop.id, form.get("booking", ""), crates=crates, celsius=degrees, note=form.get("note", ""))


def _report(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    form = visit.form
    event = next((event for event in CARRIER_EVENTS if event == form.get("event")), None)
    if event is None or not form.get("booking"):
        raise NotFound
    noted = Noted(
        booking_id=form["booking"],
        event=event,
        crates=optional_whole(form, "crates"),
        celsius=celsius(form, "celsius"),
        empties=optional_whole(form, "empties"),
        code=read_code(form.get("code", "")),
        note=form.get("note", ""),
    )
    report_at_stop(tx, shop.id, visit.path["trip"], noted)


@on_refusal(trip_page, ())
def post_photo(visit: Visit, shop: Enterprise) -> Response:
    """Adds a photograph to what was handed over. It is encoded anew before the transaction."""
    if not visit.body:
        raise Invalid([Problem("no_file", "Choose a picture.", "/file")])
    picture = re_encode(visit.body)
    with visit.write() as tx:
        add_photo(tx, shop.id, visit.path["trip"], visit.form.get("booking", ""), picture, visit.form.get("note", ""))
    return _done(visit, shop, "photo")


@on_refusal(trip_page, ())
def post_change(visit: Visit, shop: Enterprise) -> Response:
    """Ends the trip with its statement, calls it off, or drives it with another vehicle."""
    with visit.write() as tx:
        trip = own_trip(tx, shop.id, visit.path["trip"])
        match visit.form.get("then", ""):
            case "finish":
                finish_trip(tx, shop.id, trip.id, known_rules(tx, visit.instance.hooks))
            case "cancel":
                cancel_trip(tx, shop.id, trip.id)
            case "vehicle":
                change_vehicle(tx, shop.id, trip.id, visit.form.get("vehicle_id", ""))
            case _:
                raise NotFound
    return _done(visit, shop, visit.form["then"])


def _done(visit: Visit, shop: Enterprise, what: str) -> Response:
    return visit.redirect(f"{transport_url(shop.id)}/trips/{visit.path['trip']}?done={what}")
