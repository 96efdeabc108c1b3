"""An enterprise moves to another instance when none of its trips and bookings is under way.

The old home is the only writer of room of its carriers' trips, and answers for its senders' goods; after a move nobody
there could cancel, drive or settle them.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from commensal import Problem, Transaction, hookimpl

from .states import HOLDS_ROOM
from .tables import transport_booking, transport_trip

_trip, _booking = transport_trip.c, transport_booking.c


@hookimpl
def move_obstacles(tx: Transaction, enterprise_id: str) -> Problem | None:
    driving = select(_trip.id).where(_trip.enterprise_id == enterprise_id, _trip.state == "open")
    takes_part = or_(_booking.sender_id == enterprise_id, _booking.receiver_id == enterprise_id)
    riding = select(_booking.id).where(takes_part, _booking.state.in_({"ordered", *HOLDS_ROOM}))
    if tx.first(driving.limit(1)) is None and tx.first(riding.limit(1)) is None:
        return None
    text = "It has trips or bookings that are under way: end them under Transport, or cancel them, before it moves."
    return Problem("open_bookings", text)
