"""Grains: stock is counted in integer parts of a lot's unit, so that rounding never creates or loses goods."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ..base.errors import Problem
from ..base.units.measures import MEASURES, Measure, convert

LARGEST = 10**12  # grains of one lot: a million tonnes in grams
FINEST = 10**6  # grains in one unit; a lot's `per_unit` divides it, so that every level is a short decimal

_MOST_DECIMALS = 18
_USUAL = {"mass": ("Kilogram", 1000), "volume": ("Litre", 1000), "length": ("Metre", 100), "count": ("Piece", 1)}


def usual_unit(measure: Measure) -> tuple[str, int]:
    """Returns the unit in which goods of this measure are stocked, and the grains in it: kilograms in grams, litres in
    millilitres, pieces in pieces, crates in crates."""
    return _USUAL.get(measure.dimension, (measure.term, 1))


def fitting_unit(quantity: Decimal, measure: Measure) -> tuple[str, int]:
    """Returns `usual_unit`, or a finer one, or the measure itself, if the usual grain does not divide the quantity.

    Half a gram of saffron is stocked in milligrams, a pound of cheese in two-thousandths of a pound.
    """
    unit, per_unit = usual_unit(measure)
    choices = ((unit, per_unit), (unit, FINEST), (measure.term, 2000))  # 2000: sixteenths and thousandths
    fitting = (choice for choice in choices if isinstance(grains_of(quantity, measure, *choice), int))
    return next(fitting, (unit, per_unit))


def grains_of(quantity: Decimal, measure: Measure, unit: str, per_unit: int, where: str = "") -> int | Problem:
    """Returns the grains that this quantity takes from a lot counted in `unit`; a `Problem` if they are no integer."""
    lot = MEASURES[unit]
    if not measure.comparable(lot):
        text = "{measure} cannot be taken from a stock that is counted in {unit}."
        return Problem("other_unit", text, where, {"measure": measure.en, "unit": lot.en})
    if not 0 < quantity <= LARGEST or not has_few_decimals(quantity):
        return Problem("quantity", "A quantity must be between 0 and {most}.", where, {"most": LARGEST})
    grains = convert(quantity, measure, lot) * per_unit
    if grains.denominator != 1:
        text = "{quantity} cannot be counted: the smallest amount of this stock is {grain}."
        values = {"quantity": f"{quantity:f} {measure.symbol}".rstrip(), "grain": as_text(1, unit, per_unit)}
        return Problem("too_fine", text, where, values)
    return int(grains)


def has_few_decimals(quantity: Decimal) -> bool:
    """Tells whether exact arithmetic with it is cheap: ``1E-1000000`` is short, but as a fraction takes a megabyte."""
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DECIMALS


def to_grains(quantity: Decimal, unit: str, per_unit: int, where: str = "") -> int | Problem:
    """Returns the grains of a quantity in the lot's unit, or a `Problem` that names the smallest amount."""
    if not quantity.is_finite() or not 0 <= quantity <= LARGEST // per_unit:
        return Problem("quantity", "A quantity must be between 0 and {most}.", where, {"most": LARGEST // per_unit})
    grains = Fraction(quantity) * per_unit if has_few_decimals(quantity) else Fraction(1, 2)
    if grains.denominator != 1:
        text = "{quantity} cannot be counted: the smallest amount of this stock is {grain}."
        return Problem("too_fine", text, where, {"quantity": str(quantity)[:40], "grain": as_text(1, unit, per_unit)})
    return int(grains)


def in_units(grains: int, per_unit: int) -> Decimal:
    """Returns grains as a quantity in the lot's unit."""
    return Decimal(grains) / Decimal(per_unit)


def as_text(grains: int, unit: str, per_unit: int) -> str:
    """Returns grains as text for people in any language: ``2.5 kg``, or ``3`` if the unit has no symbol."""
    return f"{in_units(grains, per_unit):f} {MEASURES[unit].symbol}".rstrip()
