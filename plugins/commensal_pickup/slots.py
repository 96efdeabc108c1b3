"""Slots: when a sale's goods can be collected at a place, and by how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, delete, func, insert, select

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Stale,
    Transaction,
    edit_row,
    refuse_foreign_session,
)

from .closures import closures_between
from .hours import lies_within
from .places import Place, held_place
from .tables import pickup_place, pickup_slot

MOST_SLOTS = 200  # of one sale session
MOST_ORDERS = 100_000  # in one slot
LONGEST = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A slot of a place in a sale session. `capacity` and `taken` count orders; no capacity: any number. UTC.

    With a `closure_id` the place is shut then: who has chosen the slot keeps it, and nobody else can.
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


class SlotChanges(TypedDict, total=False):
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
    """A new slot; times are aware. An `exceptional` one may lie outside the hours of the place, never in a closure.

    Raises `NotFound` for a session of another shop, `Invalid`, and `Conflict` where there are very many.
    """
    refuse_foreign_session(tx, enterprise_id, session_id)
    slot = new_slot(tx, session_id, place_id, begins_at, ends_at, capacity)
    problems = _problems(slot)
    place = taking_slots(tx, enterprise_id, place_id)
    if place is None:
        problems.append(Problem("no_place", "There is no such place.", "/place_id"))
    elif not problems:
        problems = _shut_problems(tx, place, slot, exceptional)
    if problems:
        raise Invalid(problems)
    refuse_too_many(tx, session_id, 1)
    tx.execute(insert(pickup_slot).values(asdict(slot)))
    return slot


def change_slot(
    tx: Transaction, enterprise_id: str, slot_id: str, version: int, *, exceptional: bool = False,
    **changes: Unpack[SlotChanges],
) -> Slot:  # fmt: skip
    """Other times are held against the hours and closures of the place, as those of a new slot are.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for a capacity below what is taken already.
    """
    old = slot_by_id(tx, enterprise_id, slot_id)
    new = replace(old, **changes)
    problems = _problems(new)
    if not problems and (new.begins_at, new.ends_at) != (old.begins_at, old.ends_at):
        problems = _shut_problems(tx, held_place(tx, enterprise_id, new.place_id), new, exceptional)
        new = replace(new, closure_id=None)
    if problems:
        raise Invalid(problems)
    enough = pickup_slot.c.taken <= (MOST_ORDERS if new.capacity is None else new.capacity)
    values = {name: getattr(new, name) for name in (*SlotChanges.__annotations__, "closure_id")}
    try:
        return Slot(
            **edit_row(tx, pickup_slot, *_theirs(enterprise_id, slot_id), enough, version=version, values=values)
        )
    except NotFound:
        raise _overbooked(slot_by_id(tx, enterprise_id, slot_id)) from None


def remove_slot(tx: Transaction, enterprise_id: str, slot_id: str, version: int) -> None:
    """Raises `NotFound`, `Stale`, and `Conflict` where somebody has chosen it."""
    mine = _theirs(enterprise_id, slot_id)
    gone = delete(pickup_slot).where(*mine, pickup_slot.c.version == version, pickup_slot.c.taken == 0)
    if tx.execute(gone).rowcount == 1:
        return
    slot = slot_by_id(tx, enterprise_id, slot_id)
    raise _overbooked(slot) if slot.taken else Stale()


def slot_by_id(tx: Transaction, enterprise_id: str, slot_id: str) -> Slot:
    """Raises `NotFound`, for a slot of another enterprise too."""
    return Slot(**tx.one(select(pickup_slot).where(*_theirs(enterprise_id, slot_id))))


def slots_of(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[Slot]:
    """All slots of the enterprise in a session, by time; there are few."""
    found = select(pickup_slot).where(pickup_slot.c.session_id == session_id, _at_places_of(enterprise_id))
    return [Slot(**row) for row in tx.all(found.order_by(pickup_slot.c.begins_at, pickup_slot.c.id))]


def new_slot(
    tx: Transaction, session_id: str, place_id: str, begins_at: datetime, ends_at: datetime, capacity: int | None
) -> Slot:
    """One that nobody has chosen, and that is not written yet."""
    return Slot(
        id=tx.new_id(), place_id=place_id, session_id=session_id, begins_at=begins_at, ends_at=ends_at,
        capacity=capacity, taken=0, closure_id=None, version=1,
    )  # fmt: skip


def taking_slots(tx: Transaction, enterprise_id: str, place_id: str) -> Place | None:
    """The place, held until the transaction ends; None for one that is archived, or another's."""
    try:
        place = held_place(tx, enterprise_id, place_id)
    except NotFound:
        return None
    return place if place.archived_at is None else None


def refuse_too_many(tx: Transaction, session_id: str, more: int) -> None:
    """Raises `Conflict` where a sale would have more slots than anybody looks through."""
    there = select(func.count()).where(pickup_slot.c.session_id == session_id)
    if tx.value(there) + more > MOST_SLOTS:
        raise Conflict("too_many_slots", "A sale has at most {most} slots.", most=MOST_SLOTS)


def _theirs(enterprise_id: str, slot_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pickup_slot.c.id == slot_id, _at_places_of(enterprise_id)


def _at_places_of(enterprise_id: str) -> ColumnElement[bool]:
    places = select(pickup_place.c.id).where(pickup_place.c.enterprise_id == enterprise_id)
    return pickup_slot.c.place_id.in_(places)


def _overbooked(slot: Slot) -> Conflict:
    return Conflict("taken", "{taken} orders have chosen this slot already.", taken=slot.taken)


def _problems(slot: Slot) -> list[Problem]:
    found = []
    if not timedelta(0) < slot.ends_at - slot.begins_at <= LONGEST:
        text = "A slot ends after it begins, and within {days} days."
        found.append(Problem("slot_times", text, "/ends_at", {"days": LONGEST.days}))
    if slot.capacity is not None and not 0 <= slot.capacity <= MOST_ORDERS:
        text = "A slot takes between 0 and {most} orders."
        found.append(Problem("capacity", text, "/capacity", {"most": MOST_ORDERS}))
    return found


def _shut_problems(tx: Transaction, place: Place, slot: Slot, exceptional: bool) -> list[Problem]:
    """Customers must not stand before a shut door. An exception to the hours is possible, but must be said."""
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
