"""Lets slots come along when a sale is made after the model of another one."""

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

_FAR = timedelta(days=366)  # no slot of a sale begins longer before its distribution


@hookimpl
def sale_copied(tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str) -> None:
    """Each slot stands as far from the new distribution as it did from the old one, on the clocks of the shop.

    Nobody has chosen the new ones. What could not be made by hand stays behind: slots of archived places, outside the
    hours, or in a closure. Three statements, whatever the number of slots.
    """
    slot, place, closure = pickup_slot.c, pickup_place.c, pickup_closure.c
    mine = (slot.session_id == source.id, place.enterprise_id == copy.enterprise_id, place.archived_at.is_(None))
    joined = select(pickup_slot, place.hours, place.timezone).join_from(
        pickup_slot, pickup_place, slot.place_id == place.id
    )
    held = joined.where(*mine).with_for_update(read=True, of=pickup_place)  # no closure comes in between
    rows = tx.all(held.order_by(slot.begins_at, slot.id))
    move = partial(shifted, timezone=timezone, start=source.begins_at, new_start=copy.begins_at)
    moved = [(row, moved_span(move, row["begins_at"], row["ends_at"])) for row in rows]
    ahead = select(pickup_closure).where(
        closure.place_id.in_({row["place_id"] for row in rows}),
        closure.last_day >= f"{copy.begins_at - _FAR:%Y-%m-%d}",
    )
    closures = [read_closure(row) for row in tx.all(ahead)] if rows else []
    made = [
        new_slot(tx, copy.id, row["place_id"], *span, row["capacity"])
        for row, span in moved
        if _is_open(row, closures, span)
    ]
    insert_rows(tx, pickup_slot, [asdict(one) for one in made])


def _is_open(row: Row, closures: list[Closure], span: Span) -> bool:
    hours = [Hours(**one) for one in row["hours"]]
    shut = (one.span(row["timezone"]) for one in closures if one.place_id == row["place_id"])
    return lies_within(hours, row["timezone"], *span) and not any(overlap(one, span) for one in shut)
