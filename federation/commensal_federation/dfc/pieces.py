"""How many pieces of a product a quantity is."""

from __future__ import annotations

from fractions import Fraction

from commensal import MEASURES

from .vocabulary import DfcQuantity


def pieces_in(quantity: DfcQuantity, size: DfcQuantity | None) -> Fraction | None:
    """Returns how many pieces a quantity is, by count or by the content of a piece; None if the units do not compare.

    `size` is the net content of a piece, None if unknown. "Piece" counts pieces of the product, even where their
    content is counted too: two pieces of a box of six eggs are two boxes, and a dozen of them is two boxes as well.
    """
    measure = MEASURES.get(quantity.unit)
    if measure is None or measure.dimension in ("package", "ratio"):
        return None
    amount = Fraction(quantity.value) * measure.factor
    content = MEASURES.get(size.unit) if size is not None else None
    if measure.dimension == "count" and (measure.factor == 1 or content is None or content.dimension != "count"):
        return amount
    if size is None or content is None or not content.comparable(measure) or size.value <= 0:
        return None
    return amount / (Fraction(size.value) * content.factor)
