"""Applies adjustments phase by phase. All plugins see the same order in a phase, so their sequence does not matter."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from ..base.errors import PluginError
from ..base.money import LARGEST
from .lines import with_amount
from .totals import totals
from .values import CUSTOMER, Adjustment, OrderDraft, Phase
from .vat import by_rate

MOST_ADJUSTMENTS = 6000  # of one order: ten fees on each of its five hundred lines, and some others

_PHASES = tuple(Phase)
Ask = Callable[[OrderDraft, Phase], Sequence[Adjustment]]
_HOOK = "price_adjustments"
_LONGEST = 200  # characters of a text


def price_order(order: OrderDraft, ask: Ask) -> OrderDraft:
    """Returns the order with its lines' amounts worked out and with the adjustments that `ask` returns for each phase.

    Adjustments that the order had before are dropped. Within a phase they are applied by plugin id, those of one plugin
    in its own order. The customer's total never falls below zero: the reduction that would go too far is cut to what is
    left to pay, and later ones are left out. Deposits are never reduced, since they are given back; and at one VAT rate
    reductions never exceed what was charged at that rate.

    Raises `PluginError`, naming the plugin, for an invalid adjustment.
    """
    order = replace(order, lines=tuple(with_amount(line) for line in order.lines), adjustments=())
    for phase in _PHASES:
        for adjustment in sorted(ask(order, phase), key=lambda adjustment: adjustment.plugin):
            _refuse_invalid(order, phase, adjustment)
            order = _with_adjustment(order, adjustment)
    return order


def _with_adjustment(order: OrderDraft, adjustment: Adjustment) -> OrderDraft:
    if adjustment.amount < 0:
        adjustment = _limited(order, adjustment)
    if not adjustment.amount:
        return order
    if len(order.adjustments) == MOST_ADJUSTMENTS:
        raise PluginError(adjustment.plugin, _HOOK, f"an order has at most {MOST_ADJUSTMENTS} adjustments")
    return replace(order, adjustments=(*order.adjustments, adjustment))


def _limited(order: OrderDraft, adjustment: Adjustment) -> Adjustment:
    """Returns the adjustment, reduced if necessary so that no amount falls below zero.

    VAT that is added to net prices shrinks with the reduction, in rounded steps; so the largest possible amount is
    found by bisection, which works because `_left_to_pay` never grows with the reduction.
    """
    if _left_to_pay(order, adjustment, -adjustment.amount) >= 0:
        return adjustment
    largest = (
        bisect_right(range(-adjustment.amount + 1), 0, key=lambda spared: -_left_to_pay(order, adjustment, spared)) - 1
    )
    return replace(adjustment, amount=-largest)


def _left_to_pay(order: OrderDraft, adjustment: Adjustment, spared: int) -> int:
    """Returns what is left to pay after a reduction by `spared` minor units, without deposits: in total, or at the
    adjustment's VAT rate if that is less."""
    order_after = replace(order, adjustments=(*order.adjustments, replace(adjustment, amount=-spared)))
    new_totals = totals(order_after)
    left = new_totals.total - new_totals.deposits
    return left if adjustment.vat_rate is None else min(left, by_rate(order_after)[adjustment.vat_rate])


def _refuse_invalid(order: OrderDraft, phase: Phase, adjustment: Adjustment) -> None:
    """Raises `PluginError`, saying what is wrong, for an adjustment that is not valid in this order and phase."""
    problem = _wrong_value(adjustment) or _wrong_place(order, phase, adjustment) or _wrong_payer(adjustment)
    if problem:
        raise PluginError(adjustment.plugin or "the core", _HOOK, problem)


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
