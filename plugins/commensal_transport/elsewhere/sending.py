"""What this instance tells others about its trips and bookings: whole states, each once until it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select, update

from commensal import NotFound, Transaction, enterprises_by_id, plugin_settings
from commensal_federation.messaging import (
    Federation,
    Home,
    Peer,
    homes_of,
    peer_by_id,
    peers,
    peers_in_trade_with,
    post,
)

from ..bookings.bookings import Booking, booking_by_id, bookings_of_trip
from ..bookings.codes import codes_of
from ..bookings.statements import statement_of
from ..bookings.states import TOOK_PART
from ..settings import Settings
from ..tables import transport_booking, transport_event, transport_sent
from ..trips.needs import ID
from ..trips.trips import Trip, trip_by_id
from .bodies import BookingOrder, BookingState, Happening, OfferedTrip, ReceiverReport, StatementCopy, TripOffer
from .carriages import carriage_of
from .names import iri_of

SCOPE = "transport"
_sent = transport_sent.c


def send(
    federation: Federation, tx: Transaction, peer: Peer, name: str, subject: str, body: Any, *, again: bool = False
) -> None:
    """Posts the body with the next number of its subject, unless the peer has been sent the same; `again`: even then.

    Nothing is sent to an instance that is not a peer any more.
    """
    if peer.state not in ("accepted", "suspended"):
        return
    type_name = f"{ID}.{name}"
    digest = sha256(repr(replace(body, number=1)).encode()).hexdigest()
    about = (_sent.peer_id == peer.id, _sent.type == type_name, _sent.subject == subject)
    before = tx.first(select(transport_sent).where(*about).with_for_update())
    if before is not None and before["digest"] == digest and not again:
        return
    number = before["number"] + 1 if before is not None else 1
    if before is None:
        row = {"peer_id": peer.id, "type": type_name, "subject": subject, "number": number, "digest": digest}
        tx.execute(insert(transport_sent).values(row))
    else:
        tx.execute(update(transport_sent).where(*about).values(number=number, digest=digest))
    post(federation, tx, peer.id, type_name, replace(body, number=number))


# ------------------------------------------------------------------------------------------------ trips


def tell_trip(federation: Federation, tx: Transaction, trip_id: str) -> None:
    """Offers a trip of ours to the peers that may see it, and tells all homes of its bookings what became of them."""
    trip = trip_by_id(tx, trip_id)
    if trip.peer_id is not None:
        return
    offered, sees = offered_trip(federation, tx, trip), audience_of(federation, tx, trip)
    offered_to = {
        row["peer_id"]
        for row in tx.all(select(_sent.peer_id).where(_sent.type == f"{ID}.TripOffer", _sent.subject == trip.id))
    }
    for peer in sharing_peers(tx):
        is_seen = trip.ends_at > tx.now and sees(peer)
        if is_seen or peer.id in offered_to:
            state: Any = trip.state if is_seen or trip.state != "open" else "withdrawn"
            send(federation, tx, peer, "TripOffer", trip.id, TripOffer(number=1, state=state, offered=offered))
    for booking in bookings_of_trip(tx, trip.id):
        tell_booking(federation, tx, trip, booking)
    tell_statement(federation, tx, trip)


def sharing_peers(tx: Transaction) -> list[Peer]:
    """The peers that share transport with this instance: both operators have given the scope."""
    return [peer for peer in peers(tx) if shares_transport(peer)]


def shares_transport(peer: Peer) -> bool:
    return peer.active and SCOPE in peer.scopes_given and SCOPE in peer.scopes_received


def is_seen_by(federation: Federation, tx: Transaction, trip: Trip, peer: Peer) -> bool:
    """Whether this peer's enterprises may ask for a price of this trip."""
    return audience_of(federation, tx, trip)(peer)


