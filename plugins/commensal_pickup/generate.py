"""Divides the opening hours of a place into slots for a sale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import select

from commensal import (
    Invalid,
    Problem,
    Transaction,
    capacity_problems,
    insert_rows,
    refuse_foreign_session,
    refuse_too_many_slots,
    sale_by_id,
)

from .hours import Span, openings
from .slots import Slot, closures_between, locked_active_place, new_slot, overlap
from .tables import pickup_slot

SHORTEST, LONGEST = 5, 1440  # minutes


def generate_slots(
    tx: Transaction, enterprise_id: str, session_id: str, *, place_id: str, minutes: int, capacity: int | None = None
) -> Sequence[Slot]:
    """Adds slots of this length for all the time of the sale's distribution in which the place is open.

    A rest at the end of the hours that is shorter than a slot stays free. No slot is made during existing slots and
    closures, so a second call adds nothing. Raises `NotFound`, `Invalid`, and `Conflict` if a sale would have too many
    slots.
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


def _problems(minutes: int, capacity: int | None) -> list[Problem]:
    problems = []
    if not SHORTEST <= minutes <= LONGEST:
        text = "A slot lasts between {least} and {most} minutes."
        problems.append(Problem("minutes", text, "/minutes", {"least": SHORTEST, "most": LONGEST}))
    return [*problems, *capacity_problems(capacity)]
