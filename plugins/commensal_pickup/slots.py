"""Slots: the times at which orders of a sale can be collected at a place, with their capacity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, insert, select

from commensal import (
    Invalid,
    NotFound,
    Problem,
    Row,
    RowQuery,
    Transaction,
    capacity_problems,
    edit_slot,
    insert_rows,
    refuse_foreign_session,
    refuse_too_many_slots,
    remove_free_slot,
    sale_by_id,
    slot_problems,
)

from .hours import Span, lies_within, openings
from .places import Place, locked_place, place_by_id
from .tables import pickup_closure, pickup_place, pickup_slot

# Closures: days on which a place is closed regardless of its hours. Its slots on those days take no more orders.


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


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A slot of a place in a sale session. `capacity` and `taken` count orders; no capacity: any number. UTC.

    With a `closure_id` the place is closed at that time: existing orders keep the slot, and it takes no more.
    """

    id: str
    place_id: str
    session_id: str
    begins_at: datetime
    ends_at: datetime
    capacity: int | None
    taken: int
    closure_id: str | None
    version: int


class SlotFields(TypedDict, total=False):
    begins_at: datetime
    ends_at: datetime
    capacity: int | None


def add_slot(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    *,
    place_id: str,
    begins_at: datetime,
    ends_at: datetime,
    capacity: int | None = None,
    exceptional: bool = False,
) -> Slot:
    """Adds a slot; times are aware. An `exceptional` one may lie outside the hours of the place, never in a closure.

    Raises `NotFound` for a session of another shop, `Invalid`, and `Conflict` if the session has too many slots.
    """
    refuse_foreign_session(tx, enterprise_id, session_id)
    slot = new_slot(tx, session_id, place_id, begins_at, ends_at, capacity)
    problems = slot_problems(begins_at, ends_at, capacity)
    place = locked_active_place(tx, enterprise_id, place_id)
    if place is None:
        problems.append(Problem("no_place", "There is no such place.", "/place_id"))
    elif not problems:
        problems = _closed_problems(tx, place, slot, exceptional)
    if problems:
        raise Invalid(problems)
    refuse_too_many_slots(tx, pickup_slot, session_id)
    tx.execute(insert(pickup_slot).values(asdict(slot)))
    return slot


def change_slot(
    tx: Transaction,
    enterprise_id: str,
    slot_id: str,
    version: int,
    *,
    exceptional: bool = False,
    **changes: Unpack[SlotFields],
) -> Slot:
    """Changes a slot. New times must lie within the hours of the place and outside its closures, as in `add_slot`.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for a capacity below the number of orders in the slot.
    """
    old = slot_by_id(tx, enterprise_id, slot_id)
    new = replace(old, **changes)
    problems = slot_problems(new.begins_at, new.ends_at, new.capacity)
    if not problems and (new.begins_at, new.ends_at) != (old.begins_at, old.ends_at):
        problems = _closed_problems(tx, locked_place(tx, enterprise_id, new.place_id), new, exceptional)
        new = replace(new, closure_id=None)
    if problems:
        raise Invalid(problems)
    values = {name: getattr(new, name) for name in (*SlotFields.__annotations__, "closure_id")}
    conditions = _is_own(enterprise_id, slot_id)
    return Slot(**edit_slot(tx, pickup_slot, conditions, capacity=new.capacity, version=version, values=values))


def remove_slot(tx: Transaction, enterprise_id: str, slot_id: str, version: int) -> None:
    """Removes a slot without orders. Raises `NotFound`, `Stale`, and `Conflict` if it has orders."""
    remove_free_slot(tx, pickup_slot, _is_own(enterprise_id, slot_id), version)


def slot_by_id(tx: Transaction, enterprise_id: str, slot_id: str) -> Slot:
    """The enterprise's slot with this id. Raises `NotFound`, also for a slot of another enterprise."""
    return Slot(**tx.one(select(pickup_slot).where(*_is_own(enterprise_id, slot_id))))


