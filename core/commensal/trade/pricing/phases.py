"""Applies adjustments phase by phase. All plugins see the same order in a phase, so their sequence does not matter."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...base.errors import PluginError
from .lines import with_amount
from .totals import totals
from .validation import HOOK, refuse_invalid_adjustment
from .values import Adjustment, OrderDraft, Phase
from .vat import by_rate

MOST_ADJUSTMENTS = 6000  # of one order: ten fees on each of its five hundred lines, and some others

_PHASES = tuple(Phase)
Ask = Callable[[OrderDraft, Phase], Sequence[Adjustment]]


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
            refuse_invalid_adjustment(order, phase, adjustment)
            order = _with_adjustment(order, adjustment)
    return order


def _with_adjustment(order: OrderDraft, adjustment: Adjustment) -> OrderDraft:
    if adjustment.amount < 0:
        adjustment = _limited(order, adjustment)
    if not adjustment.amount:
        return order
    if len(order.adjustments) == MOST_ADJUSTMENTS:
        raise PluginError(adjustment.plugin, HOOK, f"an order has at most {MOST_ADJUSTMENTS} adjustments")
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
