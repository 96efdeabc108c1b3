"""Grains: stock is counted in whole parts of a lot's unit, so that no rounding ever makes or loses goods."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ..errors import Problem
from ..units.measures import MEASURES, Measure

LARGEST = 10**12  # grains of one lot: a million tonnes in grams
FINEST = 10**6  # grains in one unit; a lot's `per_unit` divides it, so that every level is a short decimal

_MOST_DECIMALS = 18


def lot_unit(measure: Measure) -> tuple[str, int]:
    """The unit in which goods of this measure are stocked, and the grains in one: kilograms by the gram, litres by the
    millilitre, things by the piece, a crate by the crate."""
    if measure.dimension == "mass":
        return "Kilogram", 1000
    if measure.dimension == "volume":
        return "Litre", 1000
    if measure.dimension == "length":
        return "Metre", 100
    return ("Piece", 1) if measure.dimension == "count" else (measure.term, 1)


def has_few_decimals(quantity: Decimal) -> bool:
    """Whether exact arithmetic with it is cheap: ``1E-1000000`` is short to send, and a fraction of a megabyte."""
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DECIMALS


def to_grains(quantity: Decimal, unit: str, per_unit: int, where: str = "") -> int | Problem:
    """Grains from a quantity in the lot's unit. A `Problem` says what is wrong, and how small a grain is."""
    if not quantity.is_finite() or not 0 <= quantity <= LARGEST // per_unit:
        return Problem("quantity", "A quantity lies between 0 and {most}.", where, {"most": LARGEST // per_unit})
    grains = Fraction(quantity) * per_unit if has_few_decimals(quantity) else Fraction(1, 2)
    if grains.denominator != 1:
        text = "{quantity} cannot be counted: the smallest amount of this stock is {grain}."
        return Problem("too_fine", text, where, {"quantity": str(quantity)[:40], "grain": as_text(1, unit, per_unit)})
    return int(grains)


def in_units(grains: int, per_unit: int) -> Decimal:
    """The same in the lot's unit."""
    return Decimal(grains) / Decimal(per_unit)


def as_text(grains: int, unit: str, per_unit: int) -> str:
    """As people read it in any language: ``2.5 kg``, or just ``3`` for what has no symbol."""
    return f"{in_units(grains, per_unit):f} {MEASURES[unit].symbol}".rstrip()