def audience_of(federation: Federation, tx: Transaction, trip: Trip) -> Callable[[Peer], bool]:
    """Which peers may see this trip, as its carrier has set it. Reads the settings once, for however many peers."""
    try:
        settings = plugin_settings(tx, federation.instance.hooks, trip.enterprise_id, ID, Settings)
    except NotFound:  # it does not use the plugin any more
        return lambda peer: False
    if settings.offered_to == "nobody" or trip.basis == "own_account":
        return lambda peer: False
    if settings.offered_to == "all_partners":
        return shares_transport
    own = peers_in_trade_with(tx, trip.enterprise_id)
    return lambda peer: peer.id in own and shares_transport(peer)


def offered_trip(federation: Federation, tx: Transaction, trip: Trip) -> OfferedTrip:
    carrier = enterprises_by_id(tx, [trip.enterprise_id])[trip.enterprise_id]
    return OfferedTrip(
        trip=iri_of(federation, "trips", trip.id),
        carrier=homes_of(federation, tx, [carrier.id])[carrier.id].iri,
        carrier_name=carrier.name,
        basis=trip.basis,
        rule=trip.rule,
        crates=trip.crates,
        kg=trip.kg,
        cold=trip.cold,
        keeping=trip.keeping,
        cents_per_km=trip.cents_per_km,
        toll=trip.toll,
        stop_price=trip.stop_price,
        crate_price=trip.crate_price,
        starts_at=trip.starts_at,
        ends_at=trip.ends_at,
        book_until=trip.book_until,
    )


# ------------------------------------------------------------------------------------------------ bookings


def tell_booking(federation: Federation, tx: Transaction, trip: Trip, booking: Booking) -> None:
    """Tells the homes of its sender and its receiver what has become of a booking of a trip of ours.

    The receiver's hears no prices, and nothing of an order that was refused.
    """
    homes = homes_of(federation, tx, {booking.sender_id, booking.receiver_id})
    sender_home, receiver_home = homes[booking.sender_id].peer_id, homes[booking.receiver_id].peer_id
    state = _booking_state(federation, tx, trip, booking, homes)
    if sender_home is not None:
        send(federation, tx, peer_by_id(tx, sender_home), "BookingState", state.booking, state)
    if receiver_home is not None and receiver_home != sender_home and booking.state != "refused":
        unpriced = replace(state, alone=0, cap=None if booking.is_own else 0)
        send(federation, tx, peer_by_id(tx, receiver_home), "BookingState", state.booking, unpriced)


def _booking_state(
    federation: Federation, tx: Transaction, trip: Trip, booking: Booking, homes: Mapping[str, Home]
) -> BookingState:
    names = enterprises_by_id(tx, [booking.sender_id])
    return BookingState(
        number=1,
        answers=booking.number,
        booking=booking.iri or iri_of(federation, "bookings", booking.id),
        state=booking.state,
        reason=booking.reason,
        offered=offered_trip(federation, tx, trip),
        sender=homes[booking.sender_id].iri,
        sender_name=names[booking.sender_id].name,
        receiver=homes[booking.receiver_id].iri,
        crates=booking.crates,
        kg=booking.kg,
        keeping=booking.keeping,
        own_boxes=booking.own_boxes,
        pickup_at=booking.pickup_at,
        delivery_at=booking.delivery_at,
        alone=booking.alone,
        cap=booking.cap,
        events=_happenings(tx, trip, booking),
    )


def _happenings(tx: Transaction, trip: Trip, booking: Booking) -> tuple[Happening, ...]:
    """What the carrier has reported, without its notes: they are for people here, and may name some."""
    event = transport_event.c
    query = select(transport_event).where(event.booking_id == booking.id, event.by_id == trip.enterprise_id)
    return tuple(
        Happening(**{field.name: row[field.name] for field in fields(Happening)})
        for row in tx.all(query.order_by(event.at, event.id).limit(50))
    )


