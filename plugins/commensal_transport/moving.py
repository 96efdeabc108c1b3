"""An enterprise moves to another instance when none of its trips and bookings is under way.

The old home is the only writer of room of its carriers' trips, and answers for its senders' goods; after a move nobody
there could cancel, drive or settle them.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from commensal import Problem, Transaction, hookimpl

from .bookings.states import HOLDS_ROOM
from .tables import transport_booking, transport_series, transport_trip

_trip, _booking, _series = transport_trip.c, transport_booking.c, transport_series.c


@hookimpl
def move_obstacles(tx: Transaction, enterprise_id: str) -> Problem | None:
    driving = select(_trip.id).where(_trip.enterprise_id == enterprise_id, _trip.state == "open")
    takes_part = or_(_booking.sender_id == enterprise_id, _booking.receiver_id == enterprise_id)
    riding = select(_booking.id).where(takes_part, _booking.state.in_({"ordered", *HOLDS_ROOM}))
    coming_back = select(_series.id).where(_series.enterprise_id == enterprise_id, _series.ended_at.is_(None))
    if all(tx.first(query.limit(1)) is None for query in (driving, riding, coming_back)):
        return None
    text = "It has trips or bookings that are under way: end them under Transport, or cancel them, before it moves."
    return Problem("open_bookings", text)
