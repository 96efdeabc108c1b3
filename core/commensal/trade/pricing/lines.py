"""What a line costs: exact until its end, then rounded once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ...base.money import half_up
from .values import PricedLine


def amount_of(line: PricedLine) -> int:
    """What the line costs without its deposit, in minor units; VAT as the shop's prices have it.

    A line that was weighed costs its weight's share of the price: a bag of 2 kg for 5.00 that weighs 1.870 kg costs
    4.68 (467.5 is rounded up). The pieces ordered play no part then: the scales saw them all at once.
    """
    if line.final_quantity is None:
        return line.price * line.quantity
    return half_up(line.price * Fraction(line.final_quantity) / Fraction(line.unit_quantity))


def deposit_of(line: PricedLine) -> int:
    """The deposit for the line's pieces, in minor units. It follows the containers, not the weight in them."""
    return line.deposit * line.quantity


def priced(line: PricedLine) -> PricedLine:
    """The line with its amount worked out."""
    return replace(line, amount=amount_of(line))
