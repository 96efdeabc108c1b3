"""Works out what a line costs: exact arithmetic, rounded once at the end."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ...base.money import half_up
from .values import PricedLine


def amount_of(line: PricedLine) -> int:
    """Returns what the line costs without its deposit, in minor units, with or without VAT like the shop's prices.

    A weighed line costs the share of its weight in the price: a bag of 2 kg for 5.00 that weighs 1.870 kg costs 4.68
    (467.5 is rounded up). The number of pieces does not matter then: they were weighed together.
    """
    if line.final_quantity is None:
        return line.price * line.quantity
    return half_up(line.price * Fraction(line.final_quantity) / Fraction(line.unit_quantity))


def deposit_of(line: PricedLine) -> int:
    """Returns the deposit for the line's pieces, in minor units. It depends on the containers, not on their weight."""
    return line.deposit * line.quantity


def with_amount(line: PricedLine) -> PricedLine:
    """Returns the line with its amount worked out."""
    return replace(line, amount=amount_of(line))
