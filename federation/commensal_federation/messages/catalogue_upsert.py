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
    name="CatalogueUpsert", lane="catalogue", scope=None, body=CatalogueUpsert, write=write, read=read
)
