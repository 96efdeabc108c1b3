"""Calendars: a customer's own slot, and all slots of a place for the people who work there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import segno
from sqlalchemy import delete, insert, select
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from commensal import (
    CALENDAR_TYPE,
    CalendarEvent,
    Instance,
    MenuItem,
    NotFound,
    Order,
    Refused,
    Row,
    RowQuery,
    Transaction,
    Unauthorised,
    calendar,
    enterprise_by_id,
    fingerprint,
    hookimpl,
    order_by_id,
    order_by_secret,
    plural,
    say,
    translate,
)
from commensal.pages import Visit, page

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


# Calendar and code of an order for those who may see it, and the calendar of a place for holders of its secret.


def own_order(visit: Visit) -> Response:
    """The calendar of an order, for the person to whom it belongs."""
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        order = order_by_id(tx, visit.path["order"], person_id=visit.actor.person_id)
        return _file(order_calendar(tx, order, visit.language, host_of(visit.instance)), f"order-{order.number}.ics")


def guest_order(visit: Visit) -> Response:
    """The calendar of an order, for a guest with the order's secret."""
    with visit.read() as tx:
        order = order_by_secret(tx, fingerprint(visit.path["secret"]))
        return _file(order_calendar(tx, order, visit.language, host_of(visit.instance)), f"order-{order.number}.ics")


def own_code(visit: Visit) -> Response:
    """The code of an order for the camera at the hand-out, for the person to whom it belongs."""
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        return _code(order_by_id(tx, visit.path["order"], person_id=visit.actor.person_id))


def guest_code(visit: Visit) -> Response:
    """The code of an order for the camera at the hand-out, for a guest with the order's secret."""
    with visit.read() as tx:
        return _code(order_by_secret(tx, fingerprint(visit.path["secret"])))


def _code(order: Order) -> Response:
    """A picture with the order's id: it tells nothing to who has no list of orders."""
    picture = BytesIO()
    segno.make_qr(f"commensal:order:{order.id}").save(picture, kind="svg", scale=8, border=4, light="white")
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def place(visit: Visit) -> Response:
    """The calendar of a place, for calendars that subscribe to it."""
    with visit.read() as tx:
        return _file(place_calendar(tx, visit.path["secret"], host_of(visit.instance)), "slots.ics")


def place_url(instance: Instance, secret: str) -> str:
    """The address of the calendar of the place with this secret."""
    return f"{instance.settings.base_url.rstrip('/')}/-/pickup/places/{secret}.ics"


def host_of(instance: Instance) -> str:
    """The host that makes the ids of calendar entries globally unique."""
    return urlsplit(instance.settings.base_url).hostname or "commensal"


def on_error(visit: Visit, error: Exception) -> Response:
    """A line of text for people; calendars show no errors."""
    if isinstance(error, Refused):
        return PlainTextResponse(say(visit.language, error), error.status)
    return PlainTextResponse(translate(visit.language, "Something went wrong on our side. Nothing was done."), 500)


@hookimpl
def order_links(order: Order, page: str, language: str) -> Sequence[MenuItem] | None:
    """Links to the calendar of an order that is not collected yet, and to its code for the hand-out."""
    if not order.shipping.startswith(PREFIX) or order.state == "Cancelled" or order.fulfilment_state == "Fulfilled":
        return None
    return [
        MenuItem(label=translate(language, "Add to my calendar"), url=f"/-/pickup{page}.ics"),
        MenuItem(label=translate(language, "Code to show when you collect"), url=f"/-/pickup{page}.svg", code=True),
    ]


@hookimpl
def routes(instance: Instance) -> Sequence[BaseRoute]:
    return [
        page("/orders/guest/{secret}.ics", guest_order, on_error=on_error),
        page("/orders/{order}.ics", own_order, on_error=on_error),
        page("/orders/guest/{secret}.svg", guest_code, on_error=on_error),
        page("/orders/{order}.svg", own_code, on_error=on_error),
        page("/places/{secret}.ics", place, on_error=on_error),
    ]


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=CALENDAR_TYPE, headers=headers)
