"""Works out what a line costs: exact arithmetic, rounded once at the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from ..base.money import half_up
from .values import PricedLine

_FINEST = Decimal("0.001")  # of a share of a weight


def amount_of(line: PricedLine) -> int:
    """Returns what the line costs without its deposit, in minor units, with or without VAT like the shop's prices.

    A weighed line costs the share of its weight in the price: a bag of 2 kg for 5.00 that weighs 1.870 kg costs 4.68
    (467.5 is rounded up). The number of pieces does not matter then: they were weighed together. Where the customer was
    told how much more they may weigh, they pay for no more than that.
    """
    if line.final_quantity is None:
        return amount_of_pieces(line.price, line.quantity)
    weight = Fraction(line.final_quantity)
    if line.weight_tolerance is not None:
        weight = min(weight, Fraction(heaviest(line)))
    return half_up(line.price * weight / Fraction(line.unit_quantity))


def heaviest(line: PricedLine) -> Decimal:
    """Returns what the line's pieces may weigh by its tolerance, in its unit."""
    return line.unit_quantity * line.quantity * (1 + (line.weight_tolerance or Decimal(0)) / 100)


def lightest(line: PricedLine) -> Decimal:
    """Returns the least that the line's pieces weigh by its tolerance, in its unit."""
    return line.unit_quantity * line.quantity * (1 - (line.weight_tolerance or Decimal(0)) / 100)


def amount_of_pieces(price: int, quantity: int) -> int:
    """Returns what pieces that nobody has weighed cost, in the minor units of their `price` for one."""
    return price * quantity


def deposit_of(line: PricedLine) -> int:
    """Returns the deposit for the line's pieces, in minor units. It depends on the containers, not on their weight."""
    return line.deposit * line.quantity


def with_amount(line: PricedLine) -> PricedLine:
    """Returns the line with its amount worked out."""
    amount = amount_of(line)
    return line if amount == line.amount else replace(line, amount=amount)


def with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    """Returns the line with that many pieces, and its amount worked out.

    Fewer pieces have their share of the line's weight until somebody weighs them again: by the weight that was only
    expected they could take more from the lot than all pieces took before. More pieces have no known weight.
    """
    if quantity == line.quantity:
        return line
    weight = None
    if line.final_quantity is not None and 0 < quantity < line.quantity:
        weight = (line.final_quantity * quantity / line.quantity).quantize(_FINEST, rounding=ROUND_DOWN)
    return with_amount(replace(line, quantity=quantity, final_quantity=weight))
