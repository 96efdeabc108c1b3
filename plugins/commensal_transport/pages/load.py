"""A load for those who send and receive it: the paper that goes with it, the code for the driver, and what happened."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from sqlalchemy import select
from starlette.responses import Response

from commensal import Enterprise, NotFound, Row, Screen, Transaction
from commensal.pages import Visit

from ..bookings.bookings import SHOWN, Booking, find_booking
from ..bookings.codes import SCANNED, Code, Codes, Proof, Step, codes_of, proof_of
from ..bookings.counts import REASONS, counts_of, side_of, words_of
from ..bookings.photos import kept_of, photo_for
from ..bookings.states import State
from ..tables import transport_event
from ..trips.trips import trip_by_id
from .week import partners_by_id, transport_url

_SHOWN_IN: dict[Step, frozenset[State]] = {
    "pick_up": frozenset({"confirmed"}),
    "deliver": frozenset({"confirmed", "picked_up"}),
}


@dataclass(frozen=True)
class ShownCode:
    """picture: a QR code as a data URI; short: what a driver types who cannot scan it"""

    picture: str
    short: str


@dataclass(frozen=True)
class Reported:
    """What a driver has reported of a load, and what proves it."""

    row: Row
    proof: Proof


def load_page(visit: Visit, shop: Enterprise) -> Screen:
    """Raises `NotFound` for who neither sends nor receives it."""
    with visit.read() as tx:
        booking = find_booking(tx, visit.path["booking"])
        if booking is None or shop.id not in (booking.sender_id, booking.receiver_id):
            raise NotFound
        trip = trip_by_id(tx, booking.trip_id)
        names = partners_by_id(tx, visit, {trip.enterprise_id, booking.sender_id, booking.receiver_id})
        codes = codes_of(tx, [booking.id])
        happened = reports_of(tx, booking, codes)
        counts = counts_of(tx, [(booking, trip.enterprise_id)]).get(booking.id)
        words = words_of(tx, [booking.id])
        can_count = booking.delivery_at > tx.now - SHOWN
        photos = {digest for _, digest in kept_of(tx, [booking.id])}
    step: Step = "pick_up" if shop.id == booking.sender_id else "deliver"
    context = {
        "booking": booking,
        "trip": trip,
        "sender": names[booking.sender_id],
        "receiver": names[booking.receiver_id],
        "carrier": names[trip.enterprise_id],
        "step": step,
        "code": shown_code(booking, codes, step),
        "happened": happened,
        "counts": counts,
        "words_said": words,
        "photos": photos,
        "reasons": REASONS,
        "can_count": can_count,
        "enterprises": names,
        "side": side_of(booking, trip.enterprise_id, shop.id),
        "home": transport_url(shop.id),
        "zone": shop.timezone,
    }
    return Screen(template="transport/load.html", context=context)


def photo_file(visit: Visit, shop: Enterprise) -> Response:
    """A photograph, for the sides of its booking. Raises `NotFound`."""
    with visit.read() as tx:
        content = photo_for(tx, shop.id, visit.path["booking"], visit.path["digest"])
    return Response(content, media_type="image/webp", headers={"Cache-Control": "no-store"})


def shown_code(booking: Booking, codes: Codes, step: Step) -> ShownCode | None:
    """The code of one end of the way, while it can still be of use there."""
    code: Code | None = codes.get(booking.id, {}).get(step)
    if code is None or code.secret is None or booking.state not in _SHOWN_IN[step]:
        return None
    picture = segno.make_qr(f"{SCANNED}{code.secret}", error="m").svg_data_uri(scale=5, border=4, light="white")
    return ShownCode(picture, code.short)


def reports_of(tx: Transaction, booking: Booking, codes: Codes) -> list[Reported]:
    """What has happened to a booking, the first event first; at most 50."""
    event = transport_event.c
    query = select(transport_event).where(event.booking_id == booking.id).order_by(event.at, event.id).limit(50)
    return [Reported(row, proof_of(codes, booking.id, row["event"], row["code"])) for row in tx.all(query)]
