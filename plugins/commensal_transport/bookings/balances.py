"""Who owes whom a turn, and how much: for each partner what both drove for each other in a year, by their statements.

Two ledgers that are never converted into each other: cents of cost, and turns with minutes of work. Under mutual help
between farms money stays marginal and help goes both ways (code rural L325-1), so one who always drives is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from commensal import Column, Line, Parameter, Query, Report, Row, Transaction, enterprises_by_id, hookimpl, translate

from ..tables import transport_booking, transport_event, transport_statement, transport_trip

PERIOD = timedelta(days=365)
ONE_SIDED = 5  # turns more than the other: help that goes one way
MOST_ROUNDS = 2_000

_booking, _trip, _statement = transport_booking.c, transport_trip.c, transport_statement.c


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Between an enterprise and a partner, in the last year.

    turns_for, turns_by: rounds that it drove with goods of the partner aboard, and the other way round
    owed_to, owed_by:    cents that it owes the partner for rounds of theirs, and that the partner owes for its own
    """

    partner_id: str
    turns_for: int = 0
    turns_by: int = 0
    owed_to: int = 0
    owed_by: int = 0

    @property
    def is_one_sided(self) -> bool:
        return abs(self.turns_for - self.turns_by) >= ONE_SIDED


def balances_of(tx: Transaction, enterprise_id: str) -> list[Balance]:
    """One balance for each partner, whoever is owed the most turns by it first."""
    balances: dict[str, Balance] = {}
    seen: set[tuple[str, str]] = set()
    for trip_id, carrier_id, sender_id, cents in _shares(tx, enterprise_id):
        drove = carrier_id == enterprise_id
        partner_id = sender_id if drove else carrier_id
        balance = balances.get(partner_id, Balance(partner_id=partner_id))
        turn = int((trip_id, partner_id) not in seen)  # several loads of a round are one turn
        seen.add((trip_id, partner_id))
        if drove:
            balance = replace(balance, turns_for=balance.turns_for + turn, owed_by=balance.owed_by + cents)
        else:
            balance = replace(balance, turns_by=balance.turns_by + turn, owed_to=balance.owed_to + cents)
        balances[partner_id] = balance
    return sorted(balances.values(), key=lambda balance: (balance.turns_for - balance.turns_by, balance.partner_id))


@dataclass(frozen=True, kw_only=True)
class EmptiesBalance:
    """Empty crates that an enterprise handed over to a partner in the last year, and those that it got from it."""

    partner_id: str
    given: int = 0
    got: int = 0


def empties_with(tx: Transaction, enterprise_id: str) -> list[EmptiesBalance]:
    """The empty crates between an enterprise and each of those with whom a driver exchanged some, by their ids.

    A driver leaves them with a sender, and takes them along from a receiver.
    """
    event = transport_event.c
    who = (event.event, _trip.enterprise_id.label("carrier_id"), _booking.sender_id, _booking.receiver_id)
    mine = or_(
        _trip.enterprise_id == enterprise_id,
        (event.event == "pick_up") & (_booking.sender_id == enterprise_id),
        (event.event == "deliver") & (_booking.receiver_id == enterprise_id),
    )
    query = select(*who, func.sum(event.empties).label("crates")).join_from(transport_event, transport_booking)
    query = query.join(transport_trip, _trip.id == _booking.trip_id).group_by(*who)
    balances: dict[str, EmptiesBalance] = {}
    for row in tx.all(query.where(mine, event.empties > 0, event.at > tx.now - PERIOD)):
        leaves = row["event"] == "pick_up"  # the carrier gives
        place = row["sender_id"] if leaves else row["receiver_id"]
        drove = row["carrier_id"] == enterprise_id
        partner_id = place if drove else row["carrier_id"]
        balance = balances.get(partner_id, EmptiesBalance(partner_id=partner_id))
        if drove == leaves:
            balances[partner_id] = replace(balance, given=balance.given + row["crates"])
        else:
            balances[partner_id] = replace(balance, got=balance.got + row["crates"])
    balances.pop(enterprise_id, None)  # at home, nobody gives anything away
    return [balances[id] for id in sorted(balances)]


def minutes_for_others(tx: Transaction, enterprise_id: str) -> int:
    """By how many minutes the enterprise's own rounds of the last year were longer because of guests."""
    query = select(transport_statement.c.content).join(transport_trip, _trip.id == _statement.trip_id)
    rows = tx.all(
        query.where(_trip.enterprise_id == enterprise_id, _statement.written_at > tx.now - PERIOD)
        .order_by(_statement.written_at.desc())
        .limit(MOST_ROUNDS)
    )
    return sum(row["content"]["minutesForOthers"] for row in rows)


