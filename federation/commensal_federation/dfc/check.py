"""Describes for a platform's developer what of a document is understood, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from commensal import spoken

from .read import DfcDocument, DocumentFinding
from .vocabulary import DfcItem, DfcLine, DfcOffer, DfcOther, DfcProduct


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
            kind=event.kind, enterprise=event.enterprise, scope=event.scope or spoken("no scope"),
        )  # fmt: skip
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


def describe_gaps(document: DfcDocument) -> Iterator[str]:
    """Yields lines about what a catalogue or an order lacks before anybody can buy from it."""
    offered = {offer.item for offer in document.all(DfcOffer) if offer.price}
    bare = [item for item in document.all(DfcItem) if item.iri not in offered and item.product not in offered]
    if bare:
        text = "Missing: {count} CatalogItem without an Offer that has a price. At {iri}."
        yield spoken(text, count=len(bare), iri=bare[0].iri)
    unlinked = [item for item in document.all(DfcItem) if item.product is None]
    if unlinked:
        text = "Missing: {count} CatalogItem that references no product. At {iri}."
        yield spoken(text, count=len(unlinked), iri=unlinked[0].iri)
    lost = [line for line in document.all(DfcLine) if line.offer is None or line.quantity is None]
    if lost:
        text = "Missing: {count} OrderLine without its offer or quantity. At {iri}."
        yield spoken(text, count=len(lost), iri=lost[0].iri)
