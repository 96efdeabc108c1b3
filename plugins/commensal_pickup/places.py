"""Places where an enterprise's customers collect their orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, func, insert, select

from commensal import (
    Conflict,
    Invalid,
    Problem,
    Row,
    Transaction,
    edit_row,
    enterprise_by_id,
    hookimpl,
    read_others,
    read_text,
)

from .hours import Hours, read_hours
from .tables import pickup_place

MOST_PLACES = 200  # of one enterprise, without the archived ones
DEAREST = 1_000_000  # minor units for collecting one order
STANDARD_RATE = Decimal(20)  # percent: carriage in France (CGI art. 278); a hub may set the rate of its goods instead


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place. `price` is the price of collecting one order here, in minor units of the enterprise's currency, with or
    without VAT as its other prices; `vat_rate` is in percent, None: outside VAT. `latitude` and `longitude` are degrees
    (WGS 84). `hours` are local times in `timezone`;
    a place without hours is open whenever it has a slot. `names` and `notes` are the name and the note in further
    languages, by their ISO 639 codes.
    """

    id: str
    enterprise_id: str
    name: str
    street: str
    postcode: str
    city: str
    latitude: Decimal | None
    longitude: Decimal | None
    note: str
    timezone: str
    price: int
    vat_rate: Decimal | None
    hours: tuple[Hours, ...]
    archived_at: datetime | None
    version: int
    names: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


class PlaceFields(TypedDict, total=False):
    name: str
    street: str
    postcode: str
    city: str
    latitude: Decimal | None
    longitude: Decimal | None
    note: str
    names: Mapping[str, str]
    notes: Mapping[str, str]
    price: int
    vat_rate: Decimal | None
    hours: tuple[Hours, ...]


def add_place(
    tx: Transaction,
    enterprise_id: str,
    *,
    name: str,
    street: str = "",
    postcode: str = "",
    city: str = "",
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    note: str = "",
    names: Mapping[str, str] = MappingProxyType({}),
    notes: Mapping[str, str] = MappingProxyType({}),
    price: int = 0,
    vat_rate: Decimal | None = STANDARD_RATE,
    hours: tuple[Hours, ...] = (),
) -> Place:
    """Adds a place in the enterprise's time zone. Raises `Invalid`, and `Conflict` if there are too many places."""
    place = _validate(
        Place(
            id=tx.new_id(),
            enterprise_id=enterprise_id,
            name=name,
            street=street,
            postcode=postcode,
            city=city,
            latitude=latitude,
            longitude=longitude,
            note=note,
            names=names,
            notes=notes,
            timezone=enterprise_by_id(tx, enterprise_id).timezone,
            price=price,
            vat_rate=vat_rate,
            hours=hours,
            archived_at=None,
            version=1,
        )
    )
    count = select(func.count()).where(
        pickup_place.c.enterprise_id == enterprise_id, pickup_place.c.archived_at.is_(None)
    )
    if tx.value(count) >= MOST_PLACES:
        raise Conflict("too_many_places", "There are {most} places already; archive one first.", most=MOST_PLACES)
    tx.execute(insert(pickup_place).values(asdict(place)))
    return place


def change_place(
    tx: Transaction, enterprise_id: str, place_id: str, version: int, **changes: Unpack[PlaceFields]
) -> Place:
    """Changes a place. Placed orders show the new address, and keep their price until they are changed. New hours do
    not affect existing slots. Raises `NotFound`, `Stale`, `Invalid`."""
    new = asdict(_validate(replace(place_by_id(tx, enterprise_id, place_id), **changes)))
    values = {name: new[name] for name in PlaceFields.__annotations__}
    return _place_from(edit_row(tx, pickup_place, *_is_own(enterprise_id, place_id), version=version, values=values))


