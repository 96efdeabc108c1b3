"""Describes for a platform's developer what of a document is understood, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from commensal import Problem, spoken

from .findings import Paths
from .read import DfcDocument, DocumentFinding
from .vocabulary import DfcItem, DfcLine, DfcOffer, DfcOther, DfcProduct, DfcShipment, DfcStep


def describe_document(document: DfcDocument) -> Iterator[str]:
    """Yields lines about how the document is written and what of it is understood."""
    shapes = "; ".join(document.shapes)
    yield spoken("This is a document of DFC {version}: {shapes}.", version=document.version, shapes=shapes)
    kinds = Counter(type(thing).NAMES[0] for thing in document.things.values() if not isinstance(thing, DfcOther))
    if kinds:
        things = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
        yield spoken("Understood: {things}.", things=things)
    for name, count in _counted(document):
        yield f"  {count} {name}"
    for event in document.events:
        yield spoken(
            "Understood: the notice to {kind} {enterprise} ({scope}).",
            kind=event.kind,
            enterprise=event.enterprise,
            scope=event.scope or spoken("no scope"),
        )
    for iri, members in document.containers.items():
        yield spoken("The container {iri} lists {count}.", iri=iri, count=len(members))


def finding_line(finding: DocumentFinding) -> str:
    """A finding with its weight, its code and the first thing that has it."""
    wrong = finding.weight == "wrong"
    text = spoken(
        "Wrong [{code}]: {what}" if wrong else "Not understood [{code}]: {what}",
        code=finding.code,
        what=finding_text(finding),
    )
    return f"{text} {spoken('At {iri}.', iri=finding.iri)}" if finding.iri else text


def finding_text(finding: DocumentFinding) -> str:
    """A finding's text, and how often it occurred."""
    text = spoken(finding.problem.text, **finding.problem.values)
    return spoken("{what} ({count} times)", what=text, count=finding.count) if finding.count > 1 else text


