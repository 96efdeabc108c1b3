"""Prices of trips of other instances: asked by messages, and kept until they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from commensal import Row, Transaction

from ..tables import transport_quote
from ..trips.needs import Need
from ..trips.trips import Trip
from .quotes import own_cost

FRESH = timedelta(hours=6)  # then a price is asked for again
AGAIN = timedelta(minutes=10)  # so long an answer is waited for

_ASKED = ("crates", "kg", "own_boxes", "most")  # with another one of these it is another price
_quote = transport_quote.c


@dataclass(frozen=True, kw_only=True)
class QuoteElsewhere:
    """What a trip of another instance costs at most, as its home has answered. Fields as of `quotes.Quote`."""

    trip: Trip
    price: int
    alone: int
    pickup: datetime
    delivery: datetime

    @property
    def saving(self) -> int:
        """Percent of driving alone."""
        return (self.alone - self.price) * 100 // self.alone


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A trip elsewhere whose price is being asked, or that is not carried: `code` says why; "": no answer yet."""

    trip: Trip
    code: str = ""


def answered_quote(tx: Transaction, trip: Trip, need: Need) -> QuoteElsewhere | None:
    """The price of carrying this need with a trip elsewhere; None if there is none for this load."""
    answer = answers_for(tx, need, [trip])[0]
    return answer if isinstance(answer, QuoteElsewhere) else None


def answers_for(tx: Transaction, need: Need, trips: Sequence[Trip]) -> list[QuoteElsewhere | Waiting]:
    """What the home of each of these trips has answered about this need."""
    rows = _rows(tx, need, trips)
    return [_answer(trip, need, rows.get(trip.id)) for trip in trips]


def _answer(trip: Trip, need: Need, row: Row | None) -> QuoteElsewhere | Waiting:
    if row is None or row["answered_at"] is None or not _is_for(row, need):
        return Waiting(trip=trip)
    if row["code"]:
        return Waiting(trip=trip, code=row["code"])
    alone = min(row["alone"], own_cost(need))  # the carrier's word on it proves nothing
    if row["price"] >= alone:
        return Waiting(trip=trip, code="price")
    return QuoteElsewhere(
        trip=trip, price=row["price"], alone=alone, pickup=row["pickup_at"], delivery=row["delivery_at"]
    )


def trips_to_ask(tx: Transaction, need: Need, trips: Sequence[Trip]) -> list[tuple[Trip, str, int]]:
    """The trips whose price for this need is not known, each with the id and number of the request, as written now."""
    rows = _rows(tx, need, trips)
    requests = []
    for trip in trips:
        row = rows.get(trip.id)
        if row is None or not _is_for(row, need) or not row["asked_at"] <= tx.now < row["asked_at"] + _patience(row):
            requests.append((trip, *_write(tx, need, trip, row)))
    return requests


def _patience(row: Row) -> timedelta:
    return FRESH if row["answered_at"] is not None else AGAIN


def _is_for(row: Mapping[str, object], need: Need) -> bool:
    return all(row[name] == getattr(need, name) for name in _ASKED)


def _write(tx: Transaction, need: Need, trip: Trip, before: Row | None) -> tuple[str, int]:
    load = {name: getattr(need, name) for name in _ASKED} | {"asked_at": tx.now}
    if before is None:
        quote_id = tx.new_id()
        row = {
            "id": quote_id,
            "enterprise_id": need.sender_id,
            "origin": need.key.origin,
            "sale_id": need.key.sale_id,
            "trip_id": trip.id,
            "number": 1,
            "answered_at": None,
            "code": "",
            "price": 0,
            "alone": 0,
        }
        tx.execute(insert(transport_quote).values(**row, **load))
        return quote_id, 1
    values = load if _is_for(before, need) else {**load, "answered_at": None}
    number = before["number"] + 1
    tx.execute(update(transport_quote).where(_quote.id == before["id"]).values(**values, number=number))
    return before["id"], number


def _rows(tx: Transaction, need: Need, trips: Sequence[Trip]) -> dict[str, Row]:
    of_need = (
        _quote.enterprise_id == need.sender_id,
        _quote.origin == need.key.origin,
        _quote.sale_id == need.key.sale_id,
    )
    query = select(transport_quote).where(*of_need, _quote.trip_id.in_([trip.id for trip in trips]))
    return {row["trip_id"]: row for row in tx.all(query)} if trips else {}
