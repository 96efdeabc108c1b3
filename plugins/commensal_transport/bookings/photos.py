"""Photographs at a hand-over, such as of damage: a driver adds them, the carrier's instance keeps them for a month.

An event has the SHA-256 of the picture; the picture itself is for the sides of the booking alone. Metadata, such as
where it was taken, is not kept: each picture is encoded anew.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import func, insert, select

from commensal import Conflict, NotFound, Transaction, read_text
from commensal.parts.pictures import Picture

from ..news import tell_others
from ..tables import transport_event, transport_photo
from ..trips.trips import locked_trip, trip_by_id
from .bookings import booking_by_id, find_booking

MOST = 6  # of a booking
LARGEST = 700 * 1024  # bytes of a picture; of a larger one its thumbnail is kept
KEPT = timedelta(days=30)  # `forgetting` deletes them then; their digests stay with the events
PROVES = ("pick_up", "deliver")  # events with which it can be kept

_event, _photo = transport_event.c, transport_photo.c


def add_photo(tx: Transaction, carrier_id: str, trip_id: str, booking_id: str, picture: Picture, note: str = "") -> str:
    """Writes a photograph down with the newest hand-over of a booking; returns its digest. The same one counts once.

    Raises `NotFound` for a trip of others, `Conflict` if nothing was handed over yet, or after six of them, `Invalid`.
    """
    trip = locked_trip(tx, trip_id, carrier_id)
    booking = booking_by_id(tx, booking_id)
    if booking.trip_id != trip.id or trip.peer_id is not None:
        raise NotFound
    handed_over = (_event.booking_id == booking.id, _event.event.in_(PROVES), _event.by_id == carrier_id)
    last = tx.first(select(transport_event).where(*handed_over).order_by(_event.at.desc(), _event.id.desc()).limit(1))
    if last is None:
        raise Conflict("state", "Note first that the goods were loaded or unloaded; the photograph stands with it.")
    content = picture.content if len(picture.content) <= LARGEST else picture.thumbnail
    digest = sha256(content).hexdigest()
    if digest in digests_of(tx, booking.id):
        return digest
    if len(digests_of(tx, booking.id)) >= MOST:
        raise Conflict("too_many", "A load has at most {most} photographs.", most=MOST)
    keep_photo(tx, booking.id, content)
    row = {name: last[name] for name in ("booking_id", "event", "by_id", "crates", "celsius")}
    row |= {"id": tx.new_id(), "at": tx.now, "photo": digest, "note": read_text(note, "/note", [], most=500)}
    tx.execute(insert(transport_event).values(row))
    tell_others(tx, trip=trip.id)
    return digest


def keep_photo(tx: Transaction, booking_id: str, content: bytes) -> None:
    """Keeps a picture of a booking, once."""
    digest = sha256(content).hexdigest()
    about = (_photo.booking_id == booking_id, _photo.digest == digest)
    if tx.value(select(func.count()).where(*about)) == 0:
        row = {"booking_id": booking_id, "digest": digest, "content": b64encode(content).decode(), "kept_at": tx.now}
        tx.execute(insert(transport_photo).values(row))


def digests_of(tx: Transaction, booking_id: str) -> set[str]:
    """The digests of the photographs of a booking that were reported."""
    query = select(_event.photo).where(_event.booking_id == booking_id, _event.photo.is_not(None))
    return {row["photo"] for row in tx.all(query)}


def kept_of(tx: Transaction, booking_ids: Collection[str]) -> set[tuple[str, str]]:
    """Bookings and digests of the photographs that can be looked at here."""
    query = select(_photo.booking_id, _photo.digest).where(_photo.booking_id.in_(booking_ids))
    return {(row["booking_id"], row["digest"]) for row in tx.all(query)} if booking_ids else set()


def photo_for(tx: Transaction, enterprise_id: str, booking_id: str, digest: str) -> bytes:
    """The WebP file, for the sides of its booking. Raises `NotFound`."""
    booking = find_booking(tx, booking_id)
    if booking is None:
        raise NotFound
    if enterprise_id not in (booking.sender_id, booking.receiver_id, trip_by_id(tx, booking.trip_id).enterprise_id):
        raise NotFound
    return read_photo(tx, booking_id, digest)


def read_photo(tx: Transaction, booking_id: str, digest: str) -> bytes:
    """The WebP file. Checks no permission. Raises `NotFound`."""
    about = (_photo.booking_id == booking_id, _photo.digest == digest)
    return b64decode(tx.one(select(_photo.content).where(*about))["content"])
