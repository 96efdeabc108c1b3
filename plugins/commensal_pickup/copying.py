"""Slots follow their sale: they are copied with it, and move along with its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, select, true, update

from commensal import (
    Conflict,
    Enterprise,
    Row,
    SaleSession,
    Transaction,
    hookimpl,
    insert_rows,
    moved_along,
    moved_span,
    moved_to_distribution,
    shifted,
    write_moved,
)

from .hours import Hours, Span, lies_within
from .slots import Closure, new_slot, overlap, read_closure
from .tables import pickup_closure, pickup_place, pickup_slot

_FAR = timedelta(days=366)  # no slot of a sale begins earlier than so long before its distribution


@hookimpl
def sale_copied(tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str) -> None:
    """Copies each slot with the same distance to the distribution, in the shop's local time, and without orders.

    Leaves out slots that could not be added by hand: those of archived places, outside the hours, or in a closure.
    Three statements, whatever the number of slots.
    """
    rows = _locked_slots(tx, source, pickup_place.c.archived_at.is_(None))
    move = partial(shifted, timezone=timezone, start=source.begins_at, new_start=copy.begins_at)
    moved = {row["id"]: moved_span(move, row["begins_at"], row["ends_at"]) for row in rows}
    open_then = _open_spans(tx, rows, moved, copy.begins_at)
    slots = [
        new_slot(tx, copy.id, row["place_id"], *open_then[row["id"]], row["capacity"])
        for row in rows
        if row["id"] in open_then
    ]
    insert_rows(tx, pickup_slot, [asdict(slot) for slot in slots])


@hookimpl
def sale_moved(tx: Transaction, before: SaleSession, session: SaleSession, timezone: str, orders_follow: bool) -> None:
    """Moves slots without orders along with the distribution. Those that would come to hours in which their place is
    closed stay: nobody is offered them, and the page of slots says so.

    If `orders_follow`, all slots move, also out of the hours of their place: the hub has chosen the day. Raises
    `Conflict` if a place with orders is closed then.
    """
    if orders_follow:
        _move_with_orders(tx, before, session, timezone)
        return
    rows = _locked_slots(tx, session, pickup_slot.c.taken == 0)
    moved = moved_along(_spans(rows), before, session, timezone)
    write_moved(tx, pickup_slot, _open_spans(tx, rows, moved, session.begins_at))


def _move_with_orders(tx: Transaction, before: SaleSession, session: SaleSession, timezone: str) -> None:
    """Moves all slots; one that a closure held at its old time takes orders again."""
    rows = _locked_slots(tx, session, true())
    moved = moved_along(_spans(rows), before, session, timezone, orders_follow=True)
    if not moved:
        return
    closures = _closures_of(tx, rows, session.begins_at)
    for row in rows:
        closure = _closure_at(row, closures, moved[row["id"]])
        if closure is not None and row["taken"]:
            raise Conflict("closed_then", "{place} is closed then: {reason}.", place=row["name"], reason=closure.reason)
        if closure is not None:
            del moved[row["id"]]
    write_moved(tx, pickup_slot, moved, orders_follow=True)
    tx.execute(update(pickup_slot).where(pickup_slot.c.id.in_(list(moved))).values(closure_id=None))


def move_to_distribution(tx: Transaction, shop: Enterprise, session: SaleSession) -> None:
    """Moves the slots outside the distribution that have no orders, all by the same distance on the clock, so that the
    first of them begins with it. Raises `Conflict` if none can be moved, also because places are closed then."""
    rows = _locked_slots(tx, session, pickup_slot.c.taken == 0)
    moved = _open_spans(tx, rows, moved_to_distribution(_spans(rows), session, shop.timezone), session.begins_at)
    if not moved:
        raise Conflict("places_closed", "The places of these slots are closed during the hand-out.")
    write_moved(tx, pickup_slot, moved)


def _locked_slots(tx: Transaction, session: SaleSession, condition: ColumnElement[bool]) -> Sequence[Row]:
    """The shop's slots of a sale with the hours of their places; no closure can be added meanwhile."""
    slot, place = pickup_slot.c, pickup_place.c
    joined = select(pickup_slot, place.name, place.hours, place.timezone).join_from(
        pickup_slot, pickup_place, slot.place_id == place.id
    )
    of_sale = joined.where(slot.session_id == session.id, place.enterprise_id == session.enterprise_id, condition)
    return tx.all(of_sale.with_for_update(read=True, of=pickup_place).order_by(slot.begins_at, slot.id))


def _spans(rows: Sequence[Row]) -> dict[str, Span]:
    return {row["id"]: (row["begins_at"], row["ends_at"]) for row in rows}


def _open_spans(tx: Transaction, rows: Sequence[Row], moved: dict[str, Span], begins_at: datetime) -> dict[str, Span]:
    """Those of the new times of these slots at which their places are open."""
    if not moved:
        return {}
    closures = _closures_of(tx, rows, begins_at)
    place_of = {row["id"]: row for row in rows}
    return {slot: span for slot, span in moved.items() if _is_open(place_of[slot], closures, span)}


def _closures_of(tx: Transaction, rows: Sequence[Row], begins_at: datetime) -> list[Closure]:
    """The closures of the places of these slots that matter for a distribution at that moment."""
    query = select(pickup_closure).where(
        pickup_closure.c.place_id.in_({row["place_id"] for row in rows}),
        pickup_closure.c.last_day >= f"{begins_at - _FAR:%Y-%m-%d}",
    )
    return [read_closure(row) for row in tx.all(query)]


def _closure_at(row: Row, closures: Sequence[Closure], span: Span) -> Closure | None:
    """The closure of the slot's place that overlaps with this span."""
    of_place = (closure for closure in closures if closure.place_id == row["place_id"])
    return next((closure for closure in of_place if overlap(closure.span(row["timezone"]), span)), None)


def _is_open(row: Row, closures: Sequence[Closure], span: Span) -> bool:
    hours = [Hours(**opening) for opening in row["hours"]]
    return lies_within(hours, row["timezone"], *span) and _closure_at(row, closures, span) is None
