"""What an adjustment must be like. A plugin that asks for anything else is named, and nothing is charged."""

from __future__ import annotations

from decimal import Decimal

from ...base.errors import PluginError
from ...base.money import LARGEST
from .values import CUSTOMER, Adjustment, OrderDraft, Phase

HOOK = "price_adjustments"
_LONGEST = 200  # characters of a text


def refuse_nonsense(order: OrderDraft, phase: Phase, one: Adjustment) -> None:
    """Returns if the adjustment may stand in this order. Raises `PluginError` that says what is wrong."""
    wrong = _wrong_value(one) or _wrong_place(order, phase, one) or _wrong_payer(one)
    if wrong:
        raise PluginError(one.plugin or "the core", HOOK, wrong)


def _wrong_value(one: Adjustment) -> str:
    if type(one.amount) is not int:
        return f"the amount {one.amount!r} is not a whole number of minor units"
    if abs(one.amount) > LARGEST:
        return f"the amount {one.amount} is too large"
    rate = one.vat_rate
    if rate is not None and not (isinstance(rate, Decimal) and rate.is_finite() and 0 <= rate <= 100):
        return f"the VAT rate {rate!r} is not a Decimal from 0 to 100 percent"
    for name in ("kind", "label", "payer"):
        text = getattr(one, name)
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
            return f"the {name} must be a text of 1 to {_LONGEST} characters"
    return ""


def _wrong_place(order: OrderDraft, phase: Phase, one: Adjustment) -> str:
    if one.phase != phase:
        return f"an adjustment of {one.phase} was given in {phase}"
    if one.line_id is not None and all(line.id != one.line_id for line in order.lines):
        return f"the order has no line {one.line_id!r}"
    if phase is Phase.FEE and one.amount < 0:
        return "a fee cannot be negative; that is a discount"
    if phase in (Phase.DISCOUNT, Phase.VOUCHER, Phase.SUBSIDY) and one.amount > 0:
        return f"a {phase.lower()} cannot be positive"
    return ""


def _wrong_payer(one: Adjustment) -> str:
    """A third party pays part of the price; it makes the price neither higher nor lower, nor the VAT."""
    if one.payer == CUSTOMER:
        return "a subsidy must name who pays it" if one.phase is Phase.SUBSIDY else ""
    if one.phase not in (Phase.VOUCHER, Phase.SUBSIDY):
        return f"only a voucher or a subsidy can be paid by {one.payer!r}, not a {one.phase.lower()}"
    if one.vat_rate is not None:
        return "what a third party pays is part of the price: it has no VAT rate of its own"
    return ""
