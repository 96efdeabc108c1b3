"""Items of a catalogue as DFC: item, product, stock and offer, each with its name; our own terms for what DFC lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..dfc.read import DfcDocument
from ..dfc.read import read as read_dfc
from ..dfc.vocabulary import DfcItem, DfcLot, DfcOffer, DfcProduct, Thing
from ..dfc.write import write_116
from ..signing import JsonObject, Unreadable
from .bodies.catalogue import Hop, OfferedItem
from .envelope import DFC_CONTEXT
from .offer_statement import LARGEST as LARGEST_STATEMENT
from .reading import own_text_or_none

_REV, _DIGEST, _THROUGH = "own:rev", "own:digest", "own:cameThrough"
_STATEMENT, _ORIGIN = "own:statement", "own:originStatement"
MOST_HOPS = 5


def write_document(things: Iterable[Thing]) -> dict[str, object]:
    """A complete DFC document, by the context that messages may have."""
    return {**write_116(things, named_values=True), "@context": DFC_CONTEXT}


def read_document(document: JsonObject) -> DfcDocument:
    """Raises `Unreadable`, also for a document of another context."""
    if document.get("@context") != DFC_CONTEXT:
        raise Unreadable("context", "the object must be a document of DFC 1.16")
    return read_dfc(document)


def things_of(offered: OfferedItem) -> tuple[Thing, ...]:
    """The nodes of one item. Its revision and provenance stand with the item."""
    hops = [{"@value": f"{place} {hop.iri} {hop.name}"} for place, hop in enumerate(offered.provenance)]
    extra: dict[str, tuple[object, ...]] = {
        _REV: ({"@value": str(offered.rev)},),
        _DIGEST: ({"@value": offered.digest},),
        _THROUGH: tuple(hops),
    }
    for property, signed in ((_STATEMENT, offered.statement), (_ORIGIN, offered.origin)):
        if signed:
            extra[property] = ({"@value": signed},)
    item = DfcItem(
        iri=offered.item.iri,
        name=offered.item.name,
        product=offered.item.product,
        enterprise=offered.item.enterprise,
        stock=offered.item.stock,
        extra=extra,
    )
    return item, offered.product, offered.lot, offered.offer


def offered_in(document: DfcDocument) -> tuple[OfferedItem, ...]:
    """All items of a document, with what belongs to each. Raises `Unreadable` where something is missing."""
    offers = {offer.item: offer for offer in document.all(DfcOffer)}
    return tuple(_offered(document, item, offers) for item in document.all(DfcItem))


def _offered(document: DfcDocument, item: DfcItem, offers: Mapping[str | None, DfcOffer]) -> OfferedItem:
    product = document.get(DfcProduct, item.product)
    lot = document.get(DfcLot, product.lot) if product else None
    offer = offers.get(item.iri)
    if product is None or lot is None or offer is None or offer.price is None:
        raise Unreadable("item", f"{item.iri[:200]} needs its product, its stock and an offer with a price")
    return OfferedItem(
        rev=_rev(item),
        digest=_text(item, _DIGEST),
        item=item,
        product=product,
        lot=lot,
        offer=offer,
        provenance=_provenance(item),
        statement=_signed(item, _STATEMENT),
        origin=_signed(item, _ORIGIN),
    )


def _rev(item: DfcItem) -> int:
    text = _text(item, _REV)
    if not text.isdecimal() or len(text) > 15:
        raise Unreadable("rev", f"{item.iri[:200]} needs its revision, a whole number")
    return int(text)


def _text(item: DfcItem, name: str) -> str:
    """Empty where it is missing."""
    return next((str(node.get("@value", "")) for node in item.extra.get(name, ())), "")[:100]


def _signed(item: DfcItem, name: str) -> str:
    """A signed statement; empty where it is missing. Raises `Unreadable` for one that is too large."""
    return own_text_or_none(item, name, LARGEST_STATEMENT) or ""


def _provenance(item: DfcItem) -> tuple[Hop, ...]:
    hops = [str(node.get("@value", "")).split(" ", 2) for node in item.extra.get(_THROUGH, ())]
    if not hops or len(hops) > MOST_HOPS or any(len(parts) != 3 or not parts[0].isdecimal() for parts in hops):
        raise Unreadable(
            "provenance", f"{item.iri[:200]} says through whose hands it came, in one to {MOST_HOPS} steps"
        )
    return tuple(Hop(iri, name[:200]) for _, iri, name in sorted(hops, key=lambda parts: int(parts[0])))
