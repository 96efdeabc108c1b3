"""A sale that a producer proposes to hubs of other instances: a DFC coordination with its sale session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from ..dfc.vocabulary import DfcCoordination, DfcSession
from ..signing import JsonObject, Unreadable
from .documents import read_document, write_document
from .members import Term, declared, declared_codec, own_terms, read_own
from .types import Reading, Writing


@dataclass(frozen=True, kw_only=True)
class SaleProposal:
    """A producer opens a sale, and proposes it to a hub: a DFC coordination with its sale session.

    `iri` is the coordination, of this `producer`. Times are UTC.
    """

    iri: str
    producer: str
    name: str
    opens_at: datetime
    closes_at: datetime
    hub: Annotated[str, "which is to hold the sale; the enterprise that coordinates it is the producer"]
    begins_at: Annotated[datetime, Term("distribution"), "when the goods are handed out"]
    ends_at: Annotated[datetime, Term("distributionEnd"), "and until when"]
    rev: Annotated[int, "1 at first, one more with each change; a receiver takes a higher one, and no other"]
    withdrawn: Annotated[bool, "`true`: it will not be"]


@dataclass(frozen=True, kw_only=True)
class SaleAnswer:
    """A hub holds a proposed sale, or does not."""

    iri: Annotated[str, Term("sale"), "the coordination"]
    hub: Annotated[str, "which answers"]
    accepted: Annotated[bool, "whether it holds the sale"]


@dataclass(frozen=True, kw_only=True)
class ProposedSale:
    """A proposal as either side keeps it.

    direction:       "proposed" by `enterprise_id` of ours to `other_iri`, or "received" by it
    state:           "offered", "accepted", "refused" or "withdrawn"
    coordination_id: received and accepted: the hub's sale that was made of it
    """

    id: str
    direction: str
    iri: str
    peer_id: str
    enterprise_id: str
    other_iri: str
    other_name: str
    name: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    coordination_id: str | None
    state: str
    rev: int
    changed_at: datetime


def _write(body: SaleProposal, writing: Writing) -> dict[str, object]:
    sale = DfcCoordination(iri=body.iri, name=body.name, enterprise=body.producer, extra=own_terms(body))
    session = DfcSession(
        iri=f"{body.iri}/session",
        name=body.name,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
        coordination=body.iri,
    )
    return write_document([sale, session])


def _read(document: JsonObject, reading: Reading) -> SaleProposal:
    parsed = read_document(document)
    sale, session = parsed.one(DfcCoordination), parsed.one(DfcSession)
    if sale.enterprise is None or session.opens_at is None or session.closes_at is None:
        raise Unreadable("sale", "a sale says whose it is, when it opens and when it closes")
    return SaleProposal(
        iri=sale.iri,
        producer=sale.enterprise,
        name=sale.name,
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        **read_own(sale, SaleProposal),
    )


SALE_PROPOSAL = declared_codec(SaleProposal, _write, _read, lane="catalogue", scope="sale.propose")
SALE_ANSWER = declared(SaleAnswer, lane="catalogue", foreign=True)