def _counted(document: DfcDocument) -> Iterator[tuple[str, int]]:
    products, items, offers = document.all(DfcProduct), document.all(DfcItem), document.all(DfcOffer)
    yield from (
        (name, count)
        for name, count in (
            (spoken("offers with a price"), sum(offer.price is not None for offer in offers)),
            (spoken("items with a stock"), sum(item.stock is not None for item in items)),
            (spoken("items without a limit"), sum(item.stock is None for item in items)),
            (spoken("products with their size"), sum(product.quantity is not None for product in products)),
            (spoken("products with a product type"), sum(product.product_type is not None for product in products)),
        )
        if count
    )


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that a catalogue or an order lacks before anybody can buy from it. `iri` is the first thing that does,
    `count` says how many do. `text` is in the language of the shell."""

    code: str
    text: str
    iri: str
    count: int


def gaps_of(document: DfcDocument) -> Iterator[Gap]:
    """Yields what is missing, each kind once."""
    offered = {offer.item for offer in document.all(DfcOffer) if offer.price}
    items, lines = document.all(DfcItem), document.all(DfcLine)
    bare = [item.iri for item in items if item.iri not in offered and item.product not in offered]
    unlinked = [item.iri for item in items if item.product is None]
    lost = [line.iri for line in lines if line.offer is None or line.quantity is None]
    names = {item.product: item.name for item in items if item.name}
    nameless = [product.iri for product in document.all(DfcProduct) if not product.name and product.iri not in names]
    yield from _gap("no_name", nameless, "Missing: {count} SuppliedProduct without a name. At {iri}.")
    yield from _gap("no_price", bare, "Missing: {count} CatalogItem without an Offer that has a price. At {iri}.")
    yield from _gap("no_product", unlinked, "Missing: {count} CatalogItem that references no product. At {iri}.")
    stray = [step.iri for step in document.all(DfcStep) if step.route is None]
    homeless = [each.iri for each in document.all(DfcShipment) if each.origin is None or each.destination is None]
    yield from _gap("no_route", stray, "Missing: {count} Step that is part of no Route. At {iri}.")
    yield from _gap("no_places", homeless, "Missing: {count} Shipment without its two places. At {iri}.")
    yield from _gap("no_quantity", lost, "Missing: {count} OrderLine without its offer or quantity. At {iri}.")


def _gap(code: str, iris: list[str], text: str) -> Iterator[Gap]:
    if iris:
        yield Gap(code=code, text=spoken(text, count=len(iris), iri=iris[0]), iri=iris[0], count=len(iris))


def remedy(code: str) -> str:
    """What would be right, in the language of the shell; "" if nothing general can be said."""
    hint = _HINT_TEXTS.get(code)
    return spoken(hint) if hint else ""


def as_json(document: DfcDocument, paths: Paths) -> dict[str, object]:
    """The result of a check for programs: dialect, what is understood, findings and gaps, each with its path."""
    kinds = Counter(type(thing).NAMES[0] for thing in document.things.values() if not isinstance(thing, DfcOther))
    return {
        "version": document.version,
        "shapes": list(document.shapes),
        "understood": dict(sorted(kinds.items())),
        "findings": [
            {
                "weight": finding.weight,
                "code": finding.code,
                "text": finding_text(finding),
                "count": finding.count,
                "iri": finding.iri,
                "property": finding.property_name,
                "hint": remedy(finding.code),
                "path": paths.path_of(finding.iri, finding.property_name),
            }
            for finding in document.findings
        ],
        "gaps": [
            {**asdict(gap), "hint": remedy(gap.code), "path": paths.path_of(gap.iri)} for gap in gaps_of(document)
        ],
    }


_HINTS = (
    Problem("bad_iri", "Encode spaces and other special characters, such as %20."),
    Problem("cycle", "Name the size that it is a variant of, or leave the link out."),
    Problem("foreign_host", "Give things of your own addresses of your own host, and only name those of others."),
    Problem("kept", "Nothing has to be done. If it says the same as a property of DFC, write that property."),
    Problem("languages", "Send one language only, for the reader shows one."),
    Problem("missing", "Put the node into the document, or the value in its place."),
    Problem("no_context", "Name a context, such as https://w3id.org/dfc/ontology/context/context_1.16.0.json."),
    Problem("no_currency", "Name the currency in hasUnit, such as dfc-m:Euro, or http://qudt.org/vocab/currency/CHF."),
    Problem("no_date", "Write a date like 2026-11-27T10:00:00Z."),
    Problem("no_duration", "Write a duration like PT8M, or the number of seconds."),
    Problem("no_flag", "Write true or false."),
    Problem("no_link", "Write the address of a thing."),
    Problem("no_meaning", "Use a prefix that the context declares, such as dfc-b."),
    Problem("no_number", "Write a number, such as 2.5."),
    Problem("no_pieces", "Write the number of pieces."),
    Problem("no_stock", "Write the number of pieces, or -1 for no limit."),
    Problem("no_text", "Write the text itself, or a list of texts with @language."),
    Problem("no_type", "Add @type, so that nobody has to guess."),
    Problem("other", "Nothing has to be done. If it is a thing of DFC, check how its class is spelt."),
    Problem("other_version", "Name the context of 1.16.0 or 2.0.0 if something is missing here."),
    Problem("rounded", "Write no more decimals than the currency has."),
    Problem("small_rate", "Write 5.5 for 5.5 percent, not 0.055."),
    Problem("two_values", "Write one value."),
    Problem("unknown_certificate", "Name a label of DFC's taxonomy of facets in hasCertification."),
    Problem("unknown_country", "Write a country of the EU's authority table, such as …/authority/country/FRA."),
    Problem("unknown_term", "Use a term of DFC's taxonomies, or leave it out."),
    Problem("unknown_unit", "Use a unit of DFC's taxonomy of measures, such as dfc-m:Kilogram."),
    Problem("no_name", "Add name."),
    Problem("no_price", "Add an Offer with hasPrice, linked by offeredItem and offeredThrough."),
    Problem("no_product", "Add references to the SuppliedProduct."),
    Problem("no_places", "Add startsAt and endsAt, each to a PhysicalPlace with an Address."),
    Problem("no_route", "Add isStepOf to the Route, or hasStep there."),
    Problem("no_quantity", "Add concerns to its Offer, and hasQuantity."),
)
_HINT_TEXTS = {hint.code: hint.text for hint in _HINTS}
