"""Validates the adjustments of plugins. An invalid one is an error that names the plugin, and nothing is charged."""

from __future__ import annotations

from decimal import Decimal

from ...base.errors import PluginError
from ...base.money import LARGEST
from .values import CUSTOMER, Adjustment, OrderDraft, Phase

HOOK = "price_adjustments"
_LONGEST = 200  # characters of a text


def refuse_invalid_adjustment(order: OrderDraft, phase: Phase, adjustment: Adjustment) -> None:
    """Raises `PluginError`, saying what is wrong, for an adjustment that is not valid in this order and phase."""
    problem = _wrong_value(adjustment) or _wrong_place(order, phase, adjustment) or _wrong_payer(adjustment)
    if problem:
        raise PluginError(adjustment.plugin or "the core", HOOK, problem)


def _wrong_value(adjustment: Adjustment) -> str:
    if type(adjustment.amount) is not int:
        return f"the amount {adjustment.amount!r} is not a whole number of minor units"
    if abs(adjustment.amount) > LARGEST:
        return f"the amount {adjustment.amount} is too large"
    rate = adjustment.vat_rate
    if rate is not None and not (isinstance(rate, Decimal) and rate.is_finite() and 0 <= rate <= 100):
        return f"the VAT rate {rate!r} is not a Decimal from 0 to 100 percent"
    for name in ("kind", "label", "payer"):
        text = getattr(adjustment, name)
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
            return f"the {name} must be a text of 1 to {_LONGEST} characters"
    return ""


def _wrong_place(order: OrderDraft, phase: Phase, adjustment: Adjustment) -> str:
    if adjustment.phase != phase:
        return f"an adjustment of {adjustment.phase} was given in {phase}"
    if adjustment.line_id is not None and all(line.id != adjustment.line_id for line in order.lines):
        return f"the order has no line {adjustment.line_id!r}"
    if phase is Phase.FEE and adjustment.amount < 0:
        return "a fee cannot be negative; that is a discount"
    if phase is Phase.PREPAID and (adjustment.amount < 0 or adjustment.vat_rate is not None):
        return "what is paid for later use is positive, and outside VAT"
    if phase in (Phase.DISCOUNT, Phase.VOUCHER, Phase.SUBSIDY) and adjustment.amount > 0:
        return f"a {phase.lower()} cannot be positive"
    return ""


def _wrong_payer(adjustment: Adjustment) -> str:
    """Returns what is wrong with the payer: a third party pays part of the price without changing it."""
    if adjustment.payer == CUSTOMER:
        return "a subsidy must name who pays it" if adjustment.phase is Phase.SUBSIDY else ""
    if adjustment.phase not in (Phase.VOUCHER, Phase.SUBSIDY):
        return f"only a voucher or a subsidy can be paid by {adjustment.payer!r}, not a {adjustment.phase.lower()}"
    if adjustment.vat_rate is not None:
        return "what a third party pays is part of the price: it has no VAT rate of its own"
    return ""
