"""CatalogueWithdraw: tombstones of items that the hub may not list any more."""

from __future__ import annotations

from ..signing import JsonObject, Unreadable
from .bodies.catalogue import CatalogueWithdraw
from .reading import number, text
from .types import MessageType, Reading, Writing

MOST = 500  # items


def write(body: CatalogueWithdraw, writing: Writing) -> dict[str, object]:
    items = [{"id": iri, "rev": rev} for iri, rev in body.items]
    return {"type": "CatalogueWithdraw", "grantor": body.grantor, "hub": body.hub, "items": items}


def read(document: JsonObject, reading: Reading) -> CatalogueWithdraw:
    items = document.get("items")
    if not isinstance(items, list) or len(items) > MOST or not all(isinstance(item, dict) for item in items):
        raise Unreadable("items", f"items must be a list of at most {MOST}")
    gone = tuple((text(item, "id"), number(item, "rev")) for item in items)
    return CatalogueWithdraw(grantor=text(document, "grantor"), hub=text(document, "hub"), items=gone)


CATALOGUE_WITHDRAW = MessageType(
    name="CatalogueWithdraw",
    lane="catalogue",
    scope=None,
    body=CatalogueWithdraw,
    write=write,
    read=read,
    members={
        "grantor": "whose items",
        "hub": "for which hub",
        "items": "their addresses, and the revisions in which they went",
        "rev": "of each item, higher than the one before",
    },
)
