"""Whom a driver calls, and how to get in: for the sides of a booking, from its confirmation until two days after.

Contacts of enterprises of other instances are fetched there (`elsewhere.contacts`), and deleted in time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from commensal import Enterprise, Hooks, NotFound, Transaction, plugin_settings

from ..settings import Settings
from ..tables import transport_contact
from ..trips.needs import ID
from ..trips.trips import Trip
from .bookings import Booking
from .states import MEET, REACHABLE


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
