"""Addresses under which calendars are read: an order's by whoever may see the order, a place's with its secret."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from commensal import (
    Instance,
    MenuItem,
    Order,
    Refused,
    Unauthorised,
    Visit,
    fingerprint,
    hookimpl,
    order_by_id,
    order_by_secret,
    page,
    say,
    translate,
)

from .booking import PREFIX
from .calendars import order_calendar, place_calendar
from .ical import MEDIA_TYPE


def own_order(visit: Visit) -> Response:
    """For the person whose order it is."""
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        order = order_by_id(tx, visit.path["order"], person_id=visit.actor.person_id)
        return _file(order_calendar(tx, order, visit.language, host_of(visit.instance)), f"order-{order.number}.ics")


def guest_order(visit: Visit) -> Response:
    """For a guest, by the secret that opens their order."""
    with visit.read() as tx:
        order = order_by_secret(tx, fingerprint(visit.path["secret"]))
        return _file(order_calendar(tx, order, visit.language, host_of(visit.instance)), f"order-{order.number}.ics")


def place(visit: Visit) -> Response:
    """For a calendar that asks again and again."""
    with visit.read() as tx:
        return _file(place_calendar(tx, visit.path["secret"], host_of(visit.instance)), "slots.ics")


def place_url(instance: Instance, secret: str) -> str:
    """Where a calendar finds the slots of the place that this secret opens."""
    return f"{instance.settings.base_url.rstrip('/')}/-/pickup/places/{secret}.ics"


def host_of(instance: Instance) -> str:
    """What makes the names of calendar entries unique in the world."""
    return urlsplit(instance.settings.base_url).hostname or "commensal"


def on_error(visit: Visit, error: Exception) -> Response:
    """Calendars show nothing to anybody; a person who opened the address by hand reads a line."""
    if isinstance(error, Refused):
        return PlainTextResponse(say(visit.language, error), error.status)
    return PlainTextResponse(translate(visit.language, "Something went wrong on our side. Nothing was done."), 500)


@hookimpl
def order_links(order: Order, page: str, language: str) -> Sequence[MenuItem] | None:
    """The calendar of an order that is still to be collected."""
    if not order.shipping.startswith(PREFIX) or order.state == "Cancelled" or order.fulfilment_state == "Fulfilled":
        return None
    return [MenuItem(label=translate(language, "Put it into my calendar"), url=f"/-/pickup{page}.ics")]


@hookimpl
def routes(instance: Instance) -> Sequence[BaseRoute]:
    return [
        page("/orders/guest/{secret}.ics", guest_order, on_error=on_error),
        page("/orders/{order}.ics", own_order, on_error=on_error),
        page("/places/{secret}.ics", place, on_error=on_error),
    ]


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)
