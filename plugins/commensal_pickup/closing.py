"""Adds and removes closures of a place, and marks the slots that they affect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from commensal import Conflict, Invalid, NotFound, Problem, Transaction, read_others, read_text

from .places import Place, locked_place
from .slots import Closure, Slot, closures_ahead, closures_between, read_closure
from .tables import pickup_closure, pickup_place, pickup_slot

MOST_CLOSURES = 200  # of one place, that are not over
LONGEST = timedelta(days=1000)
_YEARS = 10  # before and after now; days at the end of the calendar cannot be converted between time zones


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A new closure, and the affected slots with orders. They keep their orders until the coordinator acts."""

    closure: Closure
    slots: Sequence[Slot]


@dataclass(frozen=True, kw_only=True)
class ClosedSlot:
    """A slot of a closed place that orders hold all the same. Times are UTC; `timezone` and `reason` the place's."""

    id: str
    session_id: str
    place_id: str
    place: str
    begins_at: datetime
    ends_at: datetime
    taken: int
    timezone: str
    reason: str


def closed_with_orders(tx: Transaction, enterprise_id: str) -> Sequence[ClosedSlot]:
    """The enterprise's closed slots that are not over and that orders hold, by time, in one statement."""
    slot, place, closure = pickup_slot.c, pickup_place.c, pickup_closure.c
    statement = (
        select(
            slot.id,
            slot.session_id,
            slot.place_id,
            place.name.label("place"),
            slot.begins_at,
            slot.ends_at,
            slot.taken,
            place.timezone,
            closure.reason,
        )
        .join_from(pickup_slot, pickup_place, place.id == slot.place_id)
        .join(pickup_closure, closure.id == slot.closure_id)
        .where(place.enterprise_id == enterprise_id, slot.taken > 0, slot.ends_at > tx.now)
        .order_by(slot.begins_at, slot.id)
    )
    return [ClosedSlot(**row) for row in tx.all(statement)]


def add_closure(
    tx: Transaction,
    enterprise_id: str,
    place_id: str,
    *,
    first_day: date,
    last_day: date | None = None,
    reason: str,
    reasons: Mapping[str, str] | None = None,
) -> Closing:
    """Closes a place, for one day if `last_day` is None. Its slots on these days stay, but take no more orders.
    `reasons` is the reason in further languages, by their ISO 639 codes.

    Raises `NotFound`, `Invalid`, and `Conflict` if there are too many closures.
    """
    place = locked_place(tx, enterprise_id, place_id)
    problems: list[Problem] = []
    closure = Closure(
        id=tx.new_id(),
        place_id=place_id,
        first_day=first_day,
        last_day=last_day or first_day,
        reason=read_text(reason, "/reason", problems, least=1),
        reasons=read_others(reasons or {}, "/reasons", problems, lambda text, where: read_text(text, where, problems)),
    )
    if not timedelta(0) <= closure.last_day - closure.first_day <= LONGEST:
        text = "A closure ends on its first day or after it, and within {days} days."
        problems.append(Problem("closure_days", text, "/last_day", {"days": LONGEST.days}))
    if abs(closure.first_day.year - tx.now.year) > _YEARS:
        problems.append(Problem("closure_year", "A closure is within {years} years.", "/first_day", {"years": _YEARS}))
    if problems:
        raise Invalid(problems)
    if tx.value(closures_ahead(tx, place).with_only_columns(func.count())) >= MOST_CLOSURES:
        raise Conflict("too_many_closures", "A place has at most {most} closures ahead.", most=MOST_CLOSURES)
    days = {"first_day": closure.first_day.isoformat(), "last_day": closure.last_day.isoformat()}
    texts = {"reason": closure.reason, "reasons": closure.reasons}
    tx.execute(insert(pickup_closure).values(id=closure.id, place_id=place_id, **texts, **days))
    affected = sorted(_close_slots(tx, place, closure), key=lambda slot: slot.begins_at)
    return Closing(closure=closure, slots=[slot for slot in affected if slot.taken])


def remove_closure(tx: Transaction, enterprise_id: str, place_id: str, closure_id: str) -> None:
    """Removes a closure; its slots take orders again, except those in another closure. Raises `NotFound`."""
    place = locked_place(tx, enterprise_id, place_id)
    slot, row = pickup_slot.c, pickup_closure.c
    tx.execute(
        update(pickup_slot).where(slot.closure_id == closure_id, slot.place_id == place_id), {"closure_id": None}
    )
    removed = tx.first(
        delete(pickup_closure).where(row.id == closure_id, row.place_id == place_id).returning(*pickup_closure.c)
    )
    if removed is None:
        raise NotFound
    for other in closures_between(tx, place, read_closure(removed).span(place.timezone)):
        _close_slots(tx, place, other)


def _close_slots(tx: Transaction, place: Place, closure: Closure) -> Sequence[Slot]:
    """Closes the slots within a closure. One guarded statement: an order for such a slot comes before it or waits."""
    begins_at, ends_at = closure.span(place.timezone)
    slot = pickup_slot.c
    conditions = (
        slot.place_id == place.id,
        slot.begins_at < ends_at,
        slot.ends_at > begins_at,
        slot.closure_id.is_(None),
    )
    statement = update(pickup_slot).where(*conditions).values(closure_id=closure.id).returning(*pickup_slot.c)
    return [Slot(**row) for row in tx.all(statement)]
