"""SaleProposal: a producer opens a sale, and proposes it to a hub: a DFC coordination with its sale session."""

from __future__ import annotations

from datetime import datetime

from ..dfc.vocabulary import DfcCoordination, DfcSession
from ..signing import JsonObject, Unreadable
from ..signing.profile import read_moment, write_moment
from .bodies.proposals import SaleProposal
from .documents import read_document, write_document
from .reading import own_flag, own_number, own_text
from .types import MessageType, Reading, Writing


def write(body: SaleProposal, writing: Writing) -> dict[str, object]:
    values = {
        "own:hub": body.hub,
        "own:rev": str(body.rev),
        "own:withdrawn": str(body.withdrawn).lower(),
        "own:distribution": write_moment(body.begins_at),
        "own:distributionEnd": write_moment(body.ends_at),
    }
    extra = {name: ({"@value": value},) for name, value in values.items()}
    sale = DfcCoordination(iri=body.iri, name=body.name, enterprise=body.producer, extra=extra)
    session = DfcSession(
        iri=f"{body.iri}/session",
        name=body.name,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
        coordination=body.iri,
    )
    return write_document([sale, session])


def read(document: JsonObject, reading: Reading) -> SaleProposal:
    parsed = read_document(document)
    sale, session = parsed.one(DfcCoordination), parsed.one(DfcSession)
    if sale.enterprise is None or session.opens_at is None or session.closes_at is None:
        raise Unreadable("sale", "a sale says whose it is, when it opens and when it closes")
    return SaleProposal(
        iri=sale.iri,
        producer=sale.enterprise,
        hub=own_text(sale, "own:hub"),
        name=sale.name,
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        begins_at=_moment(sale, "own:distribution"),
        ends_at=_moment(sale, "own:distributionEnd"),
        rev=own_number(sale, "own:rev"),
        withdrawn=own_flag(sale, "own:withdrawn"),
    )


def _moment(sale: DfcCoordination, name: str) -> datetime:
    try:
        return read_moment(own_text(sale, name, 40))
    except ValueError:
        raise Unreadable(name, f"{name} must be a moment like 2026-06-04T10:00:00Z") from None


SALE_PROPOSAL = MessageType(
    name="SaleProposal",
    lane="catalogue",
    scope="sale.propose",
    body=SaleProposal,
    write=write,
    read=read,
    members={
        "hub": "which is to hold the sale; the enterprise that coordinates it is the producer",
        "distribution": "when the goods are handed out",
        "distributionEnd": "and until when",
        "rev": "1 at first, one more with each change; a receiver takes a higher one, and no other",
        "withdrawn": "`true`: it will not be",
    },
)
