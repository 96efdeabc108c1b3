"""Calendars of pickup: a customer's own slot, and all slots of a place for those who stand behind its table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, delete, insert, select

from commensal import (
    NotFound,
    Order,
    Row,
    Transaction,
    enterprise_by_id,
    fingerprint,
    plural,
    translate,
)

from .booking import PREFIX, address_of
from .ical import CalendarEvent, calendar
from .places import held_place
from .tables import pickup_calendar, pickup_closure, pickup_place, pickup_slot

KEPT = timedelta(days=60)  # slots that are over for longer leave the calendar of a place
MOST_EVENTS = 1000


@dataclass(frozen=True, kw_only=True)
class CalendarLink:
    """The address of a place's calendar. Whoever has it can read the slots, without the names of customers."""

    url: str


def open_calendar(tx: Transaction, enterprise_id: str, place_id: str, secret: str) -> None:
    """Lets the calendar of a place be read with this secret, and no longer with an earlier one. Raises `NotFound`."""
    held_place(tx, enterprise_id, place_id)
    tx.execute(delete(pickup_calendar).where(pickup_calendar.c.place_id == place_id))
    tx.execute(insert(pickup_calendar).values(place_id=place_id, secret_hash=fingerprint(secret)))


def close_calendar(tx: Transaction, enterprise_id: str, place_id: str) -> None:
    """Nobody can read it any more. Raises `NotFound` for a place of another enterprise, or without a calendar."""
    held_place(tx, enterprise_id, place_id)
    if tx.execute(delete(pickup_calendar).where(pickup_calendar.c.place_id == place_id)).rowcount != 1:
        raise NotFound


def place_calendar(tx: Transaction, secret: str, host: str) -> bytes:
    """The slots of the place that this secret opens, in the language of its enterprise. Raises `NotFound`."""
    mine = pickup_calendar.c.secret_hash == fingerprint(secret)
    opened = select(pickup_place).join(pickup_calendar, pickup_calendar.c.place_id == pickup_place.c.id)
    place = tx.one(opened.where(mine))
    enterprise = enterprise_by_id(tx, place["enterprise_id"])
    slot = pickup_slot.c
    of_place = _slots().where(slot.place_id == place["id"], slot.ends_at > tx.now - KEPT)
    rows = tx.all(of_place.order_by(slot.begins_at, slot.id).limit(MOST_EVENTS))
    events = [_of_slot(row, enterprise.language, host) for row in rows]
    return calendar(f"{place['name']} – {enterprise.name}", events, tx.now)


def order_calendar(tx: Transaction, order: Order, language: str, host: str) -> bytes:
    """When and where an order is collected. Raises `NotFound` for one that is not."""
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
        location=_location(row),
        description=row["note"],
        cancelled=order.state == "Cancelled",
    )
    return calendar(shop, [event], tx.now)


def _of_slot(row: Row, language: str, host: str) -> CalendarEvent:
    chosen = plural(language, "{number} order", "{number} orders", row["taken"]).format(number=row["taken"])
    shut = row["reason"] is not None
    said = translate(language, "closed: {reason}").format(reason=row["reason"]) if shut else ""
    return CalendarEvent(
        uid=f"slot-{row['id']}@{host}",
        sequence=row["version"],
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        summary=f"{row['name']} – {chosen}",
        location=_location(row),
        description=said,
        cancelled=shut and not row["taken"],
    )


def _location(row: Row) -> str:
    return ", ".join(part for part in (row["name"], address_of(row)) if part)


def _slots() -> Select[tuple[object, ...]]:
    """Slots with their place, and the reason where it is shut then."""
    place = [pickup_place.c[name] for name in ("name", "street", "postcode", "city", "note")]
    joined = select(pickup_slot, *place, pickup_closure.c.reason).join_from(
        pickup_slot, pickup_place, pickup_place.c.id == pickup_slot.c.place_id
    )
    return joined.outerjoin(pickup_closure, pickup_closure.c.id == pickup_slot.c.closure_id)
