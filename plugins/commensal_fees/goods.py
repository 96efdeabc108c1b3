"""Quantities to which fees apply: delivered pieces, and their weight."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from commensal import MEASURES, PricedLine

_GRAMS = 1000  # of a kilogram, and millilitres of a litre


def pieces(line: PricedLine) -> int:
    """Returns the pieces that the customer gets: none if the weight at packing is zero."""
    return 0 if line.final_quantity == 0 else line.quantity


def kilograms(line: PricedLine, of_a_piece: Decimal) -> Fraction:
    """Returns the line's weight as measured at packing, else its nominal content. A litre counts as a kilogram.

    `of_a_piece` is the weight of one piece, in kilograms, of goods sold neither by weight nor by volume.
    """
    measure = MEASURES.get(line.unit)
    if measure is None or measure.dimension not in ("mass", "volume"):
        return Fraction(of_a_piece) * pieces(line)
    content = line.unit_quantity * line.quantity if line.final_quantity is None else line.final_quantity
    return Fraction(content) * measure.factor / _GRAMS
