"""Photographs of a hand-over for the homes of sender and receiver, by a signed request; no message has more than their
digests."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from msgspec import Meta
from sqlalchemy import select

from commensal import Instance, NotFound, Transaction
from commensal_federation.messaging import (
    Federation,
    Peer,
    PeerDocument,
    Unreachable,
    Unreadable,
    federation_of,
    fetch_document,
    homes_of,
    peer_by_id,
)

from ..bookings.bookings import find_booking
from ..bookings.photos import KEPT, LARGEST, MOST, digests_of, keep_photo, kept_of, read_photo
from ..news import ask_contacts
from ..tables import transport_booking, transport_event, transport_photo, transport_trip
from ..trips.needs import ID
from ..trips.trips import trip_by_id
from .codec import read_answer
from .names import booking_named, iri_of
from .sending import SCOPE

LARGEST_DOCUMENT = LARGEST * 4 // 3 + 1_000  # bytes, in base 64
ASKED = 2 * KEPT  # after the booking, they are not asked for any more, whatever a carrier says of its time
AT_ONCE = 100  # bookings whose photographs are asked for by one run
_BETWEEN = "/photos/"  # the booking's IRI and the digest

_booking, _event, _photo, _trip = transport_booking.c, transport_event.c, transport_photo.c, transport_trip.c


def write_photo(federation: Federation, tx: Transaction, peer: Peer, about: str) -> dict[str, object]:
    """A photograph of goods on a trip of ours that an enterprise of this peer sends or receives. Raises `NotFound`."""
    iri, _, digest = about.rpartition(_BETWEEN)
    booking = booking_named(federation, tx, iri)
    if booking is None or trip_by_id(tx, booking.trip_id).peer_id is not None:
        raise NotFound
    homes = homes_of(federation, tx, {booking.sender_id, booking.receiver_id})
    if peer.id not in {home.peer_id for home in homes.values()}:
        raise NotFound
    return {"about": about, "picture": b64encode(read_photo(tx, booking.id, digest)).decode()}


PHOTO = f"{ID}.Photo"
DOCUMENT = PeerDocument(scope=SCOPE, write=write_photo)


@dataclass(frozen=True)
class _PhotoDocument:
    about: str
    picture: Annotated[str, Meta(max_length=LARGEST_DOCUMENT)]


def ask_missing(instance: Instance) -> None:
    """Has the photographs fetched that carriers elsewhere have told of, where they are missing."""
    pictures = select(_photo.digest).where(_photo.booking_id == _event.booking_id, _photo.digest == _event.photo)
    with instance.store.write() as tx:
        query = select(_event.booking_id).join(transport_booking, _booking.id == _event.booking_id)
        query = query.join(transport_trip, _trip.id == _booking.trip_id)
        query = query.where(_trip.peer_id.is_not(None), _event.photo.is_not(None), _booking.booked_at > tx.now - ASKED)
        for row in tx.all(query.where(~pictures.exists()).distinct().limit(AT_ONCE)):
            ask_contacts(tx, row["booking_id"])


def fetch_photos(instance: Instance, booking_id: str) -> None:
    """Asks the carrier's home. If it cannot be reached, or answers something else, `ask_missing` asks it again."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        booking = find_booking(tx, booking_id)
        trip = trip_by_id(tx, booking.trip_id) if booking is not None else None
        if booking is None or trip is None or trip.peer_id is None:
            return
        peer = peer_by_id(tx, trip.peer_id)
        here = {digest for _, digest in kept_of(tx, [booking_id])}
        missing = sorted(digests_of(tx, booking_id) - here)[: MOST - len(here)]
    iri = booking.iri or iri_of(federation, "bookings", booking.id)
    for digest in missing:
        about = f"{iri}{_BETWEEN}{digest}"
        try:
            document = fetch_document(federation, peer, PHOTO, about, largest=LARGEST_DOCUMENT)
        except (Unreachable, Unreadable):
            return
        content = read_photo_document(document, about)
        if content is not None:
            with instance.store.write() as tx:
                keep_photo(tx, booking.id, content)


def read_photo_document(document: object, about: str) -> bytes | None:
    """The picture of this name, if it has the digest by which it is named; else None."""
    answer = read_answer(document, _PhotoDocument)
    try:
        content = b64decode(answer.picture, validate=True) if answer is not None and answer.about == about else None
    except Error:
        return None
    fits = content is not None and sha256(content).hexdigest() == about.rpartition(_BETWEEN)[2]
    return content if fits else None
