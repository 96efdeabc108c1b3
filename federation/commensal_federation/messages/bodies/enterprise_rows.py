"""The rows of an export. Ids are those of the old home; quantities of stock are grains.

Rows about a peer name its instance; they wait at the new home until that peer has followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from commensal import convert

from ...signing import Unreadable

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.~-]+$")]
Short = Annotated[str, msgspec.Meta(max_length=500)]
Long = Annotated[str, msgspec.Meta(max_length=50_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]
LARGEST = 400_000  # bytes of the rows of one part, before they are signed


class MovedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of all rows; `kind` tells them apart."""


class EnterpriseRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="enterprise"):
    """The profile. `settings` are those of this plugin; `descriptions` is the description in further languages."""

    id: Id
    name: Short
    description: Long
    is_producer: bool
    is_hub: bool
    visibility: Short
    email: Short
    phone: Short
    street: Short
    postcode: Short
    city: Short
    country: Short
    latitude: Decimal | None
    longitude: Decimal | None
    language: Short
    timezone: Short
    currency: Short
    vat_number: Short
    prices_include_vat: bool
    recovery_key: Short
    settings: dict[str, Any]
    contact_name: Short = ""
    website: Short = ""
    social_media: Long = ""
    descriptions: Annotated[dict[Id, Long], msgspec.Meta(max_length=20)] = {}


class PictureRow(MovedRow, frozen=True, kw_only=True, tag="picture"):
    """The logo or the cover. `image` is its address at the old home; `alt` what it shows, in words."""

    shows: Literal["logo", "cover"]
    image: Short
    alt: Short


class LegalTextRow(MovedRow, frozen=True, kw_only=True, tag="legal_text"):
    """A version of a legal text: HTML by language; without any, the text was withdrawn."""

    about: Literal["notice", "terms", "privacy"]
    version: Count
    texts: Annotated[dict[Id, Long], msgspec.Meta(max_length=20)]
    published_at: datetime


class CategoryRow(MovedRow, frozen=True, kw_only=True, tag="category"):
    id: Id
    name: Short


class LotRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="lot"):
    """`free` moves along; `lent` is held by peers, and by the old home for its customers' orders. `main_id`: what comes
    back of this lot is stock of that one. `low_level`: the owner is told when no more than this is free."""

    id: Id
    name: Short
    unit: Short
    per_unit: Count
    unlimited: bool
    free: Count
    lent: Count
    main_id: Id | None = None
    low_level: Count | None = None


class ProductRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="product"):
    """`image` is the address of the picture at the old home. `more`: further fields that are not empty, by name;
    `plugin_fields`: values by plugin and name."""

    id: Id
    lot_id: Id
    lot_quantity: Count
    name: Short
    description: Long
    product_type: Short
    sku: Short | None
    quantity: Decimal
    unit: Short
    weighed: bool
    labels: tuple[Short, ...]
    allergens: tuple[Short, ...]
    deposit: Count
    vat_rate: Decimal
    image: Short
    more: dict[Id, object] = {}
    plugin_fields: dict[Id, dict[Id, Any]] = {}


class CatalogRow(MovedRow, frozen=True, kw_only=True, tag="catalog"):
    id: Id
    name: Short


class ItemRow(MovedRow, frozen=True, kw_only=True, tag="item"):
    """`prices` are pairs of a customer category (null: everybody) and minor units."""

    id: Id
    catalog_id: Id
    product_id: Id
    name: Short | None
    position: Count
    hidden: bool
    shown_to: tuple[Id, ...]
    prices: tuple[tuple[Id | None, Count], ...]


class GrantRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="grant"):
    """A grant to a hub of `peer`. One that was revoked moves too, because what the hub had ordered stays ordered; one
    that is offered is offered again by the new home. `lot_share` is in percent, `ends_at` in UTC; None: no such term.
    """

    id: Id
    peer: Short
    hub: Short
    hub_name: Short
    category_id: Id | None
    resell: bool
    state: Literal["accepted", "offered", "revoked"] = "accepted"
    lot_share: Percent | None = None
    ends_at: datetime | None = None


