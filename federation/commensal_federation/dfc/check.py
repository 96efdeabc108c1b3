"""Says of a document what is understood of it and what is not, in words that a platform's developer can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from commensal import spoken

from .read import DfcDocument, Finding
from .vocabulary import DfcItem, DfcLine, DfcOffer, DfcOther, DfcProduct


def described(document: DfcDocument) -> Iterator[str]:
    """How it is written, and what is understood, a line for each."""
    shapes = "; ".join(document.shapes)
    yield spoken("This is a document of DFC {version}: {shapes}.", version=document.version, shapes=shapes)
    kinds = Counter(type(one).NAMES[0] for one in document.things.values() if not isinstance(one, DfcOther))
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


def objection(one: Finding) -> str:
    """What cannot be right, or is not understood, with where it stands first."""
    wrong = one.weight == "wrong"
    said = spoken(
        "Wrong [{code}]: {what}" if wrong else "Not understood [{code}]: {what}", code=one.code, what=text_of(one)
    )
    return f"{said} {spoken('At {iri}.', iri=one.iri)}" if one.iri else said


def text_of(one: Finding) -> str:
    """What was noticed, and how often."""
    what = spoken(one.problem.text, **one.problem.values)
    return spoken("{what} ({count} times)", what=what, count=one.count) if one.count > 1 else what


def _counted(document: DfcDocument) -> Iterator[tuple[str, int]]:
    products, items, offers = document.all(DfcProduct), document.all(DfcItem), document.all(DfcOffer)
    yield from (
        (name, count)
        for name, count in (
            (spoken("offers with a price"), sum(one.price is not None for one in offers)),
            (spoken("items with a stock"), sum(one.stock is not None for one in items)),
            (spoken("items without a limit"), sum(one.stock is None for one in items)),
            (spoken("products with their size"), sum(one.quantity is not None for one in products)),
            (spoken("products with a product type"), sum(one.product_type is not None for one in products)),
        )
        if count
    )


def missing(document: DfcDocument) -> Iterator[str]:
    """What a catalogue or an order needs before anybody can buy by it, a line for each."""
    offered = {one.item for one in document.all(DfcOffer) if one.price}
    bare = [one for one in document.all(DfcItem) if one.iri not in offered and one.product not in offered]
    if bare:
        text = "Missing: {count} CatalogItem without an Offer that has a price. At {iri}."
        yield spoken(text, count=len(bare), iri=bare[0].iri)
    unlinked = [one for one in document.all(DfcItem) if one.product is None]
    if unlinked:
        text = "Missing: {count} CatalogItem that references no product. At {iri}."
        yield spoken(text, count=len(unlinked), iri=unlinked[0].iri)
    lost = [one for one in document.all(DfcLine) if one.offer is None or one.quantity is None]
    if lost:
        text = "Missing: {count} OrderLine without its offer or quantity. At {iri}."
        yield spoken(text, count=len(lost), iri=lost[0].iri)
