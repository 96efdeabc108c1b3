"""JSON API for an enterprise's hooks and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from commensal import Body, Call, Endpoint, Page, Paging, Routes, changes, demand, hookimpl, page_of

from .deliveries import Delivery, deliveries_of, delivery_by_id, message_of, send_again, send_test
from .hooks import EventKind, Hook, HookWithSecret, add_hook, change_hook, hooks_of, new_secret, remove_hook

_routes = Routes("webhooks")

_TOLD = ("customers:read", "orders:read", "payments:read")  # what messages tell of

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Events = Annotated[tuple[EventKind, ...], msgspec.Meta(max_length=40)]


class NewHook(Body, frozen=True, kw_only=True):
    """`url` begins with https. No `events`: every kind but "notice". `personal`: messages say who the customers are."""

    url: Url
    events: Events = ()
    personal: bool = False


class HookPatch(Body, frozen=True, kw_only=True):
    """One that is switched on again, or gets another address, begins anew."""

    url: Url | msgspec.UnsetType = msgspec.UNSET
    events: Events | msgspec.UnsetType = msgspec.UNSET
    personal: bool | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class Deliveries(Paging, frozen=True, kw_only=True):
    state: Literal["", "waiting", "delivered", "parked", "dropped"] = ""


class DeliveryWithMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery, and the message as it is signed and sent."""

    delivery: Delivery
    message: str


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/hooks", scope="plugins:write")
def hooks(call: Call, enterprise: str) -> Sequence[Hook]:
    """Where the enterprise wants its events to be told, and how that goes."""
    return hooks_of(call.tx, enterprise)


@_routes.post("/enterprises/{enterprise}/hooks", scope="plugins:write", status=201, keeps=False)
def add_webhook(call: Call, enterprise: str, body: NewHook) -> HookWithSecret:
    """Adds an address. The answer shows its secret, once. Takes the scopes to read customers, orders, payments too."""
    _demand_what_is_told(call, enterprise)
    return add_hook(call.tx, call.instance, enterprise, url=body.url, events=body.events, personal=body.personal)


@_routes.patch("/enterprises/{enterprise}/hooks/{hook}", scope="plugins:write", edits=True)
def change_webhook(call: Call, enterprise: str, hook: str, body: HookPatch) -> Hook:
    """Changes an address or what it wants, switches it off, or on again. Takes the same scopes as adding one."""
    _demand_what_is_told(call, enterprise)
    return change_hook(call.tx, call.instance, enterprise, hook, call.version, **changes(body))


@_routes.delete("/enterprises/{enterprise}/hooks/{hook}", scope="plugins:write")
def remove_webhook(call: Call, enterprise: str, hook: str) -> None:
    """Removes an address with its deliveries."""
    remove_hook(call.tx, enterprise, hook)


@_routes.post("/enterprises/{enterprise}/hooks/{hook}/secret", scope="plugins:write", edits=True, keeps=False)
def renew_webhook_secret(call: Call, enterprise: str, hook: str) -> HookWithSecret:
    """Gives an address a new secret, and shows it once. For a day, messages are signed with the old one too."""
    return new_secret(call.tx, enterprise, hook, call.version)


@_routes.post("/enterprises/{enterprise}/hooks/{hook}/test", scope="plugins:write", status=201)
def test_webhook(call: Call, enterprise: str, hook: str) -> Delivery:
    """Sends a message of kind "test"."""
    return send_test(call.tx, enterprise, hook)


@_routes.get("/enterprises/{enterprise}/hooks/{hook}/deliveries", scope="plugins:write")
def webhook_deliveries(call: Call, enterprise: str, hook: str, query: Deliveries) -> Page[Delivery]:
    """What was sent there and what became of it, the newest first; kept for thirty days."""
    deliveries = deliveries_of(call.tx, enterprise, hook, state=query.state, after=query.after, limit=query.limit)
    return page_of(deliveries, query.limit, lambda delivery: delivery.id)


@_routes.get("/enterprises/{enterprise}/deliveries/{delivery}", scope="plugins:write")
def webhook_delivery(call: Call, enterprise: str, delivery: str) -> DeliveryWithMessage:
    """One delivery, with its message. Takes the scopes to read customers, orders and payments too."""
    _demand_what_is_told(call, enterprise)
    record = delivery_by_id(call.tx, enterprise, delivery)
    return DeliveryWithMessage(delivery=record, message=message_of(call.tx, enterprise, delivery))


@_routes.post("/enterprises/{enterprise}/deliveries/{delivery}/again", scope="plugins:write")
def send_webhook_again(call: Call, enterprise: str, delivery: str) -> Delivery:
    """Sends a message again that was delivered, parked or dropped."""
    return send_again(call.tx, enterprise, delivery)


def _demand_what_is_told(call: Call, enterprise: str) -> None:
    """Raises `Forbidden` for a token for settings alone: by messages it would read what it may not."""
    for scope in _TOLD:
        demand(call.tx, call.actor, scope, enterprise)
