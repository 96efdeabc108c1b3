"""The homes of senders and receivers: copies of trips elsewhere, what they cost, and what becomes of bookings there.

A copy is changed by its home alone, and by its newest word.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import func, insert, select, update

from commensal import Conflict, Transaction, enqueue
from commensal_federation.messaging import (
    Failed,
    Federation,
    Peer,
    Received,
    Refuse,
    copy_of_partner,
    enterprise_at,
    homes_of,
    peers,
    refuse_over_quota,
)

from ..bookings.bookings import Booking, booking_by_id, booking_by_iri, carried_by, find_booking, report
from ..bookings.counts import counts_of, tell_of_difference
from ..bookings.mails import tell
from ..bookings.states import ACTIVE, LOADED, State
from ..costs.cost_rules import known_rules
from ..news import ASK, ask_contacts, tell_others
from ..places.loads import room_taken
from ..tables import transport_booking, transport_event, transport_quote, transport_trip, transport_vehicle
from ..trips.needs import ID
from ..trips.trips import Trip, find_trip, trip_by_id, trip_by_iri
from .bodies import BookingOrder, BookingState, Happening, OfferedTrip, QuoteAnswer, QuoteRequest, TripOffer
from .names import own_id, refuse_other_owner

MOST_TRIPS = 1_000  # of a peer that are still to be driven

_trip, _booking, _quote = transport_trip.c, transport_booking.c, transport_quote.c


# ------------------------------------------------------------------------------------------------ trips


def handle_trip_offer(federation: Federation, tx: Transaction, received: Received[TripOffer]) -> None:
    offer = received.body
    if offer.state == "open" and offer.offered.rule not in known_rules(tx, federation.instance.hooks):
        raise Refuse("rule", "Its cost is shared by a rule that is not known here.")
    trip = keep_trip(federation, tx, received.peer, offer.offered)
    if offer.number <= trip.heard:
        return
    values = {name: getattr(offer.offered, name) for name in _TERMS}
    state: str = offer.state
    if state == "withdrawn":  # whoever is aboard stays so
        state = trip.state if _has_guests(tx, trip) else "cancelled"
    tx.execute(update(transport_trip).where(_trip.id == trip.id).values(**values, heard=offer.number, state=state))
    if state == "open":
        enqueue(tx, ASK, {})


_TERMS = (
    "basis",
    "rule",
    "crates",
    "kg",
    "cold",
    "keeping",
    "cents_per_km",
    "toll",
    "stop_price",
    "crate_price",
    "starts_at",
    "ends_at",
    "book_until",
)


def keep_trip(federation: Federation, tx: Transaction, peer: Peer, offered: OfferedTrip) -> Trip:
    """The copy of a trip of this peer, which is made where there was none. Raises `Refuse`."""
    refuse_other_owner(peer, "trips", offered.trip)
    carrier_id = copy_of_partner(federation, tx, peer, offered.carrier, offered.carrier_name)
    trip = trip_by_iri(tx, offered.trip)
    if trip is not None:
        if trip.enterprise_id != carrier_id or trip.peer_id != peer.id:
            raise Refuse("authority", "That trip is another carrier's.")
        return trip
    refuse_over_quota(tx, peer, transport_trip, 1)
    coming = select(func.count()).where(_trip.peer_id == peer.id, _trip.ends_at > tx.now)
    if tx.value(coming) >= MOST_TRIPS:
        raise Refuse("too_many", f"More than {MOST_TRIPS} trips to come would be kept of you.")
    terms: dict[str, object] = {name: getattr(offered, name) for name in _TERMS}
    vehicle = {name: terms[name] for name in ("crates", "kg", "cold", "keeping", "cents_per_km")}
    vehicle |= {"id": tx.new_id(), "enterprise_id": carrier_id, "name": "-", "archived_at": tx.now, "version": 1}
    tx.execute(insert(transport_vehicle).values(vehicle))
    row = {"id": tx.new_id(), "enterprise_id": carrier_id, "vehicle_id": vehicle["id"], "proof": "", "state": "open"}
    row |= {"version": 1, "peer_id": peer.id, "iri": offered.trip, "heard": 0, **terms}
    tx.execute(insert(transport_trip).values(row))
    return trip_by_id(tx, str(row["id"]))


def _has_guests(tx: Transaction, trip: Trip) -> bool:
    aboard = select(_booking.id).where(_booking.trip_id == trip.id, _booking.state.in_(ACTIVE))
    return tx.first(aboard) is not None


# ------------------------------------------------------------------------------------------------ prices


def handle_quote_answer(federation: Federation, tx: Transaction, received: Received[QuoteAnswer]) -> None:
    answer = received.body
    row = _own_quote(federation, tx, answer.quote, received.peer.id)
    if row is None:
        raise Refuse("quote", "You were not asked that.")
    if answer.number != row["number"]:
        return  # the answer to an older question
    values = {name: getattr(answer, name) for name in ("code", "price", "alone", "pickup_at", "delivery_at")}
    tx.execute(update(transport_quote).where(_quote.id == row["id"]).values(**values, answered_at=tx.now))


def take_refused_request(federation: Federation, tx: Transaction, failed: Failed[QuoteRequest]) -> None:
    row = _own_quote(federation, tx, failed.body.quote, failed.peer.id)
    if row is not None and row["number"] == failed.body.number:
        refused = update(transport_quote).where(_quote.id == row["id"])
        tx.execute(refused.values(code=failed.code[:40] or "gone", answered_at=tx.now))


def _own_quote(federation: Federation, tx: Transaction, iri: str, peer_id: str) -> Any:
    """The question of ours with this name, if this peer was asked."""
    id = own_id(federation, "quotes", iri)
    row = tx.first(select(transport_quote).where(_quote.id == id)) if id is not None else None
    trip = find_trip(tx, row["trip_id"]) if row is not None else None
    return row if trip is not None and trip.peer_id == peer_id else None


# ------------------------------------------------------------------------------------------------ bookings


def handle_booking_state(federation: Federation, tx: Transaction, received: Received[BookingState]) -> None:
    message, peer = received.body, received.peer
    if message.state == "ordered":
        raise Refuse("state", "Only the sender's home says that something is ordered.")
    trip = keep_trip(federation, tx, peer, message.offered)
    own = own_id(federation, "bookings", message.booking)
    booking = find_booking(tx, own) if own is not None else booking_by_iri(tx, message.booking)
    if (booking is not None and booking.trip_id != trip.id) or (booking is None and own is not None):
        raise Refuse("booking", "There is no such booking of your trip.")
    if booking is None:
        booking = _new_copy(federation, tx, peer, trip, message)
    elif message.number <= booking.heard:
        return
    elif own is not None:
        booking = _own_changed(tx, booking, message)
    else:
        tx.execute(_edit(booking).values(state=message.state, **_facts(message)))
    _keep_events(tx, trip, booking, message.events)
    _tell_people(tx, trip, booking, booking_by_id(tx, booking.id))


def _own_changed(tx: Transaction, booking: Booking, message: BookingState) -> Booking:
    """Takes what the carrier says of a booking that was made here, unless it does not know our newest word yet."""
    if message.state != "refused" and (message.cap is None or booking.cap is None or message.cap > booking.cap):
        raise Refuse("price", "That is more than was agreed.")
    if message.answers < booking.number:
        tx.execute(_edit(booking).values(heard=message.number))
        return booking
    state: State = message.state
    if state in ACTIVE and booking.state not in ACTIVE:
        other = carried_by(tx, booking)  # what has come so late that the goods travel with another booking meanwhile
        if other is not None and not (state in LOADED and _call_off(tx, other)):
            return _stay_cancelled(tx, booking, message)
    values = _facts(message) if state != "refused" else {"heard": message.number, "reason": message.reason}
    tx.execute(_edit(booking).values(state=state, **values))
    return booking


def _call_off(tx: Transaction, booking: Booking) -> bool:
    """Cancels a booking whose goods another van has loaded; False if this one's van has loaded them too."""
    try:
        report(tx, booking.sender_id, booking.id, "cancel")
    except Conflict:
        return False
    return True


