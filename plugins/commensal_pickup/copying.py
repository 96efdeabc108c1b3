"""Copies slots when a sale is copied from another one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from commensal import Row, SaleSession, Transaction, hookimpl, insert_rows, moved_span, shifted

from .closures import Closure, overlap, read_closure
from .hours import Hours, Span, lies_within
from .slots import new_slot
from .tables import pickup_closure, pickup_place, pickup_slot

_FAR = timedelta(days=366)  # no slot of a sale begins earlier than so long before its distribution


@hookimpl
def sale_copied(tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str) -> None:
    """Copies each slot with the same distance to the distribution, in the shop's local time, and without orders.

    Leaves out slots that could not be added by hand: those of archived places, outside the hours, or in a closure.
    Three statements, whatever the number of slots.
    """
    slot, place, closure = pickup_slot.c, pickup_place.c, pickup_closure.c
    conditions = (slot.session_id == source.id, place.enterprise_id == copy.enterprise_id, place.archived_at.is_(None))
    joined = select(pickup_slot, place.hours, place.timezone).join_from(
        pickup_slot, pickup_place, slot.place_id == place.id
    )
    locked = joined.where(*conditions).with_for_update(read=True, of=pickup_place)  # no closure can be added meanwhile
    rows = tx.all(locked.order_by(slot.begins_at, slot.id))
    move = partial(shifted, timezone=timezone, start=source.begins_at, new_start=copy.begins_at)
    moved = [(row, moved_span(move, row["begins_at"], row["ends_at"])) for row in rows]
    query = select(pickup_closure).where(
        closure.place_id.in_({row["place_id"] for row in rows}),
        closure.last_day >= f"{copy.begins_at - _FAR:%Y-%m-%d}",
    )
    closures = [read_closure(row) for row in tx.all(query)] if rows else []
    slots = [
        new_slot(tx, copy.id, row["place_id"], *span, row["capacity"])
        for row, span in moved
        if _is_open(row, closures, span)
    ]
    insert_rows(tx, pickup_slot, [asdict(slot) for slot in slots])


def _is_open(row: Row, closures: list[Closure], span: Span) -> bool:
    hours = [Hours(**opening) for opening in row["hours"]]
    closed_spans = (closure.span(row["timezone"]) for closure in closures if closure.place_id == row["place_id"])
    return lies_within(hours, row["timezone"], *span) and not any(
        overlap(closed_span, span) for closed_span in closed_spans
    )
