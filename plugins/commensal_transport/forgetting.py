"""Forgets contacts whose time is over; and copies of trips elsewhere with which nobody here rode, and their prices, so
that no peer fills tables."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_, select

from commensal import Problem, Transaction, hookimpl

from .bookings.states import HOLDS_ROOM, MEET, REACHABLE
from .tables import (
    transport_booking,
    transport_contact,
    transport_photo,
    transport_plan,
    transport_proposal,
    transport_quote,
    transport_sent,
    transport_series,
    transport_trip,
    transport_vehicle,
)

AFTER = timedelta(days=30)  # the end of the trip
AT_ONCE = 1_000  # trips in a transaction

_trip, _booking = transport_trip.c, transport_booking.c


def forget_contacts(tx: Transaction) -> None:
    """Deletes contacts of other instances whose booking has ended, or whose trip ended two days ago."""
    trips = select(_trip.id).where(_trip.ends_at > tx.now - REACHABLE)
    meeting = select(_booking.id).where(_booking.state.in_(MEET), _booking.trip_id.in_(trips))
    tx.execute(delete(transport_contact).where(transport_contact.c.booking_id.not_in(meeting)))


def forget_old(tx: Transaction) -> None:
    """Deletes prices of trips that are over, copies of these trips where no booking names them, plans, and pictures."""
    tx.execute(delete(transport_photo).where(transport_photo.c.kept_at < tx.now - AFTER))
    over = select(_trip.id).where(_trip.peer_id.is_not(None), _trip.ends_at < tx.now - AFTER)
    tx.execute(delete(transport_quote).where(transport_quote.c.trip_id.in_(over)))
    booked = select(_booking.id).where(_booking.trip_id == _trip.id)
    query = select(_trip.id, _trip.vehicle_id).where(_trip.id.in_(over), ~booked.exists())
    rows = tx.all(query.order_by(_trip.ends_at).limit(AT_ONCE))
    ids, vehicles = [row["id"] for row in rows], [row["vehicle_id"] for row in rows]
    tx.execute(delete(transport_trip).where(_trip.id.in_(ids)))
    tx.execute(delete(transport_vehicle).where(transport_vehicle.c.id.in_(vehicles)))
    old_plans = select(transport_plan.c.id).where(transport_plan.c.asked_at < tx.now - AFTER)
    tx.execute(delete(transport_proposal).where(transport_proposal.c.plan_id.in_(old_plans)))
    tx.execute(delete(transport_plan).where(transport_plan.c.asked_at < tx.now - AFTER))
    ended = select(_trip.id).where(_trip.peer_id.is_(None), _trip.ends_at < tx.now - AFTER)
    offers = transport_sent.c.type == "transport.TripOffer"
    tx.execute(delete(transport_sent).where(offers, transport_sent.c.subject.in_(ended)))


# An enterprise moves to another instance when none of its trips and bookings is under way.
#
# The old home is the only writer of room of its carriers' trips, and answers for its senders' goods; after a move
# nobody there could cancel, drive or settle them.

_series = transport_series.c


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
