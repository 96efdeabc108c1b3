"""JSON API for an enterprise's slots. Zones are its settings for this plugin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from commensal import (
    MOST_ORDERS,
    Address,
    Body,
    Call,
    Endpoint,
    NotFound,
    Routes,
    changes,
    hookimpl,
    plugin_settings,
    refuse_foreign_session,
)

from .slots import EVERYWHERE, Slot, add_slot, change_slot, remove_slot, slots_of
from .zones import DeliverySettings, Zone, zone_of

_routes = Routes("delivery")

ZoneId = Annotated[str, msgspec.Meta(max_length=40)]
Orders = Annotated[int, msgspec.Meta(ge=0, le=MOST_ORDERS)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewSlot(Body, frozen=True, kw_only=True):
    """`zone` is the id of a zone, "" is every zone. `capacity` counts orders; null takes any number."""

    begins_at: Moment
    ends_at: Moment
    zone: ZoneId = EVERYWHERE
    capacity: Orders | None = None


class SlotChanges(Body, frozen=True, kw_only=True):
    begins_at: Moment | msgspec.UnsetType = msgspec.UNSET
    ends_at: Moment | msgspec.UnsetType = msgspec.UNSET
    zone: ZoneId | msgspec.UnsetType = msgspec.UNSET
    capacity: Orders | msgspec.UnsetType | None = msgspec.UNSET


class Where(Body, frozen=True, kw_only=True):
    """An address by its postcode; `country` is ISO 3166-1 alpha-2, empty is the shop's."""

    postcode: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    country: Annotated[str, msgspec.Meta(max_length=2)] = ""


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/zones/serving", scope="enterprise:read")
def delivery_zone(call: Call, enterprise: str, query: Where) -> Zone:
    """The zone to which a postcode belongs: to try the zones out before customers do."""
    address = Address(postcode=query.postcode, country=query.country)
    zone = zone_of(_settings(call, enterprise), address)
    if zone is None:
        raise NotFound("no_delivery", "We do not deliver to {postcode}.", postcode=query.postcode)
    return zone


@_routes.get("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="enterprise:read")
def delivery_slots(call: Call, enterprise: str, session: str) -> Sequence[Slot]:
    """When orders of this sale are brought, and how many have chosen each slot."""
    refuse_foreign_session(call.tx, enterprise, session)
    return slots_of(call.tx, enterprise, session)


@_routes.post("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="sales:write", status=201)
def add_delivery_slot(call: Call, enterprise: str, session: str, body: NewSlot) -> Slot:
    """Adds a slot to a sale."""
    return add_slot(call.tx, _settings(call, enterprise), enterprise, session, **msgspec.structs.asdict(body))


@_routes.patch("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def change_delivery_slot(call: Call, enterprise: str, slot: str, body: SlotChanges) -> Slot:
    """Changes a slot; it cannot take fewer orders than have chosen it."""
    return change_slot(call.tx, _settings(call, enterprise), enterprise, slot, call.version, **changes(body))


@_routes.delete("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def remove_delivery_slot(call: Call, enterprise: str, slot: str) -> None:
    """Removes a slot that nobody has chosen."""
    remove_slot(call.tx, enterprise, slot, call.version)


def _settings(call: Call, enterprise: str) -> DeliverySettings:
    return plugin_settings(call.tx, call.instance.hooks, enterprise, "delivery", DeliverySettings)
