"""E-mails about bookings: the carrier reads who has booked or cancelled, and all others that a trip is called off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from commensal import Transaction, enterprises_by_id, format_moment, mail_enterprise

from .bookings import Booking
from .trips import Trip

News = Literal["booked", "cancelled", "called_off"]


def tell(tx: Transaction, news: News, trip: Trip, bookings: Sequence[Booking]) -> None:
    """Promises an e-mail about each of these bookings to whoever has not caused the news. Own goods need none."""
    guests = [booking for booking in bookings if not booking.is_own]
    named = (
        {trip.enterprise_id} | {booking.sender_id for booking in guests} | {booking.receiver_id for booking in guests}
    )
    enterprises = enterprises_by_id(tx, named)
    for booking in guests:
        readers = {booking.sender_id, booking.receiver_id} if news == "called_off" else {trip.enterprise_id}
        for reader_id in sorted(readers - ({trip.enterprise_id} if news == "called_off" else set())):
            reader = enterprises[reader_id]
            values = {
                "news": news, "carrier": enterprises[trip.enterprise_id].name, "reader_id": reader_id,
                "sender": enterprises[booking.sender_id].name, "receiver": enterprises[booking.receiver_id].name,
                "crates": booking.crates, "kg": booking.kg, "trip_id": trip.id,
                "at": format_moment(booking.pickup_at, reader.timezone, reader.language),
            }  # fmt: skip
            mail_enterprise(tx, reader_id, "transport_news", values)
