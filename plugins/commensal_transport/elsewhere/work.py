"""What jobs do between instances: tell what has changed, and ask what it costs to carry what there is to bring."""

from __future__ import annotations

from commensal import Instance, NotFound, Transaction, enterprises_using
from commensal_federation.messaging import (
    Federation,
    Peer,
    Received,
    Refuse,
    Wait,
    federation_of,
    homes_of,
    peer_by_id,
    post,
)

from ..bookings.bookings import Booking, booking_by_id, carried_keys
from ..bookings.counts import MOST_WORDS, SIDES, Said, Side, counts_of, keep_word, newest_number, words_of
from ..bookings.quotes_elsewhere import FRESH, trips_to_ask
from ..trips.needs import ID, Need, needs_of
from ..trips.trips import Trip, bookable_trips, locked_trip, trip_by_id
from .bodies import CountReport, QuoteRequest
from .carriages import asked_carriage
from .names import booking_named, iri_of, own_id
from .places import ask_place
from .sending import send, sharing_peers, tell_order, tell_trip

# Counts that differ, between instances: the home of each side tells those of the others what it says, and no home
# speaks for another.

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


def tell_peers(instance: Instance, *, trip_id: str, booking_id: str) -> None:
    federation = federation_of(instance)
    with instance.store.write() as tx:
        if trip_id:
            tell_trip(federation, tx, trip_id)
        if booking_id:
            tell_order(federation, tx, booking_id)
            tell_counts(federation, tx, booking_id)


def ask_peers(instance: Instance, enterprise_id: str | None) -> None:
    """Asks for one enterprise, or for all that use the plugin: a transaction each, so that none waits for many."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        sharing = sharing_peers(tx)
        enterprise_ids = [enterprise_id] if enterprise_id else enterprises_using(tx, ID)
    for id in enterprise_ids if sharing else ():
        with instance.store.write() as tx:
            _ask_for(federation, tx, id, sharing)


def _ask_for(federation: Federation, tx: Transaction, enterprise_id: str, sharing: list[Peer]) -> None:
    try:
        needs = needs_of(tx, federation.instance.hooks, enterprise_id)
    except NotFound:
        return
    carried = carried_keys(tx, enterprise_id)
    trips = bookable_trips(tx, but_of=enterprise_id, elsewhere=True)
    for need in needs:
        if need.closes > tx.now and need.key not in carried:
            ask_place(federation, tx, need, sharing)
            _ask_prices(federation, tx, need, trips, {peer.id for peer in sharing})


def _ask_prices(federation: Federation, tx: Transaction, need: Need, trips: list[Trip], sharing: set[str]) -> None:
    if need.home is None or need.receiver_id is None or need.destination is None:
        return
    receiver = homes_of(federation, tx, [need.receiver_id])[need.receiver_id].iri
    near = [trip for trip in trips if trip.starts_at < need.closes and trip.ends_at > need.opens]
    near = [trip for trip in near if trip.peer_id in sharing]
    carriage = asked_carriage(federation, tx, need, receiver)
    for trip, id, number in trips_to_ask(tx, need, near):
        assert trip.iri is not None
        assert trip.peer_id is not None
        request = QuoteRequest(number=number, quote=iri_of(federation, "quotes", id), trip=trip.iri, carriage=carriage)
        post(federation, tx, trip.peer_id, f"{ID}.QuoteRequest", request, expires=tx.now + FRESH)
