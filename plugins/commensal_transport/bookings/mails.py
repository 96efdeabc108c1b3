"""E-mails about bookings: the carrier reads who has booked or cancelled, and all others that a trip is called off.

Whoever lives at another instance is told by that one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from commensal import (
    Enterprise,
    Hooks,
    NotFound,
    Transaction,
    enterprises_by_id,
    format_moment,
    mail_enterprise,
    plugin_settings,
)

from ..settings import Settings
from ..tables import transport_contact
from ..trips.needs import ID
from ..trips.trips import Trip
from .bookings import Booking
from .states import MEET, REACHABLE

News = Literal["booked", "cancelled", "called_off", "confirmed", "refused", "differs", "counts"]


def tell(tx: Transaction, news: News, trip: Trip, bookings: Sequence[Booking]) -> None:
    """Enqueues an e-mail about each of these bookings to whoever has not caused the news. Own goods need none, unless
    their receiver counts otherwise."""
    guests = [booking for booking in bookings if not booking.is_own or news == "counts"]
    readers = {booking.id: _readers(news, trip, booking) for booking in guests}
    named = {trip.enterprise_id} | {id for booking in guests for id in (booking.sender_id, booking.receiver_id)}
    enterprises = enterprises_by_id(tx, named)
    for booking in guests:
        for reader_id in sorted(readers[booking.id]):
            reader = enterprises[reader_id]
            values = {
                "news": news,
                "carrier": enterprises[trip.enterprise_id].name,
                "reader_id": reader_id,
                "sender": enterprises[booking.sender_id].name,
                "receiver": enterprises[booking.receiver_id].name,
                "crates": booking.crates,
                "kg": booking.kg,
                "page": f"transport/trips/{trip.id}"
                if reader_id == trip.enterprise_id and news != "counts"
                else "transport",
                "at": format_moment(booking.pickup_at, reader.timezone, reader.language),
            }
            cause = booking.sender_id if news in ("booked", "cancelled") else trip.enterprise_id
            mail_enterprise(tx, reader_id, "transport_news", values, caused_by=cause)


def _readers(news: News, trip: Trip, booking: Booking) -> set[str]:
    """Who reads the news. A copy of an enterprise of another instance has no address: its home tells it."""
    match news:
        case "booked" | "cancelled":
            return {trip.enterprise_id}
        case "called_off":
            return {booking.sender_id, booking.receiver_id} - {trip.enterprise_id}
        case "confirmed" | "refused":
            return {booking.sender_id}
        case "counts":
            return {trip.enterprise_id, booking.sender_id, booking.receiver_id}
        case "differs":
            return {trip.enterprise_id, booking.sender_id}


# Whom a driver calls, and how to get in: for the sides of a booking, from its confirmation until two days after.
#
# Contacts of enterprises of other instances are fetched there (`elsewhere.contacts`), and deleted in time.


@dataclass(frozen=True)
class Contact:
    """phone: for the day; access: where to ring, the code of the gate. Each may be empty."""

    phone: str
    access: str


def may_meet(booking: Booking, trip: Trip, now: datetime) -> bool:
    """Whether the sides of a booking may read each other's contacts now."""
    return booking.state in MEET and now < trip.ends_at + REACHABLE


def contacts_of(
    tx: Transaction, hooks: Hooks, met: Mapping[str, Collection[str]], enterprises: Mapping[str, Enterprise]
) -> dict[str, Contact]:
    """The contacts of the enterprises `met`, each by the ids of the bookings in which the reader meets it now.

    An enterprise without any is left out. Takes a statement for each enterprise of this instance.
    """
    elsewhere = _told(tx, {id for bookings in met.values() for id in bookings})
    contacts = {
        id: elsewhere.get(id) or own_contact(tx, hooks, enterprises[id]) for id, bookings in met.items() if bookings
    }
    return {id: contact for id, contact in contacts.items() if contact.phone or contact.access}


def own_contact(tx: Transaction, hooks: Hooks, enterprise: Enterprise) -> Contact:
    """What an enterprise of this instance lets those read whom it meets."""
    try:
        settings = plugin_settings(tx, hooks, enterprise.id, ID, Settings)
    except NotFound:  # it does not use the plugin
        return Contact(enterprise.phone, "")
    return Contact(settings.phone.strip() or enterprise.phone, settings.access.strip())


def _told(tx: Transaction, booking_ids: Collection[str]) -> dict[str, Contact]:
    contact = transport_contact.c
    query = select(transport_contact).where(contact.booking_id.in_(booking_ids), contact.answered_at.is_not(None))
    rows = tx.all(query.order_by(contact.answered_at)) if booking_ids else ()
    return {row["enterprise_id"]: Contact(row["phone"], row["access"]) for row in rows}
