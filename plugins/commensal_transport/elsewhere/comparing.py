"""Statements of rounds elsewhere: read with a pencil, kept once, and compared with what other homes read."""

from __future__ import annotations

from sqlalchemy import insert, update

from commensal import Row, Transaction, enterprises_by_id
from commensal_federation.messaging import Federation, Received, Refuse, homes_of, peer_by_id

from ..bookings.bookings import Booking, bookings_of_trip
from ..bookings.mails import tell
from ..bookings.statements import compared, digest_of, length_and_received, mistakes_of, read_content, statement_of
from ..costs.cost_rules import known_rules
from ..places.routing import Point
from ..tables import transport_statement, transport_trip
from ..trips.needs import point_of
from ..trips.trips import Trip, find_trip, trip_by_iri
from .bodies import StatementAnswer, StatementCopy
from .names import iri_of, own_id
from .sending import send


def handle_statement(federation: Federation, tx: Transaction, received: Received[StatementCopy]) -> None:
    """Keeps the first statement of a round for ever. Another one, and one that does not add up, is shown to people, and
    the homes of all whose bookings are known here hear which digest is read here."""
    message, peer = received.body, received.peer
    trip = trip_by_iri(tx, message.trip)
    if trip is None or trip.peer_id != peer.id:
        raise Refuse("trip", "Nobody here took part in that round.")
    if digest_of(message.content) != message.digest:
        raise Refuse("digest", "The digest is not that of the content.")
    bookings = bookings_of_trip(tx, trip.id)
    before = statement_of(tx, trip.id)
    mistakes = mistakes_of(message.content, known_rules(tx, federation.instance.hooks)) + _mistakes_about_us(
        federation, tx, trip, bookings, message
    )
    if before is None:
        _keep(federation, tx, trip, bookings, message)
    elif before.digest != message.digest:
        mistakes.append("second")
    if mistakes:
        compared(tx, trip.id, peer.id, message.number, message.digest, mistakes)
        tell(tx, "differs", trip, _ours(federation, bookings))
    answer = StatementAnswer(
        number=1,
        trip=message.trip,
        digest=before.digest if before else message.digest,
        mistakes=tuple(sorted(set(mistakes))),
    )
    ids = {enterprise_id for booking in bookings for enterprise_id in (booking.sender_id, booking.receiver_id)}
    homes = {home.peer_id for home in homes_of(federation, tx, ids | {trip.enterprise_id}).values() if home.peer_id}
    for peer_id in sorted(homes):
        send(federation, tx, peer_by_id(tx, peer_id), "StatementAnswer", trip.id, answer)


def handle_statement_answer(federation: Federation, tx: Transaction, received: Received[StatementAnswer]) -> None:
    """Writes down which digest another home reads. If it differs from ours, people here are told."""
    body, peer = received.body, received.peer
    trip = _trip_named(federation, tx, body.trip)
    bookings = bookings_of_trip(tx, trip.id)
    ids = {enterprise_id for booking in bookings for enterprise_id in (booking.sender_id, booking.receiver_id)}
    if peer.id not in {home.peer_id for home in homes_of(federation, tx, ids).values()}:
        raise Refuse("authority", "Nobody of yours took part in that round.")
    is_new = compared(tx, trip.id, peer.id, body.number, body.digest, body.mistakes)
    statement = statement_of(tx, trip.id)
    if is_new and statement is not None and (statement.digest != body.digest or body.mistakes):
        tell(tx, "differs", trip, bookings)


def _trip_named(federation: Federation, tx: Transaction, iri: str) -> Trip:
    own = own_id(federation, "trips", iri)
    trip = find_trip(tx, own) if own is not None else trip_by_iri(tx, iri)
    if trip is None:
        raise Refuse("trip", "There is no such trip here.")
    return trip


def _name(federation: Federation, booking: Booking) -> str:
    return booking.iri or iri_of(federation, "bookings", booking.id)


def _ours(federation: Federation, bookings: list[Booking]) -> list[Booking]:
    """Those that were made here."""
    return [booking for booking in bookings if booking.iri is None]


def _keep(federation: Federation, tx: Transaction, trip: Trip, bookings: list[Booking], message: StatementCopy) -> None:
    shares = {
        booking.id: list(message.shares[_name(federation, booking)])
        for booking in _ours(federation, bookings)
        if _name(federation, booking) in message.shares
    }
    values: Row = {
        "trip_id": trip.id,
        "content": message.content,
        "shares": shares,
        "digest": message.digest,
        **length_and_received(message.content),
    }
    tx.execute(insert(transport_statement).values(**values, written_at=tx.now))
    tx.execute(update(transport_trip).where(transport_trip.c.id == trip.id).values(state="driven"))


def _mistakes_about_us(
    federation: Federation, tx: Transaction, trip: Trip, bookings: list[Booking], message: StatementCopy
) -> list[str]:
    """Codes of what is wrong by what this instance knows: trip, rule, cost, agreed, share, place."""
    statement = read_content(message.content)
    owed = {row.number: row.owed for row in statement.participants}
    ours = [(booking, message.shares.get(_name(federation, booking))) for booking in _ours(federation, bookings)]
    riding = [booking for booking, share in ours if share is not None]
    by_number: dict[int, int] = {}
    for _, share in ours:
        if share is not None:
            by_number[share[0]] = by_number.get(share[0], 0) + share[1]
    checks = {
        "trip": message.trip.endswith(f"/{statement.trip}"),
        "rule": statement.rule == trip.rule,
        "cost": (statement.items[0].cents_per_km, statement.items[1].cents) == (trip.cents_per_km, trip.toll),
        "agreed": all(share is None or share[1] <= (booking.cap or 0) for booking, share in ours),
        "share": all(number in owed and cents <= owed[number] for number, cents in by_number.items()),
        "place": set(statement.places) >= _places_of_ours(federation, tx, riding),
    }
    return [code for code, is_right in checks.items() if not is_right]


def _places_of_ours(federation: Federation, tx: Transaction, riding: list[Booking]) -> set[Point]:
    """Where enterprises of this instance are whose goods were loaded or unloaded, to a kilometre."""
    ids = {id for booking in riding for id in (booking.sender_id, booking.receiver_id)}
    homes = homes_of(federation, tx, ids)
    here = enterprises_by_id(tx, [id for id in ids if homes[id].peer_id is None])
    return {place.rounded() for enterprise in here.values() if (place := point_of(enterprise))}