class SentItemRow(MovedRow, frozen=True, kw_only=True, tag="told"):
    """The last revision of an item that was sent to a hub; the new home continues it."""

    peer: Short
    grant_id: Id
    item_id: Id
    lot_id: Id
    rev: Count
    digest: Short


class PriceRow(MovedRow, frozen=True, kw_only=True, tag="price"):
    """A price at which an item was offered in a revision."""

    peer: Short
    grant_id: Id
    item_id: Id
    rev: Count
    price: Count
    at: datetime


class LeaseRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="lease"):
    """A lease of a peer, with the counts that both sides know."""

    id: Id
    peer: Short
    lot_id: Id
    epoch: Count
    granted: Count
    report: Count
    seen: Count
    returned: Count
    held: Count
    sold: Count
    late: Count
    lost: Count
    until: datetime | None
    sold_before: Count = 0


class OrderLineRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """As `messages.bodies.orders.Line`, with the IRIs of the old home."""

    item_iri: Short
    product_id: Id
    name: Short
    offer_iri: Short
    rev: Count
    price: Count
    vat_rate: Decimal
    quantity: Count
    answer: Short
    confirmed: Count | None
    reason: Short
    final_quantity: Decimal | None
    unit_quantity: Decimal
    unit: Short
    doubt: Short = ""
    received: Count | None = None
    received_quantity: Decimal | None = None
    received_amount: Count | None = None
    ordered_amount: Count | None = None
    number: Count = 0
    wanted: Count | None = None


class FactRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """As `messages.bodies.order_facts.OrderFact`."""

    number: Count
    kind: Short
    said_by: Short
    rev: Count
    answer: Count
    at: datetime
    line: Count = 0
    pieces: Count | None = None
    weight: Decimal | None = None
    amount: Count | None = None
    reason: Short = ""


class OrderRow(MovedRow, frozen=True, kw_only=True, omit_defaults=True, tag="order"):
    """An order of a hub of `peer`. `facts` come along where something was claimed: else they follow from the lines,
    which homes of version 0.2 can read, too."""

    id: Id
    iri: Short
    peer: Short
    other_iri: Short
    other_name: Short
    session_iri: Short
    session_name: Short
    closes_at: datetime | None
    begins_at: datetime | None
    currency: Short
    includes_vat: bool
    state: Short
    rev: Count
    answer: Count
    lines: tuple[OrderLineRow, ...]
    owed: Count | None = None
    receipt: Short = ""
    objection: Short = ""
    called_off: bool = False
    settled_from: datetime | None = None
    facts: tuple[FactRow, ...] = ()


AnyRow = (
    EnterpriseRow
    | PictureRow
    | LegalTextRow
    | CategoryRow
    | LotRow
    | ProductRow
    | CatalogRow
    | ItemRow
    | GrantRow
    | SentItemRow
    | PriceRow
    | LeaseRow
    | OrderRow
)


def read_rows(values: object) -> list[AnyRow]:
    """Reads rows from decoded JSON. Raises `Unreadable`."""
    try:
        rows: list[AnyRow] = convert(values, list[AnyRow])
        return rows
    except msgspec.ValidationError as error:
        raise Unreadable("rows", str(error)[:300]) from error


def parts_of(rows: Iterable[AnyRow]) -> Iterator[Sequence[dict[str, object]]]:
    """Yields the rows as JSON values, in parts that fit into one message each."""
    part: list[dict[str, object]] = []
    size = 0
    for row in rows:
        written = msgspec.json.encode(row)
        length = len(written)
        if part and size + length > LARGEST:
            yield part
            part, size = [], 0
        part.append(msgspec.json.decode(written))
        size += length
    yield part
