"""Closures: days on which a place is closed regardless of its hours. Its slots on those days take no more orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from commensal import Row, RowQuery, Transaction

from .hours import Span
from .places import Place, place_by_id
from .tables import pickup_closure


@dataclass(frozen=True, kw_only=True)
class Closure:
    """Whole days, the last one included, in the place's time zone. Customers read the reason; `reasons` is the same in
    further languages, by their ISO 639 codes."""

    id: str
    place_id: str
    first_day: date
    last_day: date
    reason: str
    reasons: Mapping[str, str] = field(default_factory=dict)

    def span(self, timezone: str) -> Span:
        """From midnight at the beginning of the first day to midnight at the end of the last day."""
        zone = ZoneInfo(timezone)
        end = self.last_day + timedelta(days=1)
        return datetime.combine(self.first_day, time.min, zone), datetime.combine(end, time.min, zone)


def closures_of(
    tx: Transaction, enterprise_id: str, place_id: str, *, after: str = "", limit: int = 50
) -> Sequence[Closure]:
    """The place's present and future closures, ordered by id. Raises `NotFound` for a place of another enterprise."""
    query = closures_ahead(tx, place_by_id(tx, enterprise_id, place_id)).where(pickup_closure.c.id > after)
    return [read_closure(row) for row in tx.all(query.order_by(pickup_closure.c.id).limit(limit))]


def closures_between(tx: Transaction, place: Place, span: Span) -> Sequence[Closure]:
    """The place's closures that overlap with `span` (aware times)."""
    zone, row = ZoneInfo(place.timezone), pickup_closure.c
    first, last = (moment.astimezone(zone).date().isoformat() for moment in span)
    query = select(pickup_closure).where(row.place_id == place.id, row.first_day <= last, row.last_day >= first)
    return [closure for closure in map(read_closure, tx.all(query)) if overlap(closure.span(place.timezone), span)]


def overlap(span: Span, other: Span) -> bool:
    """Whether two spans overlap; spans that only touch do not."""
    return span[0] < other[1] and other[0] < span[1]


def closures_ahead(tx: Transaction, place: Place) -> RowQuery:
    """The query for the place's present and future closures."""
    today = tx.now.astimezone(ZoneInfo(place.timezone)).date().isoformat()
    return select(pickup_closure).where(pickup_closure.c.place_id == place.id, pickup_closure.c.last_day >= today)


def read_closure(row: Row) -> Closure:
    """Makes a closure from a row of `pickup_closure`."""
    days = {name: date.fromisoformat(row[name]) for name in ("first_day", "last_day")}
    return Closure(id=row["id"], place_id=row["place_id"], reason=row["reason"], reasons=row["reasons"], **days)
