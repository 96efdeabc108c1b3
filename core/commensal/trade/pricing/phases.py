"""Adjustments, phase by phase: all that is asked in one phase sees the same order, so nobody's turn matters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...base.errors import PluginError
from .accepting import HOOK, refuse_nonsense
from .lines import priced
from .totals import totals
from .values import Adjustment, OrderDraft, Phase
from .vat import by_rate

MOST_ADJUSTMENTS = 6000  # of one order: ten fees on each of its five hundred lines, and others besides

Ask = Callable[[OrderDraft, Phase], Sequence[Adjustment]]


def price_order(order: OrderDraft, ask: Ask) -> OrderDraft:
    """The order with the amounts of its lines worked out, and with the adjustments that `ask` wants, phase by phase.

    Adjustments that the order had before are forgotten. Within a phase they are applied by the name of their plugin,
    those of one plugin in its own order. What would leave the customer less than nothing to pay is cut: the first ones
    spare what they say, the one that goes too far spares what is left, and those after it are left out. Deposits are
    never spared, since they are given back; and at a VAT rate no more is spared than was charged at that rate.

    Raises `PluginError`, naming the plugin, for an adjustment that makes no sense.
    """
    order = replace(order, lines=tuple(priced(line) for line in order.lines), adjustments=())
    for phase in Phase:
        for one in sorted(ask(order, phase), key=lambda one: one.plugin):
            refuse_nonsense(order, phase, one)
            order = _with(order, one)
    return order


def _with(order: OrderDraft, one: Adjustment) -> OrderDraft:
    if one.amount < 0:
        one = _cut(order, one)
    if not one.amount:
        return order
    if len(order.adjustments) == MOST_ADJUSTMENTS:
        raise PluginError(one.plugin, HOOK, f"an order has at most {MOST_ADJUSTMENTS} adjustments")
    return replace(order, adjustments=(*order.adjustments, one))


def _cut(order: OrderDraft, one: Adjustment) -> Adjustment:
    """Spares as much of what it says as leaves nothing below zero.

    VAT that comes on top shrinks with what is spared, in steps of its own; so the largest fitting amount is searched
    for. `_left` never grows with what is spared, which makes halving right.
    """
    if _left(order, one, -one.amount) >= 0:
        return one
    fitting = bisect_right(range(-one.amount + 1), 0, key=lambda spared: -_left(order, one, spared)) - 1
    return replace(one, amount=-fitting)


def _left(order: OrderDraft, one: Adjustment, spared: int) -> int:
    """What would be left to pay, without deposits; or at the adjustment's rate, where that is less."""
    after = replace(order, adjustments=(*order.adjustments, replace(one, amount=-spared)))
    sums = totals(after)
    left = sums.total - sums.deposits
    return left if one.vat_rate is None else min(left, by_rate(after)[one.vat_rate])
