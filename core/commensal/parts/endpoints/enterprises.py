"""Enterprises over the API: the public directory, and each enterprise for its members."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...base.languages.catalogs import MOST
from ...enterprises.access import demand_founder
from ...enterprises.enterprises import (
    Enterprise,
    archive_enterprise,
    change_enterprise,
    create_enterprise,
    enterprise_by_id,
    find_enterprise,
    list_enterprises,
    restore_enterprise,
)
from ...enterprises.guest_policy import GuestPolicy, change_guest_policy, guest_policy_of
from ..web.openapi import Language

routes = Routes("enterprises")

Unset = msgspec.UnsetType
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Html = Annotated[str, msgspec.Meta(max_length=20_000)]
Htmls = Annotated[dict[str, Html], msgspec.Meta(max_length=MOST)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Word = Annotated[str, msgspec.Meta(max_length=40)]
Address = Annotated[str, msgspec.Meta(max_length=300)]
Addresses = Annotated[str, msgspec.Meta(max_length=3_100)]
Email = Annotated[str, msgspec.Meta(max_length=254)]
Visibility = Literal["public", "link", "hidden"]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class NewEnterprise(Body, frozen=True, kw_only=True):
    """Language, IANA time zone and currency are the instance's unless they are named; the currency stays for ever.

    `descriptions` is `description` in further languages, by their ISO 639 codes.
    """

    name: Name
    slug: Slug | Unset = msgspec.UNSET
    description: Html = ""
    descriptions: Htmls = msgspec.field(default_factory=dict)
    is_producer: bool = False
    is_hub: bool = False
    visibility: Visibility = "link"
    email: Email = ""
    phone: Word = ""
    contact_name: Line = ""
    website: Address = ""
    social_media: Addresses = ""
    street: Line = ""
    postcode: Word = ""
    city: Line = ""
    country: Country = "FR"
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    language: Language | Unset = msgspec.UNSET
    timezone: Word | Unset = msgspec.UNSET
    currency: Currency | Unset = msgspec.UNSET
    vat_number: Word = ""
    prices_include_vat: bool = True


class EnterprisePatch(Body, frozen=True, kw_only=True):
    """Latitude and longitude (WGS 84, degrees) are changed together; so are all of `descriptions`."""

    name: Name | Unset = msgspec.UNSET
    slug: Slug | Unset = msgspec.UNSET
    description: Html | Unset = msgspec.UNSET
    descriptions: Htmls | Unset = msgspec.UNSET
    is_producer: bool | Unset = msgspec.UNSET
    is_hub: bool | Unset = msgspec.UNSET
    visibility: Visibility | Unset = msgspec.UNSET
    email: Email | Unset = msgspec.UNSET
    phone: Word | Unset = msgspec.UNSET
    contact_name: Line | Unset = msgspec.UNSET
    website: Address | Unset = msgspec.UNSET
    social_media: Addresses | Unset = msgspec.UNSET
    street: Line | Unset = msgspec.UNSET
    postcode: Word | Unset = msgspec.UNSET
    city: Line | Unset = msgspec.UNSET
    country: Country | Unset = msgspec.UNSET
    latitude: Decimal | Unset | None = msgspec.UNSET
    longitude: Decimal | Unset | None = msgspec.UNSET
    language: Language | Unset = msgspec.UNSET
    timezone: Word | Unset = msgspec.UNSET
    vat_number: Word | Unset = msgspec.UNSET
    prices_include_vat: bool | Unset = msgspec.UNSET


class DirectoryQuery(Paging, frozen=True, kw_only=True):
    """`search`: words of the name, the town or the postcode."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    kind: Literal["", "producer", "hub"] = ""


@routes.get("/directory", scope="public")
def directory(call: Call, query: DirectoryQuery) -> Page[Enterprise]:
    """Producers and hubs that want to be found."""
    enterprises = list_enterprises(call.tx, search=query.search, kind=query.kind, after=query.after, limit=query.limit)
    return page_of(enterprises, query.limit, lambda entry: entry.slug)


@routes.get("/directory/{slug}", scope="public")
def directory_entry(call: Call, slug: str) -> Enterprise:
    """One enterprise, by slug or id. Hidden ones are there for who belongs to them."""
    return find_enterprise(call.tx, slug, person_id=call.actor.person_id)


@routes.post("/enterprises", scope="self", status=201)
def found_enterprise(call: Call, body: NewEnterprise) -> Enterprise:
    """Makes an enterprise, of which I am the owner. Operators do, and everybody where they let them."""
    settings = call.instance.settings
    owner_id = demand_founder(call.tx, call.actor, settings.security.new_enterprises)
    values = {
        "language": settings.language,
        "timezone": settings.timezone,
        "currency": settings.currency,
        **changes(body),
    }
    return create_enterprise(call.tx, owner_id=owner_id, **values)


@routes.get("/enterprises/{enterprise}", scope="enterprise:read")
def enterprise(call: Call, enterprise: str) -> Enterprise:
    """One of my enterprises, or one that lets mine look."""
    return enterprise_by_id(call.tx, enterprise)


@routes.patch("/enterprises/{enterprise}", scope="enterprise:write", edits=True)
def edit_enterprise(call: Call, enterprise: str, body: EnterprisePatch) -> Enterprise:
    """Changes what is said of an enterprise."""
    return change_enterprise(call.tx, enterprise, call.version, **changes(body))


_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**6)]  # the policy itself sets narrower bounds


class GuestPolicyPatch(Body, frozen=True, kw_only=True):
    """Amounts are in minor units of the enterprise's currency; `largest_unpaid` null: any. See `GuestPolicy`."""

    guests: Literal["no", "link", "yes"] | Unset = msgspec.UNSET
    largest_unpaid: _Amount | Unset | None = msgspec.UNSET
    orders_of_mailbox: _Count | Unset = msgspec.UNSET
    orders_of_network: _Count | Unset = msgspec.UNSET
    confirm_minutes: _Count | Unset = msgspec.UNSET
    unpaid_hours: _Count | Unset = msgspec.UNSET


@routes.get("/enterprises/{enterprise}/guest-policy", scope="sales:read")
def guest_policy(call: Call, enterprise: str) -> GuestPolicy:
    """How people may order here who have not proved who they are."""
    return guest_policy_of(call.tx, enterprise)


@routes.patch("/enterprises/{enterprise}/guest-policy", scope="sales:write")
def edit_guest_policy(call: Call, enterprise: str, body: GuestPolicyPatch) -> GuestPolicy:
    """Says how people may order here who have not proved who they are: from now on."""
    return change_guest_policy(call.tx, enterprise, **changes(body))


# Only for owners: a grant of WriteEnterprise gives others enterprise:write, but never members:write.


@routes.post("/enterprises/{enterprise}/archive", scope="members:write", edits=True)
def put_enterprise_away(call: Call, enterprise: str) -> Enterprise:
    """Hides an enterprise that is done from all but its members. Nothing is deleted."""
    return archive_enterprise(call.tx, enterprise, call.version)


@routes.post("/enterprises/{enterprise}/restore", scope="members:write", edits=True)
def bring_enterprise_back(call: Call, enterprise: str) -> Enterprise:
    """Brings an archived enterprise back as it was."""
    return restore_enterprise(call.tx, enterprise, call.version)
