"""After a restore from an older backup: what this instance had said since, as its peers give it back.

Numbers go on where they were, so that no later word is taken for a late one. Bookings come back by the orders that
peers send again; a booking of ours that is forgotten here is cancelled there, since its goods are on nobody's plan any
more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update

from commensal import Transaction
from commensal_federation.messaging import Federation, Sent, enterprise_at, post

from ..bookings.bookings import find_booking
from ..news import tell_others
from ..tables import transport_booking, transport_sent
from ..trips.needs import ID
from ..trips.trips import trip_by_id, trip_by_iri
from .bodies import (
    BookingOrder,
    BookingState,
    CountReport,
    PlaceAnswer,
    PlaceRequest,
    ReceiverReport,
    StatementAnswer,
    StatementCopy,
    TripOffer,
)
from .names import booking_named, own_id
from .work import count_subject, keep_newer_word

_sent, _booking = transport_sent.c, transport_booking.c


def recover_number(federation: Federation, tx: Transaction, sent: Sent[object]) -> None:
    """Goes on counting from what was sent; the next word about it is sent even if it is the same."""
    subject = _subject(federation, tx, sent.body)
    if subject is not None:
        _raise_number(tx, sent, subject)


def recover_state(federation: Federation, tx: Transaction, sent: Sent[BookingState]) -> None:
    """What was said of a booking for a trip of ours. What has happened since the backup is forgotten here, so the
    sender's home hears the state anew: it may believe that goods are carried, or are left behind, which are not."""
    booking = booking_named(federation, tx, sent.body.booking)
    if _raise_number(tx, sent, sent.body.booking) and booking is not None:
        tell_others(tx, trip=booking.trip_id)


def recover_order(federation: Federation, tx: Transaction, sent: Sent[BookingOrder]) -> None:
    order = sent.body
    id = own_id(federation, "bookings", order.booking)
    if id is None or not _raise_number(tx, sent, id):
        return
    booking = find_booking(tx, id)
    if booking is None and order.state == "ordered":
        cancelled = replace(order, number=order.number + 1, state="cancelled", carriage=None)
        post(federation, tx, sent.peer.id, f"{ID}.BookingOrder", cancelled)
    elif booking is not None and order.number > booking.number:
        state = "cancelled_free" if order.state == "cancelled" else booking.state
        tx.execute(update(transport_booking).where(_booking.id == id).values(number=order.number, state=state))


def recover_count(federation: Federation, tx: Transaction, sent: Sent[CountReport]) -> None:
    """A word about the counts of a booking that an enterprise of ours had said; it comes back where it is newer."""
    body = sent.body
    _raise_number(tx, sent, count_subject(body.booking, body.side))
    booking = booking_named(federation, tx, body.booking)
    if booking is not None:
        keep_newer_word(tx, trip_by_id(tx, booking.trip_id), booking, body)


def _raise_number(tx: Transaction, sent: Sent[Any], subject: str) -> bool:
    """Returns False if as high a number was known."""
    about = (_sent.peer_id == sent.peer.id, _sent.type == sent.type, _sent.subject == subject)
    before = tx.value(select(_sent.number).where(*about).with_for_update())
    if before is not None and before >= sent.body.number:
        return False
    values = {"number": sent.body.number, "digest": ""}
    if before is None:
        row = {"peer_id": sent.peer.id, "type": sent.type, "subject": subject}
        tx.execute(insert(transport_sent).values(**row, **values))
    else:
        tx.execute(update(transport_sent).where(*about).values(values))
    return True


def _subject(federation: Federation, tx: Transaction, body: object) -> str | None:
    """What `send` counts such messages by."""
    match body:
        case TripOffer():
            return own_id(federation, "trips", body.offered.trip)
        case StatementCopy():
            return own_id(federation, "trips", body.trip)
        case StatementAnswer():
            trip = trip_by_iri(tx, body.trip)
            return trip.id if trip is not None else own_id(federation, "trips", body.trip)
        case PlaceRequest() | PlaceAnswer():
            return enterprise_at(federation, tx, body.enterprise)
        case ReceiverReport():
            return body.booking
    return None
