"""E-mails about bookings: the carrier reads who has booked or cancelled, and all others that a trip is called off.

Whoever lives at another instance is told by that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from commensal import Transaction, enterprises_by_id, format_moment, mail_enterprise

from ..trips.trips import Trip
from .bookings import Booking

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
