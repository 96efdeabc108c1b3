"""Which products come in cases of others: how many pieces fill one, as transformations that are planned say it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from commensal import MEASURES

from .findings import Findings
from .read import DfcDocument
from .vocabulary import DfcConsumption, DfcProduct, DfcProduction, DfcQuantity

_MOST = 100_000  # pieces in one case
_FINEST = 10**9  # of a piece


def cases_in(document: DfcDocument, findings: Findings) -> Iterator[tuple[DfcProduct, DfcProduct, Fraction]]:
    """Each product with another that is made of it, and how many pieces of the one fill one piece of the other: a
    rational number, since three bags may be filled from one sack. What cannot be reckoned is noted, and left out."""
    made: dict[str | None, DfcProduction] = {
        one.transformation: one for one in document.all(DfcProduction) if one.transformation
    }
    for flow in document.all(DfcConsumption):
        into = made.get(flow.transformation)
        product, case = document.get(DfcProduct, flow.product), document.get(DfcProduct, into.product if into else None)
        if into is None or product is None or case is None or product.iri == case.iri:
            continue
        used, filled = _pieces(flow.quantity, product), _pieces(into.quantity, case)
        pieces = used / filled if used and filled else Fraction(0)
        if not 0 < pieces <= _MOST or pieces.denominator > _FINEST:
            text = "It is not clear how many pieces fill a case, so this product is not ordered by the case."
            findings.note("case", text, flow.iri)
            continue
        yield product, case, pieces


def _pieces(quantity: DfcQuantity | None, product: DfcProduct) -> Fraction | None:
    """So many pieces of a product: as they are counted, or by what one piece holds; one where nothing is said."""
    if quantity is None:
        return Fraction(1)
    said = MEASURES.get(quantity.unit)
    if said is None or said.dimension in ("package", "ratio"):
        return None
    if said.dimension == "count":
        return Fraction(quantity.value) * said.factor
    held = MEASURES.get(product.quantity.unit) if product.quantity is not None else None
    if product.quantity is None or held is None or not held.comparable(said) or product.quantity.value <= 0:
        return None
    return Fraction(quantity.value) * said.factor / (Fraction(product.quantity.value) * held.factor)
