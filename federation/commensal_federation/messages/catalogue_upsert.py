"""CatalogueUpsert: items that are new or have changed, for one hub: product, stock, price and provenance of each."""

from __future__ import annotations

from datetime import date

from ..dfc.vocabulary import DfcEnterprise
from ..signing import JsonObject, Unreadable
from .bodies.catalogue import Absences, CatalogueUpsert
from .documents import offered_in, read_document, things_of, write_document
from .reading import own_number_or_none, own_text
from .types import MessageType, Reading, Writing

MOST = 500  # items
MOST_ABSENCES = 100


def write(body: CatalogueUpsert, writing: Writing) -> dict[str, object]:
    extra: dict[str, tuple[object, ...]] = {"own:hub": ({"@value": body.hub},)}
    if body.absences is not None:
        extra["own:absencesRev"] = ({"@value": str(body.absences.rev)},)
        extra["own:absence"] = tuple({"@value": f"{first}/{last}"} for first, last in body.absences.periods)
    grantor = DfcEnterprise(iri=body.grantor, extra={name: nodes for name, nodes in extra.items() if nodes})
    things = {thing.iri: thing for item in body.items for thing in things_of(item)}  # sizes of one lot share it
    return write_document([grantor, *things.values()])


def read(document: JsonObject, reading: Reading) -> CatalogueUpsert:
    parsed = read_document(document)
    grantor = parsed.one(DfcEnterprise)
    items = offered_in(parsed)
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


CATALOGUE_UPSERT = MessageType(
    name="CatalogueUpsert",
    lane="catalogue",
    scope=None,
    body=CatalogueUpsert,
    write=write,
    read=read,
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
