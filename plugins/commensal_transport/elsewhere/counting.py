"""Counts that differ, between instances: the home of each side tells those of the others what it says, and no home
speaks for another."""

from __future__ import annotations

from commensal import Transaction
from commensal_federation.messaging import Federation, Peer, Received, Refuse, Wait, homes_of, peer_by_id

from ..bookings.bookings import Booking, booking_by_id
from ..bookings.counts import MOST_WORDS, SIDES, Said, Side, counts_of, keep_word, newest_number, words_of
from ..trips.trips import Trip, locked_trip, trip_by_id
from .bodies import CountReport
from .names import booking_named, iri_of, own_id
from .sending import send

MOST_KEPT = 2 * MOST_WORDS  # words of a side elsewhere about one booking: a restored instance counts anew


def tell_counts(federation: Federation, tx: Transaction, booking_id: str) -> None:
    """Tells the homes of the other sides of a booking what enterprises of ours say of its counts."""
    booking = booking_by_id(tx, booking_id)
    trip = trip_by_id(tx, booking.trip_id)
    counts = counts_of(tx, [(booking, trip.enterprise_id)]).get(booking.id)
    if counts is None or not counts.words:
        return
    homes = homes_of(federation, tx, set(counts.sides.values()))
    iri = booking.iri or iri_of(federation, "bookings", booking.id)
    others = sorted({home.peer_id for home in homes.values() if home.peer_id is not None})
    for side, word in counts.words.items():
        if homes[counts.sides[side]].peer_id is not None:
            continue
        report = CountReport(
            number=1, booking=iri, side=side, loaded=word.loaded, unloaded=word.unloaded, reason=word.reason
        )
        for peer_id in others:
            send(federation, tx, peer_by_id(tx, peer_id), "CountReport", count_subject(iri, side), report)


def count_subject(booking: str, side: Side) -> str:
    """What `send` counts the words of a side by."""
    return f"{booking} {side}"


def handle_count_report(federation: Federation, tx: Transaction, received: Received[CountReport]) -> None:
    """Keeps what a side says whose home the peer is. Waits for a booking that is not known here yet."""
    body, peer = received.body, received.peer
    booking = booking_named(federation, tx, body.booking)
    if booking is None:
        if own_id(federation, "bookings", body.booking) is not None:
            raise Refuse("booking", "There is no such booking.")
        raise Wait(f"the booking {body.booking}")
    trip = locked_trip(tx, booking.trip_id)
    sides = {"carrier": trip.enterprise_id, "sender": booking.sender_id, "receiver": booking.receiver_id}
    if not speaks_for(federation, tx, sides[body.side], peer):
        raise Refuse("authority", f"The {body.side} of that booking is not yours.")
    if sum(row["side"] == body.side for row in words_of(tx, [booking.id])) >= MOST_KEPT:
        raise Refuse("too_many", "That was said several times; people must speak to each other.")
    keep_newer_word(tx, trip, booking, body)


def speaks_for(federation: Federation, tx: Transaction, enterprise_id: str, peer: Peer) -> bool:
    """Whether the enterprise lives at this peer."""
    return homes_of(federation, tx, [enterprise_id])[enterprise_id].peer_id == peer.id


def keep_newer_word(tx: Transaction, trip: Trip, booking: Booking, body: CountReport) -> None:
    """Writes down what a side says, unless a newer word of it is known."""
    assert body.side in SIDES
    if body.number > newest_number(tx, booking.id, body.side):
        word = Said(side=body.side, number=body.number, loaded=body.loaded, unloaded=body.unloaded, reason=body.reason)
        keep_word(tx, trip, booking, word)
