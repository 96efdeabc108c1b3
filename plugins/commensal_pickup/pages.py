"""Calendar and code of an order for those who may see it, and the calendar of a place for holders of its secret."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from urllib.parse import urlsplit

import segno
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from commensal import (
    CALENDAR_TYPE,
    Instance,
    MenuItem,
    Order,
    Refused,
    Unauthorised,
    fingerprint,
    hookimpl,
    order_by_id,
    order_by_secret,
    say,
    translate,
)
from commensal.pages import Visit, page

from .booking import PREFIX
from .calendars import order_calendar, place_calendar


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
        MenuItem(label=translate(language, "Code to show when you collect"), url=f"/-/pickup{page}.svg"),
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
