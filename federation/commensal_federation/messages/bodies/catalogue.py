"""What crosses between a producer and a hub elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from commensal import Amount, Margin

from ...dfc.vocabulary import DfcEnterprise, DfcItem, DfcLot, DfcOffer, DfcProduct

Proof = Literal["direct", "proved", "unproved"]


@dataclass(frozen=True)
class Hop:
    """An enterprise through which an item came; the first is its producer."""

    iri: str
    name: str


@dataclass(frozen=True, kw_only=True)
class OfferedItem:
    """An item as a hub may list it, with all that belongs to it; `offer` has the hub's price.

    `rev` grows with every change of what is said, of which `digest` is the sum: both sides compare them once a day.
    `statement` is the seller's signed statement, and `origin` the producer's where the seller is another, both as
    canonical JSON; empty where an older instance sends none.
    """

    rev: int
    digest: str
    item: DfcItem
    product: DfcProduct
    lot: DfcLot
    offer: DfcOffer
    provenance: tuple[Hop, ...]
    statement: str = ""
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class GrantOffer:
    """An enterprise lets a hub of the receiver list and sell what it lists. `currency` is that of its prices."""

    grantor: DfcEnterprise
    hub: str
    currency: str
    language: str
    timezone: str
    resell: bool
    includes_vat: bool


@dataclass(frozen=True, kw_only=True)
class GrantAnswer:
    """The hub takes the grant, or does not want it (any more).

    offer: the id of the message that offered it; None from an older instance
    """

    grantor: str
    hub: str
    accepted: bool
    offer: str | None = None


@dataclass(frozen=True, kw_only=True)
class GrantEnd:
    """The grantor takes its grant back. What was ordered stays ordered."""

    grantor: str
    hub: str


@dataclass(frozen=True, kw_only=True)
class Absences:
    """All periods to come in which the grantor brings nothing: first and last day, both included, where the hand-out
    is. `rev` is higher with each change."""

    rev: int
    periods: tuple[tuple[date, date], ...]


@dataclass(frozen=True, kw_only=True)
class CatalogueUpsert:
    """Items that are new or have changed, for one hub; `absences` where these have changed."""

    grantor: str
    hub: str
    items: tuple[OfferedItem, ...]
    absences: Absences | None = None


@dataclass(frozen=True, kw_only=True)
class CatalogueWithdraw:
    """Items that the hub may not list any more, with the revision in which they went."""

    grantor: str
    hub: str
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """What is free of a lot, as a hint: nobody may sell by it. In the lot's unit."""

    lot: str
    unit: str
    beyond: Decimal


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A grant between instances, as either side sees it.

    direction:   "given" by `enterprise_id` of ours to `other_iri`, or "received" by it
    category_id: given: the customer category whose prices the other sees (None: everybody's)
    resell:      whether the other may grant it further
    lot_share:   given: percent of a lot that the peer may hold unsold; None: as its limits say
    ends_at:     given: when it is taken back by itself (UTC); None: when somebody does
    margin:      received: percent that is added when the hub's catalog follows by itself; None: people list
    state:       "offered", "accepted", "refused" or "revoked"
    reason:      given and refused: why the other instance refused it, in English; empty if the hub's people did
    """

    id: str
    direction: str
    peer_id: str
    enterprise_id: str
    other_iri: str
    other_name: str
    category_id: str | None
    resell: bool
    lot_share: int | None
    ends_at: datetime | None
    margin: Margin | None
    catalog_id: str | None
    state: str
    reason: str
    created_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class ReceivedItem:
    """What a hub may list of another instance's goods.

    price:      what the hub pays for one piece, in minor units of `currency`, with VAT where `includes_vat`
    provenance: through whose hands it comes, the producer first
    proof:      who says that it is the producer's: "direct", the producer's instance itself; "proved", a reseller, with
                a statement that the producer has signed; "unproved", a reseller alone
    left:       pieces that may be had in all; None: as many as you like
    item_id:    where the hub lists it already
    """

    iri: str
    product_id: str
    name: str
    price: Amount
    currency: str
    includes_vat: bool
    provenance: tuple[Hop, ...]
    proof: Proof
    left: int | None
    item_ids: tuple[str, ...]