def tell_order(federation: Federation, tx: Transaction, booking_id: str) -> None:
    """Tells the carrier's home what we want of a booking with a trip elsewhere: its sender's order, or that our
    receiver has refused the goods."""
    booking = booking_by_id(tx, booking_id)
    trip = trip_by_id(tx, booking.trip_id)
    if trip.peer_id is None or trip.iri is None:
        return
    homes, peer = homes_of(federation, tx, {booking.sender_id, booking.receiver_id}), peer_by_id(tx, trip.peer_id)
    iri = booking.iri or iri_of(federation, "bookings", booking.id)
    if booking.iri is None and booking.state in ("ordered", "cancelled_free", "cancelled_late"):
        is_ordered = booking.state == "ordered"
        codes = codes_of(tx, [booking.id]).get(booking.id, {}) if is_ordered else {}
        order = BookingOrder(
            number=booking.number,
            booking=iri,
            state="ordered" if is_ordered else "cancelled",
            trip=trip.iri,
            price=booking.cap or 0,
            carriage=carriage_of(federation, tx, booking, homes) if is_ordered else None,
            pickup_digest=codes["pick_up"].digest if codes else None,
            delivery_digest=codes["deliver"].digest if codes else None,
        )
        _send_order(federation, tx, peer, trip, booking, order)
    if homes[booking.receiver_id].peer_id is None and booking.state == "returned":
        report = ReceiverReport(number=1, booking=iri, event="refuse_warm")
        send(federation, tx, peer, "ReceiverReport", iri, report)


def _send_order(
    federation: Federation, tx: Transaction, peer: Peer, trip: Trip, booking: Booking, order: BookingOrder
) -> None:
    """Sends an order under the booking's own number, once; and no cancellation of what was never ordered there.

    It means nothing any more when the trip takes no more bookings; an instance that is not a peer gets none.
    """
    about = (_sent.peer_id == peer.id, _sent.type == f"{ID}.BookingOrder", _sent.subject == booking.id)
    before = tx.value(select(_sent.number).where(*about).with_for_update())
    is_ordered = order.state == "ordered"
    if (before is None and not is_ordered) or (before is not None and before >= order.number):
        return
    if peer.state not in ("accepted", "suspended"):
        if is_ordered:
            refused = update(transport_booking).where(transport_booking.c.id == booking.id)
            tx.execute(refused.values(state="refused", reason="gone"))
        return
    if before is None:
        row = {"peer_id": peer.id, "type": f"{ID}.BookingOrder", "subject": booking.id, "digest": ""}
        tx.execute(insert(transport_sent).values(**row, number=order.number))
    else:
        tx.execute(update(transport_sent).where(*about).values(number=order.number))
    post(federation, tx, peer.id, f"{ID}.BookingOrder", order, expires=trip.book_until if is_ordered else None)


# ------------------------------------------------------------------------------------------------ statements


def tell_statement(federation: Federation, tx: Transaction, trip: Trip) -> None:
    """Sends the statement of a driven trip to the homes of all who took part, each with the shares of its own.

    Nobody else gets it: it names the stops, to a kilometre.
    """
    statement = statement_of(tx, trip.id)
    if statement is None:
        return
    bookings = [booking for booking in bookings_of_trip(tx, trip.id) if booking.state in TOOK_PART]
    enterprise_ids = {id for booking in bookings for id in (booking.sender_id, booking.receiver_id)}
    homes = homes_of(federation, tx, enterprise_ids)
    for peer_id in sorted({home.peer_id for home in homes.values() if home.peer_id}):
        theirs = [booking for booking in bookings if homes[booking.sender_id].peer_id == peer_id and booking.iri]
        copy = StatementCopy(
            number=1,
            trip=iri_of(federation, "trips", trip.id),
            content=dict(statement.content),
            digest=statement.digest,
            shares={
                str(booking.iri): statement.shares[booking.id] for booking in theirs if booking.id in statement.shares
            },
        )
        send(federation, tx, peer_by_id(tx, peer_id), "Statement", trip.id, copy)