def _shares(tx: Transaction, enterprise_id: str) -> Sequence[tuple[str, str, str, int]]:
    """Trip, carrier, sender and cents of each booking between the enterprise and others that a statement has."""
    query = (
        select(
            _booking.id,
            _booking.trip_id,
            _trip.enterprise_id.label("carrier_id"),
            _booking.sender_id,
            _statement.shares,
        )
        .join_from(transport_booking, transport_trip, _trip.id == _booking.trip_id)
        .join(transport_statement, _statement.trip_id == _booking.trip_id)
        .where(
            _statement.written_at > tx.now - PERIOD,
            _booking.sender_id != _trip.enterprise_id,
            or_(_trip.enterprise_id == enterprise_id, _booking.sender_id == enterprise_id),
        )
        .order_by(_statement.written_at.desc(), _booking.id)
        .limit(MOST_ROUNDS)
    )
    return [
        (row["trip_id"], row["carrier_id"], row["sender_id"], row["shares"][row["id"]][1])
        for row in tx.all(query)
        if row["id"] in row["shares"]
    ]


# What rounds cost between partners, as a report for the accounts: one line for each round and partner.


@hookimpl
def reports(language: str) -> Sequence[Report]:
    return [
        Report(
            id="rounds",
            label=translate(language, "Rounds: who pays whom"),
            description=translate(language, "Shares of rounds by their statements, for the accounts."),
            columns=[
                Column(name="driven_on", label=translate(language, "Date"), kind="date"),
                Column(name="number", label=translate(language, "Number of the statement")),
                Column(name="partner", label=translate(language, "Partner")),
                Column(name="drove", label=translate(language, "Driven by")),
                Column(name="km", label=translate(language, "Kilometres of the round"), kind="whole"),
                Column(name="owed_by", label=translate(language, "they pay"), kind="money", summed=True),
                Column(name="owed_to", label=translate(language, "you pay"), kind="money", summed=True),
            ],
            rows=_lines,
            parameters=[
                Parameter(name="since", label=translate(language, "From"), kind="day", default="month_begins"),
                Parameter(name="until", label=translate(language, "To"), kind="day", default="month_ends"),
            ],
            scope="payments:read",
        )
    ]


def _lines(query: Query) -> Iterator[Line]:
    rows = _driven_shares(query, query.given["since"], query.given["until"])
    names = enterprises_by_id(query.tx, {row[name] for row in rows for name in ("carrier_id", "sender_id")})
    zone = ZoneInfo(query.timezone)
    cents: dict[tuple[str, str], int] = {}
    rounds: dict[tuple[str, str], Row] = {}
    for row in rows:
        drove = row["carrier_id"] == query.enterprise_id
        key = (row["trip_id"], row["sender_id"] if drove else row["carrier_id"])
        if row["id"] in row["shares"]:
            rounds.setdefault(key, row)
            cents[key] = cents.get(key, 0) + row["shares"][row["id"]][1]
    for (trip_id, partner_id), row in rounds.items():
        owed, drove = cents[trip_id, partner_id], row["carrier_id"] == query.enterprise_id
        yield (
            row["starts_at"].astimezone(zone).date(),
            row["digest"][8:24],
            names[partner_id].name,
            names[row["carrier_id"]].name,
            round(row["content"]["items"][0][1] / 1000),
            owed if drove else None,
            None if drove else owed,
        )


def _driven_shares(query: Query, since: date, until: date) -> Sequence[Row]:
    """Bookings of others with trips of the enterprise, and its own with those of others, driven in these days."""
    zone = ZoneInfo(query.timezone)
    begins = datetime.combine(since, time(), zone)
    ends = datetime.combine(until + timedelta(days=1), time(), zone)
    between = (_trip.starts_at >= begins, _trip.starts_at < ends)
    mine = or_(_trip.enterprise_id == query.enterprise_id, _booking.sender_id == query.enterprise_id)
    columns = (
        _booking.id,
        _booking.trip_id,
        _booking.sender_id,
        _trip.enterprise_id.label("carrier_id"),
        _trip.starts_at,
        _statement.shares,
        _statement.content,
        _statement.digest,
    )
    statement = (
        select(*columns)
        .join_from(transport_booking, transport_trip, _trip.id == _booking.trip_id)
        .join(transport_statement, _statement.trip_id == _booking.trip_id)
        .where(*between, mine, _booking.sender_id != _trip.enterprise_id)
    )
    return query.tx.all(statement.order_by(_trip.starts_at, _booking.trip_id, _booking.booked_at, _booking.id))
