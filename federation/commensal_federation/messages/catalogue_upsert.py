"""CatalogueUpsert: items that are new or have changed, for one hub: product, stock, price and provenance of each."""

from __future__ import annotations

from ..dfc.vocabulary import DfcEnterprise
from ..signing import JsonObject, Unreadable
from .bodies.catalogue import CatalogueUpsert
from .documents import offered_in, read_document, things_of, write_document
from .reading import own_text
from .types import MessageType, Reading, Writing

MOST = 500  # items


def write(body: CatalogueUpsert, writing: Writing) -> dict[str, object]:
    grantor = DfcEnterprise(iri=body.grantor, extra={"own:hub": ({"@value": body.hub},)})
    things = {thing.iri: thing for item in body.items for thing in things_of(item)}  # sizes of one lot share it
    return write_document([grantor, *things.values()])


def read(document: JsonObject, reading: Reading) -> CatalogueUpsert:
    parsed = read_document(document)
    grantor = parsed.one(DfcEnterprise)
    items = offered_in(parsed)
    if len(items) > MOST:
        raise Unreadable("too_many", f"at most {MOST} items come in one message")
    return CatalogueUpsert(grantor=grantor.iri, hub=own_text(grantor, "own:hub"), items=items)


CATALOGUE_UPSERT = MessageType(
    name="CatalogueUpsert",
    lane="catalogue",
    scope=None,
    body=CatalogueUpsert,
    write=write,
    read=read,
    members={
        "hub": "for which hub the items are; the enterprise is the grantor",
        "rev": "of the item for this grant; a receiver takes a higher one, and no other",
        "digest": "what the sender calls the state of the item; a receiver keeps it and gives it no meaning",
        "statement": "what the seller offers, signed by its instance apart from the message, as a text; see above",
        "originStatement": "the producer's statement, where the seller is another",
        "cameThrough": "one text for each hand: its place from 0 (the producer), its address, its name, by blanks",
        "takenFrom": "the lot from which a piece of the product is taken",
        "takes": "how much of the lot one piece takes, in parts of which `perUnit` make one unit of the lot",
        "perUnit": "so many parts are one unit of the lot",
        "heldBy": "the enterprise that holds the lot",
        "VATrate": "of the product, in percent",
    },
)
