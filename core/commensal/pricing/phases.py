"""Applies adjustments phase by phase. All plugins see the same order in a phase, so their sequence does not matter."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ..base.errors import PluginError
from ..base.money import LARGEST
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction
from .lines import by_rate, heaviest, lightest, totals, with_amount
from .values import CUSTOMER, Adjustment, OrderDraft, Phase, PricedLine

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


# Asks a shop's plugins for their adjustments, and notes on each the plugin that asked for it.


def ask_plugins(hooks: Hooks, tx: Transaction, plugins: Mapping[str, Mapping[str, object]]) -> Ask:
    """Returns the function with which `price_order` asks these plugins; `plugins` maps ids to settings."""

    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        answers = hooks.each(specifications.price_adjustments, plugins, tx=tx, order=order, phase=phase)
        return [replace(adjustment, plugin=answer.plugin) for answer in answers for adjustment in answer.value or ()]

    return ask


# What an order can cost at most, before goods that are sold by weight were weighed.

_Key = tuple[object, ...]
_SPENT = (Phase.VOUCHER, Phase.SUBSIDY)  # reductions that pay what is there to pay


def total_at_most(priced: OrderDraft, ask: Ask) -> int | None:
    """Returns the most that the priced order can cost after weighing, in minor units.

    None if nothing is left to weigh, or if the tolerance of a line is unknown. `ask` is asked again with the least and
    with the greatest weights. A fee counts at its greatest; a discount at its smallest, since one that begins at a sum
    of goods may not be reached; a voucher or a subsidy as with the greatest weights, if it is there with the least too.
    """
    waiting = [line for line in priced.lines if line.awaits_scales]
    if not waiting or any(line.weight_tolerance is None for line in waiting):
        return None
    light, heavy = (price_order(_weighing(priced, weight), ask) for weight in (lightest, heaviest))
    adjustments = _costliest(*(_by_cause(order) for order in (light, priced, heavy)))
    return max(totals(priced).total, totals(replace(heavy, adjustments=adjustments)).total)


def _weighing(order: OrderDraft, weight: Callable[[PricedLine], Decimal]) -> OrderDraft:
    return replace(
        order,
        lines=tuple(replace(line, final_quantity=weight(line)) if line.awaits_scales else line for line in order.lines),
    )


def _by_cause(order: OrderDraft) -> dict[_Key, Adjustment]:
    """The adjustments added up by what they are for, whatever their amounts and labels."""
    causes: dict[_Key, Adjustment] = {}
    for each in order.adjustments:
        key = (each.plugin, each.phase, each.kind, each.line_id, each.payer, each.payee, each.code, each.vat_rate)
        before = causes[key].amount if key in causes else 0
        causes[key] = replace(each, amount=before + each.amount)
    return causes


def _costliest(
    light: Mapping[_Key, Adjustment], expected: Mapping[_Key, Adjustment], heavy: Mapping[_Key, Adjustment]
) -> tuple[Adjustment, ...]:
    costliest = []
    for key, each in {**light, **expected, **heavy}.items():
        amounts = [causes[key].amount if key in causes else 0 for causes in (light, expected, heavy)]
        is_spent = each.phase in _SPENT and all(amounts)
        costliest.append(replace(each, amount=amounts[-1] if is_spent else max(amounts)))
    return tuple(costliest)
