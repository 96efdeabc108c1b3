"""GrantOffer: an enterprise lets a hub of the receiver list and sell what it lists."""

from __future__ import annotations

from ..dfc.vocabulary import DfcEnterprise
from ..signing import JsonObject
from .bodies.catalogue import GrantOffer
from .documents import read_document, write_document
from .reading import own_flag, own_text
from .types import MessageType, Reading, Writing


def write(body: GrantOffer, writing: Writing) -> dict[str, object]:
    grantor = body.grantor
    values = {
        "own:hub": body.hub,
        "own:currency": body.currency,
        "own:language": body.language,
        "own:timezone": body.timezone,
        "own:resell": str(body.resell).lower(),
        "own:pricesIncludeVAT": str(body.includes_vat).lower(),
    }
    extra = {name: ({"@value": value},) for name, value in values.items()}
    about = DfcEnterprise(
        iri=grantor.iri, name=grantor.name, description=grantor.description, email=grantor.email, extra=extra
    )
    return write_document([about])


def read(document: JsonObject, reading: Reading) -> GrantOffer:
    grantor = read_document(document).one(DfcEnterprise)
    return GrantOffer(
        grantor=grantor,
        hub=own_text(grantor, "own:hub"),
        currency=own_text(grantor, "own:currency"),
        language=own_text(grantor, "own:language"),
        timezone=own_text(grantor, "own:timezone"),
        resell=own_flag(grantor, "own:resell"),
        includes_vat=own_flag(grantor, "own:pricesIncludeVAT"),
    )


GRANT_OFFER = MessageType(
    name="GrantOffer",
    lane="catalogue",
    scope=None,
    body=GrantOffer,
    write=write,
    read=read,
    members={
        "hub": "the hub that may sell; the enterprise is the grantor",
        "currency": "of all its prices, by ISO 4217",
        "language": "of its texts, by BCP 47",
        "timezone": "by IANA",
        "pricesIncludeVAT": "`true` or `false`",
        "resell": "`true` where the hub may grant the goods to hubs of other instances",
    },
)