def _stay_cancelled(tx: Transaction, booking: Booking, message: BookingState) -> Booking:
    """Tells the carrier that it carries nothing, but only once: a carrier who insists after a cancellation claims goods
    that another booking carries. Their people see that from the statement, which differs here."""
    if booking.state in ("cancelled_free", "cancelled_late"):
        tx.execute(_edit(booking).values(**_facts(message)))
        return booking
    tx.execute(_edit(booking).values(state="cancelled_late", number=booking.number + 1, **_facts(message)))
    tell_others(tx, booking=booking.id)
    return booking


def _facts(message: BookingState) -> dict[str, object]:
    return {
        "heard": message.number,
        "reason": message.reason,
        "pickup_at": message.pickup_at,
        "delivery_at": message.delivery_at,
        "alone": max(message.alone, message.cap or 0),
        "cap": message.cap,
    }


def _edit(booking: Booking) -> Any:
    return update(transport_booking).where(_booking.id == booking.id)


def _new_copy(federation: Federation, tx: Transaction, peer: Peer, trip: Trip, message: BookingState) -> Booking:
    """A booking of others whose goods a hub here receives."""
    receiver_id = enterprise_at(federation, tx, message.receiver)
    if receiver_id is None or homes_of(federation, tx, [receiver_id])[receiver_id].peer_id is not None:
        raise Refuse("receiver", "That receiver does not live here.")
    refuse_other_owner(
        peer if message.sender.startswith(f"{peer.base}/") else _home(tx, message), "bookings", message.booking
    )
    sender_id = enterprise_at(federation, tx, message.sender)
    if sender_id is None:
        sender_id = copy_of_partner(federation, tx, _home(tx, message), message.sender, message.sender_name)
    room = room_taken(message.crates, message.kg, message.keeping, own_boxes=message.own_boxes)
    values: dict[str, Any] = {
        "id": tx.new_id(),
        "trip_id": trip.id,
        "sender_id": sender_id,
        "receiver_id": receiver_id,
        "origin": ID,
        "sale_id": message.booking,
        "iri": message.booking,
        "number": 0,
        "crates": message.crates,
        "kg": message.kg,
        "cold": room.cold,
        "keeping": message.keeping,
        "own_boxes": message.own_boxes,
        "room_crates": room.crates,
        "pickup_id": None,
        "delivery_id": None,
        "tariff": 0,
        "state": message.state,
        "booked_at": tx.now,
        "version": 1,
        **_facts(message),
    }
    tx.execute(insert(transport_booking).values(values))
    return booking_by_id(tx, values["id"])


