"""JSON API for an enterprise's places and slots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from commensal import (
    MOST_ORDERS,
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

from .calendars import CalendarLink, close_calendar, open_calendar, place_url
from .closing import Closing, add_closure, remove_closure
from .hours import MOST_HOURS, Hours, Weekday
from .places import DEAREST, Place, add_place, archive_place, change_place, places_of
from .slots import (
    LONGEST,
    SHORTEST,
    Closure,
    Slot,
    add_slot,
    change_slot,
    closures_of,
    generate_slots,
    remove_slot,
    slots_of,
)

_routes = Routes("pickup")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
Language = Annotated[str, msgspec.Meta(min_length=2, max_length=3)]
Names = Annotated[dict[Language, Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=20)]
Notes = Annotated[dict[Language, Note], msgspec.Meta(max_length=20)]
Reasons = Annotated[dict[Language, Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=20)]
Price = Annotated[int, msgspec.Meta(ge=0, le=DEAREST)]
Orders = Annotated[int, msgspec.Meta(ge=0, le=MOST_ORDERS)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Clock = Annotated[str, msgspec.Meta(min_length=5, max_length=5)]
Minutes = Annotated[int, msgspec.Meta(ge=SHORTEST, le=LONGEST)]


class Opening(Body, frozen=True, kw_only=True):
    """Weekly hours, by the clock of the place: `weekday` like FR, `begins` and `ends` like 17:00 or 24:00."""

    weekday: Weekday
    begins: Clock
    ends: Clock


Week = Annotated[tuple[Opening, ...], msgspec.Meta(max_length=MOST_HOURS)]


class NewPlace(Body, frozen=True, kw_only=True):
    """`price` is what collecting an order costs, in minor units; `vat_rate` in percent, null outside VAT.
    Latitude and longitude (WGS 84, degrees) are given together. `names` and `notes` are the name and the note in
    further languages, by their ISO 639 codes.

    A place without `hours` is open whenever it has a slot.
    """

    name: Name
    street: Line = ""
    postcode: Line = ""
    city: Line = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    note: Note = ""
    names: Names = msgspec.field(default_factory=dict)
    notes: Notes = msgspec.field(default_factory=dict)
    price: Price = 0
    vat_rate: Decimal | None = Decimal(20)
    hours: Week = ()


class PlaceChanges(Body, frozen=True, kw_only=True):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    street: Line | msgspec.UnsetType = msgspec.UNSET
    postcode: Line | msgspec.UnsetType = msgspec.UNSET
    city: Line | msgspec.UnsetType = msgspec.UNSET
    latitude: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    longitude: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    note: Note | msgspec.UnsetType = msgspec.UNSET
    names: Names | msgspec.UnsetType = msgspec.UNSET
    notes: Notes | msgspec.UnsetType = msgspec.UNSET
    price: Price | msgspec.UnsetType = msgspec.UNSET
    vat_rate: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    hours: Week | msgspec.UnsetType = msgspec.UNSET


class NewClosure(Body, frozen=True, kw_only=True):
    """Whole days, the last one included; null is the first day alone. Customers read the `reason`; `reasons` is the
    same in further languages, by their ISO 639 codes."""

    first_day: date
    last_day: date | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    reasons: Reasons = msgspec.field(default_factory=dict)


class NewSlot(Body, frozen=True, kw_only=True):
    """`capacity` counts orders; null takes any number. An `exceptional` slot may lie outside the opening hours."""

    place_id: Id
    begins_at: Moment
    ends_at: Moment
    capacity: Orders | None = None
    exceptional: bool = False


class SlotsToCut(Body, frozen=True, kw_only=True):
    """Slots of so many `minutes`, for `capacity` orders each; null takes any number."""

    place_id: Id
    minutes: Minutes
    capacity: Orders | None = None


class SlotChanges(Body, frozen=True, kw_only=True):
    begins_at: Moment | msgspec.UnsetType = msgspec.UNSET
    ends_at: Moment | msgspec.UnsetType = msgspec.UNSET
    capacity: Orders | msgspec.UnsetType | None = msgspec.UNSET
    exceptional: bool = False


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/places", scope="enterprise:read")
def pickup_places(call: Call, enterprise: str, query: Paging) -> Page[Place]:
    """Places where the enterprise's customers collect their orders."""
    places = places_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(places, query.limit, lambda place: place.id)


@_routes.post("/enterprises/{enterprise}/places", scope="enterprise:write", status=201)
def add_pickup_place(call: Call, enterprise: str, body: NewPlace) -> Place:
    """Adds a place."""
    return add_place(call.tx, enterprise, **_with_hours(msgspec.structs.asdict(body)))


