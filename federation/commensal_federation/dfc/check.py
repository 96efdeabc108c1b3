"""Says of a document what is understood of it and what is not, in words that a platform's developer can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .read import DfcDocument
from .vocabulary import DfcItem, DfcLine, DfcOffer, DfcOther, DfcProduct


def described(document: DfcDocument) -> Iterator[str]:
    """How it is written, and what is understood, a line for each."""
    yield f"This is a document of DFC {document.version}: {'; '.join(document.shapes)}."
    kinds = Counter(type(one).NAMES[0] for one in document.things.values() if not isinstance(one, DfcOther))
    if kinds:
        yield f"Understood: {', '.join(f'{count} {name}' for name, count in sorted(kinds.items()))}."
    for name, count in _counted(document):
        yield f"  {count} {name}"
    for event in document.events:
        yield f"Understood: the notice to {event.kind} {event.enterprise} ({event.scope or 'no scope'})."
    for iri, members in document.containers.items():
        yield f"The container {iri} lists {len(members)}."


def objections(document: DfcDocument) -> Iterator[str]:
    """What cannot be right, and then what is not understood, a line for each, with where it stands first."""
    for one in document.findings:
        word = "Wrong" if one.weight == "wrong" else "Not understood"
        often = f" ({one.count} times)" if one.count > 1 else ""
        where = f" At {one.iri}." if one.iri else ""
        yield f"{word} [{one.code}]: {one.text}{often}{where}"
    for hint in _missing(document):
        yield f"Missing: {hint}"


def _counted(document: DfcDocument) -> Iterator[tuple[str, int]]:
    products, items, offers = document.all(DfcProduct), document.all(DfcItem), document.all(DfcOffer)
    yield from (
        (name, count)
        for name, count in (
            ("offers with a price", sum(one.price is not None for one in offers)),
            ("items with a stock", sum(one.stock is not None for one in items)),
            ("items without a limit", sum(one.stock is None for one in items)),
            ("products with their size", sum(one.quantity is not None for one in products)),
            ("products with a product type", sum(one.product_type is not None for one in products)),
        )
        if count
    )


def _missing(document: DfcDocument) -> Iterator[str]:
    """What a catalogue or an order needs before anybody can buy by it."""
    offered = {one.item for one in document.all(DfcOffer) if one.price}
    bare = [one for one in document.all(DfcItem) if one.iri not in offered and one.product not in offered]
    if bare:
        yield f"{len(bare)} CatalogItem without an Offer that has a price. At {bare[0].iri}."
    unlinked = [one for one in document.all(DfcItem) if one.product is None]
    if unlinked:
        yield f"{len(unlinked)} CatalogItem that references no product. At {unlinked[0].iri}."
    lost = [one for one in document.all(DfcLine) if one.offer is None or one.quantity is None]
    if lost:
        yield f"{len(lost)} OrderLine without its offer or quantity. At {lost[0].iri}."
