"""The statement of a round for those who took part, and the page of each load that it carries."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from sqlalchemy import select
from starlette.responses import Response

from commensal import Enterprise, NotFound, Row, Screen, Transaction
from commensal.pages import Visit

from ..bookings.balances import balances_of, empties_with, minutes_for_others
from ..bookings.bookings import SHOWN, Booking, find_booking
from ..bookings.codes import SCANNED, Code, Codes, Proof, Step, codes_of, proof_of
from ..bookings.counts import REASONS, counts_of, lost_with, side_of, words_of
from ..bookings.photos import kept_of, photo_for
from ..bookings.statements import comparisons_of, mistakes_of, readable_statement
from ..bookings.states import State
from ..costs.cost_rules import known_rules, rule_texts
from ..tables import transport_event
from ..trips.help_years import SHARES_COSTS, help_years
from ..trips.trips import trip_by_id
from .week import instance_names, partners_by_id, transport_url


def statement_page(visit: Visit, shop: Enterprise) -> Screen:
    """Raises `NotFound` for a round in which the enterprise took no part, and before it is driven."""
    with visit.read() as tx:
        trip, statement, bookings = readable_statement(tx, shop.id, visit.path["trip"])
        carrier = partners_by_id(tx, visit, [trip.enterprise_id])[trip.enterprise_id]
        comparisons = comparisons_of(tx, trip.id)
        wrong = mistakes_of(statement.content, known_rules(tx, visit.instance.hooks))
        rule_labels = rule_texts(tx, visit.instance.hooks, visit.language)
        mine_only = [each for each in bookings if shop.id in (trip.enterprise_id, each.sender_id, each.receiver_id)]
        counts = counts_of(tx, [(booking, trip.enterprise_id) for booking in mine_only])
        differing = [each for each in counts.values() if each.differ]
        enterprises = partners_by_id(tx, visit, {id for each in differing for id in each.sides.values()})
        shares_costs = trip.basis in SHARES_COSTS
        year = help_years(tx, visit.instance.hooks, [trip.enterprise_id])[trip.enterprise_id] if shares_costs else None
        instances = instance_names(tx, visit, {comparison.peer_id for comparison in comparisons})
    mine = [booking for booking in bookings if booking.sender_id == shop.id and booking.id in statement.shares]
    numbers = {statement.shares[booking.id][0] for booking in mine} | ({1} if trip.enterprise_id == shop.id else set())
    context = {
        "trip": trip,
        "statement": statement,
        "content": statement.content,
        "carrier": carrier,
        "numbers": numbers,
        "owed": sum(statement.shares[booking.id][1] for booking in mine),
        "found_wrong": wrong,
        "rule_labels": rule_labels,
        "differing": differing,
        "year": year,
        "enterprises": enterprises,
        "home": transport_url(shop.id),
        "zone": shop.timezone,
        "is_carrier": trip.enterprise_id == shop.id,
        "readers": [
            (instances[comparison.peer_id], comparison.digest == statement.digest and not comparison.mistakes)
            for comparison in comparisons
        ],
    }
    return Screen(template="transport/statement.html", context=context)


# The page that shows who owes whom a turn, how much, and how many empty crates went to and fro.


def balance_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        balances = balances_of(tx, shop.id)
        minutes = minutes_for_others(tx, shop.id)
        empties = empties_with(tx, shop.id)
        lost = lost_with(tx, shop.id)
        year = help_years(tx, visit.instance.hooks, [shop.id])[shop.id]
        named = {balance.partner_id for balance in balances} | {crates.partner_id for crates in empties}
        named |= {crates.partner_id for crates in lost}
        partners = partners_by_id(tx, visit, named)
    context = {
        "balances": balances,
        "empties": empties,
        "year": year,
        "lost": lost,
        "minutes": minutes,
        "partners": partners,
        "home": transport_url(shop.id),
    }
    return Screen(template="transport/balance.html", context=context)


# A load for those who send and receive it: the paper that goes with it, the code for the driver, and what happened.

_SHOWN_IN: dict[Step, frozenset[State]] = {
    "pick_up": frozenset({"confirmed"}),
    "deliver": frozenset({"confirmed", "picked_up"}),
}


@dataclass(frozen=True)
class ShownCode:
    """picture: a QR code as a data URI; short: what a driver types who cannot scan it"""

    picture: str
    short: str


@dataclass(frozen=True)
class Reported:
    """What a driver has reported of a load, and what proves it."""

    row: Row
    proof: Proof


def load_page(visit: Visit, shop: Enterprise) -> Screen:
    """Raises `NotFound` for who neither sends nor receives it."""
    with visit.read() as tx:
        booking = find_booking(tx, visit.path["booking"])
        if booking is None or shop.id not in (booking.sender_id, booking.receiver_id):
            raise NotFound
        trip = trip_by_id(tx, booking.trip_id)
        names = partners_by_id(tx, visit, {trip.enterprise_id, booking.sender_id, booking.receiver_id})
        codes = codes_of(tx, [booking.id])
        happened = reports_of(tx, booking, codes)
        counts = counts_of(tx, [(booking, trip.enterprise_id)]).get(booking.id)
        words = words_of(tx, [booking.id])
        can_count = booking.delivery_at > tx.now - SHOWN
        photos = {digest for _, digest in kept_of(tx, [booking.id])}
    step: Step = "pick_up" if shop.id == booking.sender_id else "deliver"
    context = {
        "booking": booking,
        "trip": trip,
        "sender": names[booking.sender_id],
        "receiver": names[booking.receiver_id],
        "carrier": names[trip.enterprise_id],
        "step": step,
        "code": shown_code(booking, codes, step),
        "happened": happened,
        "counts": counts,
        "words_said": words,
        "photos": photos,
        "reasons": REASONS,
        "can_count": can_count,
        "enterprises": names,
        "side": side_of(booking, trip.enterprise_id, shop.id),
        "home": transport_url(shop.id),
        "zone": shop.timezone,
    }
    return Screen(template="transport/load.html", context=context)


def photo_file(visit: Visit, shop: Enterprise) -> Response:
    """A photograph, for the sides of its booking. Raises `NotFound`."""
    with visit.read() as tx:
        content = photo_for(tx, shop.id, visit.path["booking"], visit.path["digest"])
    return Response(content, media_type="image/webp", headers={"Cache-Control": "no-store"})


def shown_code(booking: Booking, codes: Codes, step: Step) -> ShownCode | None:
    """The code of one end of the way, while it can still be of use there."""
    code: Code | None = codes.get(booking.id, {}).get(step)
    if code is None or code.secret is None or booking.state not in _SHOWN_IN[step]:
        return None
    picture = segno.make_qr(f"{SCANNED}{code.secret}", error="m").svg_data_uri(scale=5, border=4, light="white")
    return ShownCode(picture, code.short)


def reports_of(tx: Transaction, booking: Booking, codes: Codes) -> list[Reported]:
    """What has happened to a booking, the first event first; at most 50."""
    event = transport_event.c
    query = select(transport_event).where(event.booking_id == booking.id).order_by(event.at, event.id).limit(50)
    return [Reported(row, proof_of(codes, booking.id, row["event"], row["code"])) for row in tx.all(query)]
