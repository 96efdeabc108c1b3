"""CatalogueUpsert as a DFC document: the grantor, and of each item the item, its product, its stock and its offer, each
with its name; our own terms for what DFC lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcEnterprise, DfcItem, DfcLot, DfcOffer, DfcProduct, Thing
from ..signing import JsonObject, Unreadable
from .catalogue import MOST, Absences, CatalogueUpsert, Hop, OfferedItem
from .documents import read_document, write_document
from .members import declared_codec, own_number_or_none, own_text, own_text_or_none
from .offer_statement import LARGEST as LARGEST_STATEMENT
from .types import Reading, Writing

MOST_ABSENCES = 100
MOST_HOPS = 5
_REV, _DIGEST, _THROUGH = "own:rev", "own:digest", "own:cameThrough"
_STATEMENT, _ORIGIN = "own:statement", "own:originStatement"


def write(body: CatalogueUpsert, writing: Writing) -> dict[str, object]:
    extra: dict[str, tuple[object, ...]] = {"own:hub": ({"@value": body.hub},)}
    if body.absences is not None:
        extra["own:absencesRev"] = ({"@value": str(body.absences.rev)},)
        extra["own:absence"] = tuple({"@value": f"{first}/{last}"} for first, last in body.absences.periods)
    grantor = DfcEnterprise(iri=body.grantor, extra={name: nodes for name, nodes in extra.items() if nodes})
    things = {thing.iri: thing for item in body.items for thing in _things_of(item)}  # sizes of one lot share it
    return write_document([grantor, *things.values()])


def read(document: JsonObject, reading: Reading) -> CatalogueUpsert:
    parsed = read_document(document)
    grantor = parsed.one(DfcEnterprise)
    items = _offered_in(parsed)
    if len(items) > MOST:
        raise Unreadable("too_many", f"at most {MOST} items come in one message")
    return CatalogueUpsert(
        grantor=grantor.iri, hub=own_text(grantor, "own:hub"), items=items, absences=_absences(grantor)
    )


def _absences(grantor: DfcEnterprise) -> Absences | None:
    rev = own_number_or_none(grantor, "own:absencesRev")
    nodes = grantor.extra.get("own:absence", ())
    if rev is None:
        return None
    if len(nodes) > MOST_ABSENCES:
        raise Unreadable("too_many", f"at most {MOST_ABSENCES} absences come in one message")
    return Absences(rev=rev, periods=tuple(sorted(_period(str(node.get("@value"))) for node in nodes)))


def _period(text: str) -> tuple[date, date]:
    try:
        first, last = map(date.fromisoformat, text.split("/"))
    except ValueError:
        raise Unreadable("absence", "an absence has a first and a last day, like 2026-08-03/2026-08-09") from None
    if last < first:
        raise Unreadable("absence", "the last day of an absence does not lie before the first")
    return first, last


def _things_of(offered: OfferedItem) -> tuple[Thing, ...]:
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


def _offered_in(document: DfcDocument) -> tuple[OfferedItem, ...]:
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


CATALOGUE_UPSERT = declared_codec(
    CatalogueUpsert,
    write,
    read,
    lane="catalogue",
    members={
        "hub": "for which hub the items are; the enterprise is the grantor",
        "absence": "of the grantor: the first and the last day of a period in which it brings nothing, where the "
        "hand-out is; all periods that are not over",
        "absencesRev": "number of these periods, higher with each change; missing where they have not changed",
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
