"""The carrier's home: answers what trips cost, takes orders or refuses them, and hears what receivers report.

Room is taken and given back by the same commands as between enterprises of one instance.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, insert, select, update

from commensal import Conflict, Transaction
from commensal_federation.messaging import (
    Federation,
    Peer,
    Received,
    Refuse,
    Wait,
    copy_of_partner,
    homes_of,
    post,
    windows_of,
)

from ..bookings.bookings import (
    Booking,
    booking_by_id,
    booking_by_iri,
    bookings_of_trip,
    carried_on,
    confirm,
    insert_refused,
    report,
)
from ..bookings.codes import Step, keep_code
from ..bookings.mails import tell
from ..bookings.quotes import NoQuote, TripQuote, quote, refusal_of
from ..bookings.states import ACTIVE
from ..costs.cost_rules import known_rules
from ..news import ask_contacts
from ..service_settings import ServiceSettings
from ..tables import transport_asked, transport_booking
from ..trips.help_years import help_years
from ..trips.needs import ID, Need, SaleKey
from ..trips.trips import Trip, find_trip, locked_trip, trip_by_id
from .bodies import BookingOrder, Carriage, QuoteAnswer, QuoteRequest, ReceiverReport
from .carriages import need_from, party_of
from .names import booking_named, own_id, refuse_other_owner
from .sending import is_seen_by, tell_booking

MOST_IN_A_MINUTE = 120  # prices that a peer asks for
MOST_OPEN = 200  # bookings of a peer that are not at their end
MOST_ON_TRIP = 10  # of these on one trip: a rival fills no van with loads that do not exist
ROUNDING = 4  # km by which the exact place may lengthen a trip against the rounded one
KNOWN = timedelta(minutes=1)  # by then a sender's home has heard that a booking is confirmed, and gives its contacts

_booking, _asked = transport_booking.c, transport_asked.c


def handle_quote_request(federation: Federation, tx: Transaction, received: Received[QuoteRequest]) -> None:
    request, peer = received.body, received.peer
    refuse_too_many_prices(federation, tx, peer)
    refuse_other_owner(peer, "quotes", request.quote)
    trip = _seen_trip(federation, tx, peer, request.trip)
    _refuse_other_sender(peer, request.carriage)
    offer = _quoted(federation, tx, trip, request.carriage, "guest", request.quote)
    answer = QuoteAnswer(number=request.number, quote=request.quote, code=offer if isinstance(offer, str) else "gone")
    if isinstance(offer, TripQuote):
        answer = QuoteAnswer(
            number=request.number,
            quote=request.quote,
            price=offer.price,
            alone=offer.alone,
            pickup_at=offer.pickup,
            delivery_at=offer.delivery,
        )
    post(federation, tx, peer.id, f"{ID}.QuoteAnswer", answer, in_reply_to=received.id)


def handle_booking_order(federation: Federation, tx: Transaction, received: Received[BookingOrder]) -> None:
    order, peer = received.body, received.peer
    refuse_other_owner(peer, "bookings", order.booking)
    booking = booking_by_iri(tx, order.booking)
    if booking is None:
        if order.carriage is None:
            raise Wait(f"the order of {order.booking}")
        trip = _seen_trip(federation, tx, peer, order.trip)
        booking = _ordered(federation, tx, peer, trip, order, order.carriage)
    else:
        if homes_of(federation, tx, [booking.sender_id])[booking.sender_id].peer_id != peer.id:
            raise Refuse("authority", "This booking is somebody else's.")
        if order.number <= booking.number:
            return
        booking = _changed(tx, booking, order)
    tell_booking(federation, tx, trip_by_id(tx, booking.trip_id), booking)


def handle_receiver_report(federation: Federation, tx: Transaction, received: Received[ReceiverReport]) -> None:
    body, peer = received.body, received.peer
    booking = booking_named(federation, tx, body.booking)
    if booking is None or homes_of(federation, tx, [booking.receiver_id])[booking.receiver_id].peer_id != peer.id:
        raise Refuse("authority", "You do not receive these goods.")
    try:
        booking = report(tx, booking.receiver_id, booking.id, body.event)
    except Conflict:
        return  # it has come to its end already
    tell_booking(federation, tx, trip_by_id(tx, booking.trip_id), booking)


# ------------------------------------------------------------------------------------------------ orders


def _ordered(
    federation: Federation, tx: Transaction, peer: Peer, trip: Trip, order: BookingOrder, carriage: Carriage
) -> Booking:
    """Takes the room, or refuses it, in this transaction. A refusal is kept, so that the answer stays the same."""
    sender_id = copy_of_partner(federation, tx, peer, carriage.sender, carriage.sender_name)
    key = SaleKey(ID, order.booking)
    trip = locked_trip(tx, trip.id)
    need = _need(federation, tx, carriage, sender_id, key)
    if isinstance(need, Conflict):
        raise Refuse(need.code, "The receiver is not known here, or takes no goods in.")
    try:
        _refuse_many(federation, tx, peer, trip)
        slack = trip.cents_per_km * ROUNDING
        booking = confirm(
            tx,
            trip,
            need,
            party_of(carriage),
            price=order.price,
            slack=slack,
            iri=order.booking,
            number=order.number,
            rules=known_rules(tx, federation.instance.hooks),
            year=help_years(tx, federation.instance.hooks, [trip.enterprise_id])[trip.enterprise_id],
        )
    except Conflict as error:
        return insert_refused(tx, trip, need, error.code, iri=order.booking, number=order.number)
    digests: dict[Step, str | None] = {"pick_up": order.pickup_digest, "deliver": order.delivery_digest}
    for step, digest in digests.items():
        if digest is not None:
            keep_code(tx, booking.id, step, digest)
    tell(tx, "booked", trip, [booking])
    ask_contacts(tx, booking.id, after=KNOWN)
    return booking


def _changed(tx: Transaction, booking: Booking, order: BookingOrder) -> Booking:
    """Cancels it, where that can be; anything else is answered by what has become of it."""
    tx.execute(update(transport_booking).where(_booking.id == booking.id).values(number=order.number))
    if order.state == "cancelled":
        try:
            cancelled = report(tx, booking.sender_id, booking.id, "cancel")
        except Conflict:
            return booking_by_id(tx, booking.id)  # on the road, or at its end
        tell(tx, "cancelled", trip_by_id(tx, cancelled.trip_id), [cancelled])
    return booking_by_id(tx, booking.id)


def _refuse_many(federation: Federation, tx: Transaction, peer: Peer, trip: Trip) -> None:
    """Raises `Conflict`: "too_many"."""
    query = select(_booking.sender_id, _booking.trip_id, func.count().label("number")).where(
        _booking.iri.is_not(None), _booking.state.in_(ACTIVE)
    )
    rows = tx.all(query.group_by(_booking.sender_id, _booking.trip_id))
    homes = homes_of(federation, tx, {row["sender_id"] for row in rows})
    theirs = [row for row in rows if homes[row["sender_id"]].peer_id == peer.id]
    on_trip = sum(row["number"] for row in theirs if row["trip_id"] == trip.id)
    if sum(row["number"] for row in theirs) >= MOST_OPEN or on_trip >= MOST_ON_TRIP:
        raise refusal_of("too_many")


# ------------------------------------------------------------------------------------------------ prices


def refuse_too_many_prices(federation: Federation, tx: Transaction, peer: Peer) -> None:
    """Counts a question. Raises `Refuse` beyond the limits: "too_often" for the minute, which this process counts, and
    "too_many_today" for the day in UTC, which the database counts for all processes: each answer tells a little of
    where a van drives, and those to a whole map of places would tell all of it."""
    number, _ = windows_of(federation.instance).add(f"{ID} {peer.id}", tx.now)
    if number > MOST_IN_A_MINUTE:
        raise Refuse("too_often", f"Ask for at most {MOST_IN_A_MINUTE} prices in a minute.")
    most = most_in_a_day(federation)
    if _asked_today(tx, peer) > most:
        raise Refuse("too_many_today", f"Ask for at most {most} prices in a day; the next one begins at 00:00 UTC.")


def most_in_a_day(federation: Federation) -> int:
    """The limit that the operator has set."""
    settings = federation.instance.hooks.instance_settings(ID)
    assert isinstance(settings, ServiceSettings)
    return settings.prices_a_day


def _asked_today(tx: Transaction, peer: Peer) -> int:
    """The number of this question among those of the peer today."""
    today = f"{tx.now:%Y-%m-%d}"
    before = tx.first(select(transport_asked).where(_asked.peer_id == peer.id).with_for_update())
    if before is None:
        tx.execute(insert(transport_asked).values(peer_id=peer.id, day=today, number=1))
        return 1
    number = int(before["number"]) + 1 if before["day"] == today else 1
    tx.execute(update(transport_asked).where(_asked.peer_id == peer.id).values(day=today, number=number))
    return number


def _quoted(
    federation: Federation, tx: Transaction, trip: Trip, carriage: Carriage, sender_id: str, iri: str
) -> TripQuote | str:
    """The price, or the code of what is in the way."""
    need = _need(federation, tx, carriage, sender_id, SaleKey(ID, iri))
    if isinstance(need, Conflict):
        return need.code
    rules = known_rules(tx, federation.instance.hooks)
    year = help_years(tx, federation.instance.hooks, [trip.enterprise_id])[trip.enterprise_id]
    carried = carried_on(trip, bookings_of_trip(tx, trip.id))
    offer = quote(tx, trip, carried, need, party_of(carriage), rules, year)
    return offer.code if isinstance(offer, NoQuote) else offer


def _need(federation: Federation, tx: Transaction, carriage: Carriage, sender_id: str, key: SaleKey) -> Need | Conflict:
    try:
        return need_from(federation, tx, carriage, sender_id, key)
    except Conflict as error:
        return error


def _seen_trip(federation: Federation, tx: Transaction, peer: Peer, iri: str) -> Trip:
    """A trip of ours that was offered to this peer, and is still. Raises `Refuse`: "trip"."""
    id = own_id(federation, "trips", iri)
    trip = find_trip(tx, id) if id is not None else None
    if trip is None or trip.peer_id is not None or not is_seen_by(federation, tx, trip, peer):
        raise Refuse("trip", "No such trip is offered to you.")
    return trip


def _refuse_other_sender(peer: Peer, carriage: Carriage) -> None:
    if not carriage.sender.startswith(f"{peer.base}/"):
        raise Refuse("authority", "The sender of these goods is not yours.")
