"""Calendars: a customer's own slot, and all slots of a place for the people who work there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select

from commensal import (
    CalendarEvent,
    NotFound,
    Order,
    Row,
    RowQuery,
    Transaction,
    calendar,
    enterprise_by_id,
    fingerprint,
    plural,
    translate,
)

from .booking import PREFIX, address_of, name_of, note_of, reason_of
from .places import locked_place
from .tables import pickup_calendar, pickup_closure, pickup_place, pickup_slot

KEPT = timedelta(days=60)  # for so long the calendar of a place shows past slots
MOST_EVENTS = 1000


@dataclass(frozen=True, kw_only=True)
class CalendarLink:
    """The address of a place's calendar. Everybody with the address can read the slots, without names of customers."""

    url: str


def open_calendar(tx: Transaction, enterprise_id: str, place_id: str, secret: str) -> None:
    """Makes the calendar of a place readable with this secret; earlier secrets stop working. Raises `NotFound`."""
    locked_place(tx, enterprise_id, place_id)
    tx.execute(delete(pickup_calendar).where(pickup_calendar.c.place_id == place_id))
    tx.execute(insert(pickup_calendar).values(place_id=place_id, secret_hash=fingerprint(secret)))


def close_calendar(tx: Transaction, enterprise_id: str, place_id: str) -> None:
    """Makes the calendar unreadable. Raises `NotFound` for a place of another enterprise, or without a calendar."""
    locked_place(tx, enterprise_id, place_id)
    if tx.execute(delete(pickup_calendar).where(pickup_calendar.c.place_id == place_id)).rowcount != 1:
        raise NotFound


def place_calendar(tx: Transaction, secret: str, host: str) -> bytes:
    """The calendar with the slots of the place of this secret, in its enterprise's language. Raises `NotFound`."""
    has_secret = pickup_calendar.c.secret_hash == fingerprint(secret)
    query = select(pickup_place).join(pickup_calendar, pickup_calendar.c.place_id == pickup_place.c.id)
    place = tx.one(query.where(has_secret))
    enterprise = enterprise_by_id(tx, place["enterprise_id"])
    slot = pickup_slot.c
    slots = _slots().where(slot.place_id == place["id"], slot.ends_at > tx.now - KEPT)
    rows = tx.all(slots.order_by(slot.begins_at, slot.id).limit(MOST_EVENTS))
    events = [_slot_event(row, enterprise.language, host) for row in rows]
    return calendar(f"{place['name']} – {enterprise.name}", events, tx.now)


def order_calendar(tx: Transaction, order: Order, language: str, host: str) -> bytes:
    """The calendar with time and place of an order's pickup. Raises `NotFound` for an order without pickup."""
    if not order.shipping.startswith(PREFIX):
        raise NotFound
    row = tx.one(_slots().where(pickup_slot.c.id == order.shipping.removeprefix(PREFIX)))
    shop = enterprise_by_id(tx, order.enterprise_id).name
    title = translate(language, "Collect order {number} ({shop})").format(number=order.number, shop=shop)
    event = CalendarEvent(
        uid=f"order-{order.id}@{host}",
        sequence=order.version,
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        summary=title,
        location=_location(row, language),
        description=note_of(row, language),
        cancelled=order.state == "Cancelled",
    )
    return calendar(shop, [event], tx.now)


def _slot_event(row: Row, language: str, host: str) -> CalendarEvent:
    orders = plural(language, "{number} order", "{number} orders", row["taken"]).format(number=row["taken"])
    is_closed = row["reason"] is not None
    description = translate(language, "closed: {reason}").format(reason=reason_of(row, language)) if is_closed else ""
    return CalendarEvent(
        uid=f"slot-{row['id']}@{host}",
        sequence=row["version"],
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        summary=f"{name_of(row, language)} – {orders}",
        location=_location(row, language),
        description=description,
        cancelled=is_closed and not row["taken"],
    )


def _location(row: Row, language: str) -> str:
    return ", ".join(part for part in (name_of(row, language), address_of(row)) if part)


def _slots() -> RowQuery:
    """The query for slots with their place, and the reason if they are closed."""
    place = [pickup_place.c[name] for name in ("name", "names", "street", "postcode", "city", "note", "notes")]
    joined = select(pickup_slot, *place, pickup_closure.c.reason, pickup_closure.c.reasons).join_from(
        pickup_slot, pickup_place, pickup_place.c.id == pickup_slot.c.place_id
    )
    return joined.outerjoin(pickup_closure, pickup_closure.c.id == pickup_slot.c.closure_id)
