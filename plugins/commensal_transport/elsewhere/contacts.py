"""Telephone numbers and gate codes between instances: fetched by a signed request, and in no message.

A home gives the contacts of its own enterprises alone: those of a sender and a receiver to the carrier's home, those of
the carrier to both. It gives them from the confirmation of a booking until two days after the trip; then this instance
deletes what it has fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, or_, select, update

from commensal import Instance, NotFound, Transaction, enterprises_by_id
from commensal_federation.messaging import (
    Federation,
    Home,
    Peer,
    PeerDocument,
    Unreachable,
    Unreadable,
    enterprise_at,
    federation_of,
    fetch_document,
    homes_of,
    peer_by_id,
)

from ..bookings.bookings import Booking, booking_by_id, find_booking
from ..bookings.mails import may_meet, own_contact
from ..bookings.states import MEET, REACHABLE
from ..news import ask_contacts
from ..settings import LONGEST
from ..tables import transport_booking, transport_contact, transport_trip
from ..trips.needs import ID
from ..trips.trips import Trip, trip_by_id
from .codec import read_answer
from .names import booking_named, iri_of
from .sending import SCOPE

FRESH = timedelta(hours=6)  # then they are asked for again, since numbers change
AGAIN = timedelta(minutes=10)  # after a home has given none, or could not be reached
AT_ONCE = 500  # bookings whose contacts are asked for by one run

_booking, _trip, _contact = transport_booking.c, transport_trip.c, transport_contact.c


# ------------------------------------------------------------------------------------------------ giving


def write_contact(federation: Federation, tx: Transaction, peer: Peer, about: str) -> dict[str, object]:
    """The contacts of enterprises of ours that this peer's side of the booking meets. Raises `NotFound`."""
    booking = booking_named(federation, tx, about)
    if booking is None:
        raise NotFound
    trip = trip_by_id(tx, booking.trip_id)
    homes = _homes(federation, tx, booking, trip)
    ours = [id for id in _met_by(peer.id, booking, trip, homes) if homes[id].peer_id is None]
    if not ours or not may_meet(booking, trip, tx.now):
        raise NotFound
    enterprises = enterprises_by_id(tx, ours)
    contacts = {id: own_contact(tx, federation.instance.hooks, enterprises[id]) for id in ours}
    return {
        "booking": about,
        "contacts": [
            {"enterprise": homes[id].iri, "phone": contact.phone, "access": contact.access}
            for id, contact in sorted(contacts.items())
        ],
    }


CONTACTS = f"{ID}.Contacts"
DOCUMENT = PeerDocument(scope=SCOPE, write=write_contact)


def _homes(federation: Federation, tx: Transaction, booking: Booking, trip: Trip) -> Mapping[str, Home]:
    return homes_of(federation, tx, {trip.enterprise_id, booking.sender_id, booking.receiver_id})


def _met_by(home: str | None, booking: Booking, trip: Trip, homes: Mapping[str, Home]) -> set[str]:
    """The sides that those who live at `home` meet: the driver meets the two others, and these meet the driver."""
    carrier, others = trip.enterprise_id, {booking.sender_id, booking.receiver_id} - {trip.enterprise_id}
    met = set(others) if homes[carrier].peer_id == home else set()
    return met | ({carrier} if any(homes[id].peer_id == home for id in others) else set())


# ------------------------------------------------------------------------------------------------ fetching


@dataclass(frozen=True)
class _Contact:
    enterprise: str
    phone: str
    access: str


@dataclass(frozen=True)
class _Contacts:
    booking: str
    contacts: list[_Contact]


def ask_due(instance: Instance) -> None:
    """Has the contacts of bookings to come fetched, where they are missing or old."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        query = select(_booking.id).join(transport_trip, _trip.id == _booking.trip_id)
        query = query.where(_booking.state.in_(MEET), _trip.ends_at > tx.now - REACHABLE)
        recent = select(_contact.booking_id).where(
            or_(_contact.asked_at > tx.now - AGAIN, _contact.answered_at > tx.now - FRESH),
            _contact.booking_id == _booking.id,
        )
        rows = tx.all(query.where(~recent.exists()).order_by(_trip.starts_at, _booking.id).limit(AT_ONCE))
        for row in rows:
            if _elsewhere(federation, tx, booking_by_id(tx, row["id"])):
                ask_contacts(tx, row["id"])


def fetch_contacts(instance: Instance, booking_id: str) -> None:
    """Asks the homes of the other sides. One that cannot be reached, or answers something else, is asked again by
    `ask_due`, and does not keep this instance from asking the next."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        booking = find_booking(tx, booking_id)
        sides = _elsewhere(federation, tx, booking) if booking is not None else {}
        for enterprise_id in sorted(sides):
            _note_asked(tx, booking_id, enterprise_id)
        peers = {peer_id: peer_by_id(tx, peer_id) for peer_id in sorted(set(sides.values()))}
    if booking is None:
        return
    iri = booking.iri or iri_of(federation, "bookings", booking.id)
    for peer in peers.values():
        try:
            document = fetch_document(federation, peer, CONTACTS, iri)
        except (Unreachable, Unreadable):
            continue
        theirs = {enterprise_id for enterprise_id, peer_id in sides.items() if peer_id == peer.id}
        with instance.store.write() as tx:
            _keep(federation, tx, booking.id, theirs, read_contacts(document, iri))


def _elsewhere(federation: Federation, tx: Transaction, booking: Booking) -> dict[str, str]:
    """The sides that those who live here meet now, and that live elsewhere: by their ids, the ids of their peers."""
    trip = trip_by_id(tx, booking.trip_id)
    if not may_meet(booking, trip, tx.now):
        return {}
    homes = _homes(federation, tx, booking, trip)
    met = {id: homes[id].peer_id for id in _met_by(None, booking, trip, homes)}
    return {id: peer_id for id, peer_id in met.items() if peer_id is not None}


def _note_asked(tx: Transaction, booking_id: str, enterprise_id: str) -> None:
    about = (_contact.booking_id == booking_id, _contact.enterprise_id == enterprise_id)
    if not tx.change(update(transport_contact).where(*about).values(asked_at=tx.now)):
        row = {"booking_id": booking_id, "enterprise_id": enterprise_id, "phone": "", "access": ""}
        tx.execute(insert(transport_contact).values(**row, asked_at=tx.now))


def read_contacts(document: object, iri: str) -> list[_Contact]:
    """What a home has answered about this booking; nothing, if it gives none or answers something else."""
    answer = read_answer(document, _Contacts)
    return answer.contacts[:2] if answer is not None and answer.booking == iri else []


def _keep(federation: Federation, tx: Transaction, booking_id: str, theirs: set[str], contacts: list[_Contact]) -> None:
    """Writes down the contacts of a peer's own sides, and forgets those that it does not give any more."""
    booking = find_booking(tx, booking_id)
    if booking is None or not may_meet(booking, trip_by_id(tx, booking.trip_id), tx.now):
        return
    by_enterprise = {enterprise_at(federation, tx, contact.enterprise): contact for contact in contacts}
    for enterprise_id in sorted(theirs):
        contact = by_enterprise.get(enterprise_id)
        values = {
            "phone": _line(contact.phone) if contact else "",
            "access": _line(contact.access) if contact else "",
            "answered_at": tx.now if contact else None,
        }
        about = (_contact.booking_id == booking_id, _contact.enterprise_id == enterprise_id)
        tx.execute(update(transport_contact).where(*about).values(values))


def _line(text: str) -> str:
    """One short line without characters that a screen obeys."""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST].strip()
