"""What an order can cost at most, before goods that are sold by weight were weighed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from .lines import heaviest, lightest
from .phases import Ask, price_order
from .totals import totals
from .values import Adjustment, OrderDraft, Phase, PricedLine

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