def _home(tx: Transaction, message: BookingState) -> Peer:
    """The instance at which the sender of a booking lives. Raises `Refuse` for one that is not a peer."""
    for peer in peers(tx):
        if peer.active and message.sender.startswith(f"{peer.base}/"):
            return peer
    raise Refuse("sender", "The home of that sender is not a partner of this instance.")


def _keep_events(tx: Transaction, trip: Trip, booking: Booking, events: tuple[Happening, ...]) -> None:
    """Adds the carrier's events that have not been told before; none is changed."""
    event = transport_event.c
    known = select(func.count()).where(event.booking_id == booking.id, event.by_id == trip.enterprise_id)
    for happening in events[tx.value(known) :]:
        row = {field.name: getattr(happening, field.name) for field in fields(happening)}
        about = {"id": tx.new_id(), "booking_id": booking.id, "by_id": trip.enterprise_id, "note": ""}
        tx.execute(insert(transport_event).values(**row, **about))
        if happening.photo is not None:
            ask_contacts(tx, booking.id)


def _tell_people(tx: Transaction, trip: Trip, before: Booking, booking: Booking) -> None:
    if booking.state == "confirmed":
        ask_contacts(tx, booking.id)
    if before.state == "ordered" and booking.state in ("confirmed", "refused"):
        tell(tx, "confirmed" if booking.state == "confirmed" else "refused", trip, [booking])
    if before.state in ACTIVE and booking.state == "cancelled_by_carrier":
        tell(tx, "called_off", trip, [booking])
    if before.state != "delivered" and booking.state == "delivered":
        tell_of_difference(tx, trip, booking, "same", counts_of(tx, [(booking, trip.enterprise_id)])[booking.id])


def take_refused_order(federation: Federation, tx: Transaction, failed: Failed[BookingOrder]) -> None:
    """An order that its home did not take at all is refused."""
    id = own_id(federation, "bookings", failed.body.booking)
    booking = find_booking(tx, id) if id is not None else None
    if booking is not None and booking.state == "ordered" and booking.number == failed.body.number:
        tx.execute(_edit(booking).values(state="refused", reason=failed.code[:40]))
        _tell_people(tx, trip_by_id(tx, booking.trip_id), booking, booking_by_id(tx, booking.id))