def archive_place(tx: Transaction, enterprise_id: str, place_id: str, version: int) -> Place:
    """Archives a place: it takes no new slots and keeps its existing ones. Raises `NotFound`, `Stale`."""
    values = {"archived_at": tx.now}
    return _place_from(edit_row(tx, pickup_place, *_is_own(enterprise_id, place_id), version=version, values=values))


def place_by_id(tx: Transaction, enterprise_id: str, place_id: str) -> Place:
    """The enterprise's place with this id. Raises `NotFound`, also for a place of another enterprise."""
    return _place_from(tx.one(select(pickup_place).where(*_is_own(enterprise_id, place_id))))


def locked_place(tx: Transaction, enterprise_id: str, place_id: str) -> Place:
    """The same, locked until the transaction ends, so that nobody else adds slots or closures."""
    return _place_from(tx.one(select(pickup_place).where(*_is_own(enterprise_id, place_id)).with_for_update()))


def places_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> Sequence[Place]:
    """The enterprise's places that are not archived, ordered by id, beginning after the id `after`."""
    conditions = (pickup_place.c.enterprise_id == enterprise_id, pickup_place.c.archived_at.is_(None))
    query = select(pickup_place).where(*conditions, pickup_place.c.id > after).order_by(pickup_place.c.id).limit(limit)
    return [_place_from(row) for row in tx.all(query)]


def _place_from(row: Row) -> Place:
    return Place(**{**row, "hours": tuple(Hours(**opening) for opening in row["hours"])})


def _is_own(enterprise_id: str, place_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pickup_place.c.id == place_id, pickup_place.c.enterprise_id == enterprise_id


def _validate(place: Place) -> Place:
    problems: list[Problem] = []
    validated = replace(
        place,
        name=read_text(place.name, "/name", problems, least=1, most=100),
        street=read_text(place.street, "/street", problems),
        postcode=read_text(place.postcode, "/postcode", problems, most=20),
        city=read_text(place.city, "/city", problems, most=100),
        note=read_text(place.note, "/note", problems, most=500, lines=True),
        names=read_others(
            place.names, "/names", problems, lambda text, where: read_text(text, where, problems, most=100)
        ),
        notes=read_others(
            place.notes, "/notes", problems, lambda text, where: read_text(text, where, problems, most=500, lines=True)
        ),
        hours=read_hours(place.hours, problems),
    )
    if not 0 <= place.price <= DEAREST:
        problems.append(
            Problem("price", "The price of collecting must be between 0 and {most}.", "/price", {"most": DEAREST})
        )
    if not _is_on_earth(place.latitude, place.longitude):
        text = "Give latitude and longitude in degrees, with at most 7 decimals, or neither."
        problems.append(Problem("coordinates", text, "/latitude"))
    if place.vat_rate is not None and not (place.vat_rate.is_finite() and 0 <= place.vat_rate <= 100):
        problems.append(Problem("vat_rate", "A VAT rate must be between 0 and 100 percent.", "/vat_rate"))
    if problems:
        raise Invalid(problems)
    return validated


def _is_on_earth(latitude: Decimal | None, longitude: Decimal | None) -> bool:
    if latitude is None or longitude is None:
        return latitude is longitude
    return all(
        degrees.is_finite() and abs(degrees) <= most and degrees == round(degrees, 7)
        for degrees, most in ((latitude, 90), (longitude, 180))
    )


# The first place of a hub: where the hub itself is.


@hookimpl
def switched_on(tx: Transaction, enterprise_id: str) -> None:
    """Adds the hub's own address as a place, if it has told one and has never had a place."""
    hub = enterprise_by_id(tx, enterprise_id)
    if not (hub.is_hub and hub.street and hub.city):
        return
    if tx.first(select(pickup_place.c.id).where(pickup_place.c.enterprise_id == enterprise_id)) is None:
        add_place(
            tx,
            enterprise_id,
            name=hub.name[:100],
            street=hub.street,
            postcode=hub.postcode,
            city=hub.city[:100],
            latitude=hub.latitude,
            longitude=hub.longitude,
        )
