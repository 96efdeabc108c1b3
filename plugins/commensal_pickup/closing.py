"""Shuts a place for some days, and opens it again: slots follow, and say which orders are hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, func, insert, update

from commensal import Conflict, Invalid, NotFound, Problem, Transaction, read_text

from .closures import Closure, closures_ahead, closures_between, read_closure
from .places import Place, held_place
from .slots import Slot
from .tables import pickup_closure, pickup_slot

MOST_CLOSURES = 200  # of one place, that are not over
LONGEST = timedelta(days=1000)
_YEARS = 10  # ahead and back; days at the end of the calendar cannot be converted between time zones


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A new closure, and the slots it hits that customers have chosen: they keep their orders until somebody acts."""

    closure: Closure
    slots: Sequence[Slot]


def add_closure(
    tx: Transaction, enterprise_id: str, place_id: str, *, first_day: date, last_day: date | None = None, reason: str
) -> Closing:
    """Shuts a place, for one day unless told otherwise. Its slots on these days stay, but take no more orders.

    Raises `NotFound`, `Invalid`, and `Conflict` where there are very many.
    """
    place = held_place(tx, enterprise_id, place_id)
    problems: list[Problem] = []
    closure = Closure(
        id=tx.new_id(),
        place_id=place_id,
        first_day=first_day,
        last_day=last_day or first_day,
        reason=read_text(reason, "/reason", problems, least=1),
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
    tx.execute(insert(pickup_closure).values(id=closure.id, place_id=place_id, reason=closure.reason, **days))
    hit = sorted(_shut(tx, place, closure), key=lambda slot: slot.begins_at)
    return Closing(closure=closure, slots=[slot for slot in hit if slot.taken])


def remove_closure(tx: Transaction, enterprise_id: str, place_id: str, closure_id: str) -> None:
    """The place is open again, and its slots take orders, but for those that lie in another closure.

    Raises `NotFound`.
    """
    place = held_place(tx, enterprise_id, place_id)
    slot, row = pickup_slot.c, pickup_closure.c
    tx.execute(
        update(pickup_slot).where(slot.closure_id == closure_id, slot.place_id == place_id), {"closure_id": None}
    )
    gone = tx.first(
        delete(pickup_closure).where(row.id == closure_id, row.place_id == place_id).returning(*pickup_closure.c)
    )
    if gone is None:
        raise NotFound
    for other in closures_between(tx, place, read_closure(gone).span(place.timezone)):
        _shut(tx, place, other)


def _shut(tx: Transaction, place: Place, closure: Closure) -> Sequence[Slot]:
    """One guarded statement: an order that takes a slot waits for it, or was there before it."""
    begins_at, ends_at = closure.span(place.timezone)
    slot = pickup_slot.c
    hit = (slot.place_id == place.id, slot.begins_at < ends_at, slot.ends_at > begins_at, slot.closure_id.is_(None))
    shut = update(pickup_slot).where(*hit).values(closure_id=closure.id).returning(*pickup_slot.c)
    return [Slot(**row) for row in tx.all(shut)]