@_routes.patch("/enterprises/{enterprise}/places/{place}", scope="enterprise:write", edits=True)
def change_pickup_place(call: Call, enterprise: str, place: str, body: PlaceChanges) -> Place:
    """Changes a place."""
    return change_place(call.tx, enterprise, place, call.version, **_with_hours(changes(body)))


@_routes.delete("/enterprises/{enterprise}/places/{place}", scope="enterprise:write", edits=True)
def archive_pickup_place(call: Call, enterprise: str, place: str) -> None:
    """Archives a place: it takes no new slots, those it has stay."""
    archive_place(call.tx, enterprise, place, call.version)


@_routes.get("/enterprises/{enterprise}/places/{place}/closures", scope="enterprise:read")
def pickup_closures(call: Call, enterprise: str, place: str, query: Paging) -> Page[Closure]:
    """Days on which a place is shut, without those that are over."""
    closures = closures_of(call.tx, enterprise, place, after=query.after, limit=query.limit)
    return page_of(closures, query.limit, lambda closure: closure.id)


@_routes.post("/enterprises/{enterprise}/places/{place}/closures", scope="enterprise:write", status=201)
def add_pickup_closure(call: Call, enterprise: str, place: str, body: NewClosure) -> Closing:
    """Shuts a place for some days; answers with the slots on them that customers have chosen already."""
    return add_closure(call.tx, enterprise, place, **msgspec.structs.asdict(body))


@_routes.delete("/enterprises/{enterprise}/places/{place}/closures/{closure}", scope="enterprise:write")
def remove_pickup_closure(call: Call, enterprise: str, place: str, closure: str) -> None:
    """Opens a place again; its slots on these days take orders."""
    remove_closure(call.tx, enterprise, place, closure)


@_routes.post("/enterprises/{enterprise}/places/{place}/calendar", scope="enterprise:write", status=201, keeps=False)
def open_pickup_calendar(call: Call, enterprise: str, place: str) -> CalendarLink:
    """A link to which calendars can subscribe: it is told once, and makes an earlier one useless."""
    secret = call.instance.ids.secret()
    open_calendar(call.tx, enterprise, place, secret)
    return CalendarLink(url=place_url(call.instance, secret))


@_routes.delete("/enterprises/{enterprise}/places/{place}/calendar", scope="enterprise:write")
def close_pickup_calendar(call: Call, enterprise: str, place: str) -> None:
    """The link opens nothing any more."""
    close_calendar(call.tx, enterprise, place)


@_routes.get("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="enterprise:read")
def pickup_slots(call: Call, enterprise: str, session: str) -> Sequence[Slot]:
    """When customers of this sale collect their orders, and how many have chosen each slot."""
    refuse_foreign_session(call.tx, enterprise, session)
    return slots_of(call.tx, enterprise, session)


@_routes.post("/enterprises/{enterprise}/sale-sessions/{session}/slots", scope="sales:write", status=201)
def add_pickup_slot(call: Call, enterprise: str, session: str, body: NewSlot) -> Slot:
    """Adds a slot to a sale."""
    return add_slot(call.tx, enterprise, session, **msgspec.structs.asdict(body))


@_routes.post("/enterprises/{enterprise}/sale-sessions/{session}/slots/generate", scope="sales:write", status=201)
def generate_pickup_slots(call: Call, enterprise: str, session: str, body: SlotsToCut) -> Sequence[Slot]:
    """Cuts the opening hours of a place into slots for this sale; answers with those that were not there before."""
    return generate_slots(call.tx, enterprise, session, **msgspec.structs.asdict(body))


@_routes.patch("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def change_pickup_slot(call: Call, enterprise: str, slot: str, body: SlotChanges) -> Slot:
    """Changes a slot; it cannot take fewer orders than have chosen it."""
    return change_slot(call.tx, enterprise, slot, call.version, **changes(body))


@_routes.delete("/enterprises/{enterprise}/slots/{slot}", scope="sales:write", edits=True)
def remove_pickup_slot(call: Call, enterprise: str, slot: str) -> None:
    """Removes a slot that nobody has chosen."""
    remove_slot(call.tx, enterprise, slot, call.version)


def _with_hours(values: dict[str, Any]) -> dict[str, Any]:
    """The values with `hours` as a tuple of `Hours`."""
    if "hours" not in values:
        return values
    return {**values, "hours": tuple(Hours(**msgspec.structs.asdict(opening)) for opening in values["hours"])}
