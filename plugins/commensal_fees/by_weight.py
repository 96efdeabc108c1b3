"""Fees as rules: how each follows from what the goods weigh, for a telephone that weighs without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from commensal import MEASURES, OrderDraft, PricedLine, WeightRule, hookimpl

from .by_order import (
    FlatPercentItemTotal,
    FlatPercentPerItem,
    FlatPercentWithin,
    LineFee,
    OrderFee,
    PriceSack,
    Weight,
    WeightSteps,
)
from .charging import fees_due
from .fee import Fee, kilograms
from .settings import Settings

_GRAMS = 1000  # of a kilogram


@hookimpl
def weight_rules(order: OrderDraft, settings: Settings) -> Sequence[WeightRule]:
    """A rule for each fee that the order bears, and for each of its lines if the fee is for lines."""
    rules = []
    for fee, lines in fees_due(order, settings):
        if isinstance(fee, LineFee):
            for line in lines:
                rate = line.vat_rate if fee.vat_of_product else fee.vat_rate
                rules.append(replace(_rule(fee, [line]), vat_rate=rate))
        else:
            rules.append(replace(_rule(fee, lines), vat_rate=fee.vat_rate))
    return rules


def _rule(fee: Fee, lines: Sequence[PricedLine]) -> WeightRule:
    """The rule of a fee for these lines; it has no VAT rate yet."""
    match fee:
        case FlatPercentPerItem() if lines[0].weighed:
            rule = _of_amounts(lines, Fraction(fee.percent) / 100)
            return replace(rule, unweighed=fee.of_line(replace(lines[0], final_quantity=None)))
        case FlatPercentItemTotal():
            return _of_amounts(lines, Fraction(fee.percent) / 100)
        case FlatPercentWithin():
            return replace(_of_amounts(lines, Fraction(fee.percent) / 100), least=fee.least, most=fee.most)
        case PriceSack():
            below = ((Fraction(fee.minimal_amount - 1), fee.normal_amount),)
            return replace(_of_amounts(lines, Fraction(1)), steps=below, beyond=fee.discount_amount)
        case Weight():
            return _of_kilograms(lines, Fraction(fee.per_kilogram), fee)
        case WeightSteps():
            steps = tuple((Fraction(step.up_to), step.amount) for step in fee.steps)
            return replace(_of_kilograms(lines, Fraction(1), fee), steps=steps, beyond=fee.beyond)
        case LineFee():
            return WeightRule(base=Fraction(fee.of_line(lines[0])))
        case OrderFee():
            return WeightRule(base=Fraction(fee.of_order(lines)))
    raise AssertionError("a fee is for lines or for the order")


def _of_amounts(lines: Sequence[PricedLine], share: Fraction) -> WeightRule:
    shares = {line.id: share for line in lines if line.weighed}
    return WeightRule(shares=shares, base=share * sum(line.amount for line in lines if not line.weighed))


def _of_kilograms(lines: Sequence[PricedLine], share: Fraction, fee: Weight | WeightSteps) -> WeightRule:
    shares, base = {}, Fraction(0)
    for line in lines:
        measure = MEASURES.get(line.unit)
        if line.weighed and measure is not None and measure.dimension in ("mass", "volume"):
            shares[line.id] = share * measure.factor / _GRAMS
        else:
            base += share * kilograms(line, fee.piece)
    return WeightRule(of="quantity", shares=shares, base=base)