def slots_of(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[Slot]:
    """All slots of the enterprise in a session, ordered by time. Their number is limited."""
    query = select(pickup_slot).where(pickup_slot.c.session_id == session_id, _at_places_of(enterprise_id))
    return [Slot(**row) for row in tx.all(query.order_by(pickup_slot.c.begins_at, pickup_slot.c.id))]


def new_slot(
    tx: Transaction, session_id: str, place_id: str, begins_at: datetime, ends_at: datetime, capacity: int | None
) -> Slot:
    """A slot without orders, not stored yet."""
    return Slot(
        id=tx.new_id(),
        place_id=place_id,
        session_id=session_id,
        begins_at=begins_at,
        ends_at=ends_at,
        capacity=capacity,
        taken=0,
        closure_id=None,
        version=1,
    )


def locked_active_place(tx: Transaction, enterprise_id: str, place_id: str) -> Place | None:
    """The place, locked until the transaction ends; None if it is archived or belongs to another enterprise."""
    try:
        place = locked_place(tx, enterprise_id, place_id)
    except NotFound:
        return None
    return place if place.archived_at is None else None


def _is_own(enterprise_id: str, slot_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pickup_slot.c.id == slot_id, _at_places_of(enterprise_id)


def _at_places_of(enterprise_id: str) -> ColumnElement[bool]:
    places = select(pickup_place.c.id).where(pickup_place.c.enterprise_id == enterprise_id)
    return pickup_slot.c.place_id.in_(places)


def _closed_problems(tx: Transaction, place: Place, slot: Slot, exceptional: bool) -> list[Problem]:
    """The problem with a slot while the place is closed. A slot outside the hours must be marked as exceptional."""
    span = (slot.begins_at, slot.ends_at)
    closures = closures_between(tx, place, span)
    if closures:
        text = "{place} is closed then: {reason}."
        values = {"place": place.name, "reason": closures[0].reason}
        return [Problem("closed_then", text, "/begins_at", values)]
    if exceptional or lies_within(place.hours, place.timezone, *span):
        return []
    text = "{place} is not open all that time; say that the slot is exceptional, or change the opening hours."
    return [Problem("outside_hours", text, "/begins_at", {"place": place.name})]


# Divides the opening hours of a place into slots for a sale.

SHORTEST, LONGEST = 5, 1440  # minutes


def generate_slots(
    tx: Transaction, enterprise_id: str, session_id: str, *, place_id: str, minutes: int, capacity: int | None = None
) -> Sequence[Slot]:
    """Adds slots of this length for all the time of the sale's distribution in which the place is open.

    A rest at the end of the hours of at least half a slot is a slot, too; a shorter one stays free. No slot is made
    during existing slots and closures, so a second call adds nothing. Raises `NotFound`, `Invalid`, and `Conflict` if a
    sale would have too many slots.
    """
    refuse_foreign_session(tx, enterprise_id, session_id)
    place = locked_active_place(tx, enterprise_id, place_id)
    problems = _problems(minutes, capacity)
    if place is None:
        problems.append(Problem("no_place", "There is no such place.", "/place_id"))
    elif not place.hours:
        text = "{place} has no opening hours yet; set them first."
        problems.append(Problem("no_hours", text, "/place_id", {"place": place.name}))
    if place is None or problems:
        raise Invalid(problems)
    session = sale_by_id(tx, session_id).session
    distribution = (session.begins_at, session.ends_at)
    query = select(pickup_slot.c.begins_at, pickup_slot.c.ends_at).where(
        pickup_slot.c.session_id == session_id, pickup_slot.c.place_id == place_id
    )
    occupied = [(row["begins_at"], row["ends_at"]) for row in tx.all(query)]
    occupied += [closure.span(place.timezone) for closure in closures_between(tx, place, distribution)]
    slots = [
        new_slot(tx, session_id, place_id, *piece, capacity)
        for span in openings(place.hours, place.timezone, *distribution)
        for piece in _cut(span, timedelta(minutes=minutes))
        if not any(overlap(piece, other) for other in occupied)
    ]
    refuse_too_many_slots(tx, pickup_slot, session_id, len(slots))
    insert_rows(tx, pickup_slot, [asdict(slot) for slot in slots])
    return slots


def _cut(span: Span, length: timedelta) -> Iterator[Span]:
    begins_at, end = span
    while begins_at + length <= end:
        yield begins_at, begins_at + length
        begins_at += length
    if end - begins_at >= max(length / 2, timedelta(minutes=SHORTEST)):
        yield begins_at, end


def _problems(minutes: int, capacity: int | None) -> list[Problem]:
    problems = []
    if not SHORTEST <= minutes <= LONGEST:
        text = "A slot lasts between {least} and {most} minutes."
        problems.append(Problem("minutes", text, "/minutes", {"least": SHORTEST, "most": LONGEST}))
    return [*problems, *capacity_problems(capacity)]
