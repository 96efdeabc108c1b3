"""Places and slots over the JSON API, for the enterprise whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import (
    Body,
    Call,
    Endpoint,
    Page,
    Paging,
    Routes,
    changes,
    hookimpl,
    page_of,
    refuse_foreign_session,
)

from .places import DEAREST, Place, add_place, archive_place, change_place, places_of
from .slots import MOST_ORDERS, Slot, add_slot, change_slot, remove_slot, slots_of

_routes = Routes("pickup")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
Price = Annotated[int, msgspec.Meta(ge=0, le=DEAREST)]
Orders = Annotated[int, msgspec.Meta(ge=0, le=MOST_ORDERS)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewPlace(Body, frozen=True, kw_only=True):
    """`price` is what collecting an order costs, in minor units; `vat_rate` in percent, null outside VAT."""

    name: Name
    street: Line = ""
    postcode: Line = ""
    city: Line = ""
    note: Note = ""
    price: Price = 0
    vat_rate: Decimal | None = Decimal(20)


class PlaceChanges(Body, frozen=True, kw_only=True):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    street: Line | msgspec.UnsetType = msgspec.UNSET
    postcode: Line | msgspec.UnsetType = msgspec.UNSET
    city: Line | msgspec.UnsetType = msgspec.UNSET
    note: Note | msgspec.UnsetType = msgspec.UNSET
    price: Price | msgspec.UnsetType = msgspec.UNSET
    vat_rate: Decimal | msgspec.UnsetType | None = msgspec.UNSET


class NewSlot(Body, frozen=True, kw_only=True):
    """`capacity` counts orders; null takes any number."""

    place_id: Id
    begins_at: Moment
    ends_at: Moment
    capacity: Orders | None = None


class SlotChanges(Body, frozen=True, kw_only=True):
    begins_at: Moment | msgspec.UnsetType = msgspec.UNSET
    ends_at: Moment | msgspec.UnsetType = msgspec.UNSET
    capacity: Orders | msgspec.UnsetType | None = msgspec.UNSET


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/places", scope="enterprise:read")
def pickup_places(call: Call, enterprise: str, query: Paging) -> Page[Place]:
    """Places where the enterprise's customers collect their orders."""
    found = places_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(found, query.limit, lambda one: one.id)


@_routes.post("/enterprises/{enterprise}/places", scope="enterprise:write", status=201)
def add_pickup_place(call: Call, enterprise: str, body: NewPlace) -> Place:
    """Adds a place."""
    return add_place(call.tx, enterprise, **msgspec.structs.asdict(body))


@_routes.patch("/enterprises/{enterprise}/places/{place}", scope="enterprise:write", edits=True)
def change_pickup_place(call: Call, enterprise: str, place: str, body: PlaceChanges) -> Place:
    """Changes a place."""
    return change_place(call.tx, enterprise, place, call.version, **changes(body))


@_routes.delete("/enterprises/{enterprise}/places/{place}", scope="enterprise:write", edits=True)
def archive_pickup_place(call: Call, enterprise: str, place: str) -> None:
    """Archives a place: it takes no new slots, those it has stay."""
    archive_place(call.tx, enterprise, place, call.version)


@_routes.get("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="enterprise:read")
def pickup_slots(call: Call, enterprise: str, session: str) -> Sequence[Slot]:
    """When customers of this sale collect their orders, and how many have chosen each slot."""
    refuse_foreign_session(call.tx, enterprise, session)
    return slots_of(call.tx, enterprise, session)


@_routes.post("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="sales:write", status=201)
def add_pickup_slot(call: Call, enterprise: str, session: str, body: NewSlot) -> Slot:
    """Adds a slot to a sale."""
    return add_slot(call.tx, enterprise, session, **msgspec.structs.asdict(body))


@_routes.patch("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def change_pickup_slot(call: Call, enterprise: str, slot: str, body: SlotChanges) -> Slot:
    """Changes a slot; it cannot take fewer orders than have chosen it."""
    return change_slot(call.tx, enterprise, slot, call.version, **changes(body))


@_routes.delete("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def remove_pickup_slot(call: Call, enterprise: str, slot: str) -> None:
    """Removes a slot that nobody has chosen."""
    remove_slot(call.tx, enterprise, slot, call.version)
