"""What rounds cost between partners, as a report for the accounts: one line for each round and partner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from commensal import Column, Line, Parameter, Query, Report, Row, enterprises_by_id, hookimpl, translate

from ..tables import transport_booking, transport_statement, transport_trip

_booking, _trip, _statement = transport_booking.c, transport_trip.c, transport_statement.c


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
    rows = _shares(query, query.given["since"], query.given["until"])
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


def _shares(query: Query, since: date, until: date) -> Sequence[Row]:
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
