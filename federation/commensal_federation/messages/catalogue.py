"""What crosses between a producer and a hub elsewhere: grants, items, and both as either side sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from commensal import Amount, Margin

from ..dfc.vocabulary import DfcEnterprise, DfcItem, DfcLot, DfcOffer, DfcProduct
from ..signing import JsonObject, Unreadable
from .documents import read_document, write_document
from .members import Term, declared, declared_codec, meanings_of, own_terms, read_members, read_own
from .types import Reading, Writing

MOST = 500  # items of a message
Proof = Literal["direct", "proved", "unproved"]


@dataclass(frozen=True, kw_only=True)
class GrantOffer:
    """An enterprise lets a hub of the receiver list and sell what it lists."""

    grantor: DfcEnterprise
    hub: Annotated[str, "the hub that may sell; the enterprise is the grantor"]
    currency: Annotated[str, "of all its prices, by ISO 4217"]
    language: Annotated[str, "of its texts, by BCP 47"]
    timezone: Annotated[str, "by IANA"]
    includes_vat: Annotated[bool, Term("pricesIncludeVAT"), "`true` or `false`"]
    resell: Annotated[bool, "`true` where the hub may grant the goods to hubs of other instances"]


@dataclass(frozen=True, kw_only=True)
class GrantAnswer:
    """The hub takes a grant, and is told the whole catalogue; or it does not want it (any more).

    An older instance names no offer.
    """

    grantor: Annotated[str, "who offered"]
    hub: Annotated[str, "to whom"]
    accepted: Annotated[bool, "`false` ends a grant that was accepted before, too"]
    offer: Annotated[
        str | None, "the id of the `GrantOffer` that it answers; the answer to an older offer changes nothing"
    ] = None


@dataclass(frozen=True, kw_only=True)
class GrantEnd:
    """The producer takes its grant back.

    What was ordered stays ordered.
    """

    grantor: Annotated[str, "who ends it"]
    hub: Annotated[str, "for whom"]


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
class Absences:
    """All periods to come in which the grantor brings nothing: first and last day, both included, where the hand-out
    is. `rev` is higher with each change."""

    rev: int
    periods: tuple[tuple[date, date], ...]


@dataclass(frozen=True, kw_only=True)
class CatalogueUpsert:
    """Items that are new or have changed, for one hub: product, stock, price and provenance of each.

    `absences` where these have changed.
    """

    grantor: str
    hub: str
    items: tuple[OfferedItem, ...]
    absences: Absences | None = None


@dataclass(frozen=True)
class WithdrawnItem:
    iri: Annotated[str, Term("id")]
    rev: Annotated[int, "of each item, higher than the one before"]


def _read_withdrawn(document: JsonObject, name: str) -> tuple[WithdrawnItem, ...]:
    items = document.get(name)
    if not isinstance(items, list) or len(items) > MOST or not all(isinstance(item, Mapping) for item in items):
        raise Unreadable(name, f"{name} must be a list of at most {MOST}")
    return tuple(WithdrawnItem(**read_members(item, WithdrawnItem)) for item in items)


@dataclass(frozen=True, kw_only=True)
class CatalogueWithdraw:
    """Tombstones of items that the hub may not list any more."""

    grantor: Annotated[str, "whose items"]
    hub: Annotated[str, "for which hub"]
    items: Annotated[
        tuple[WithdrawnItem, ...], Term(read=_read_withdrawn), "their addresses, and the revisions in which they went"
    ]


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


def _write_offer(body: GrantOffer, writing: Writing) -> dict[str, object]:
    grantor = body.grantor
    about = DfcEnterprise(
        iri=grantor.iri, name=grantor.name, description=grantor.description, email=grantor.email, extra=own_terms(body)
    )
    return write_document([about])


def _read_offer(document: JsonObject, reading: Reading) -> GrantOffer:
    grantor = read_document(document).one(DfcEnterprise)
    return GrantOffer(grantor=grantor, **read_own(grantor, GrantOffer))


GRANT_OFFER = declared_codec(GrantOffer, _write_offer, _read_offer, lane="catalogue")
GRANT_ANSWER = declared(GrantAnswer, lane="catalogue", scope="catalogue.read", foreign=True)
GRANT_END = declared(GrantEnd, lane="catalogue")
CATALOGUE_WITHDRAW = declared(
    CatalogueWithdraw, lane="catalogue", members=meanings_of(CatalogueWithdraw, WithdrawnItem)
)
