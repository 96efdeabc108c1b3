"""What an order is granted: its programmes' share of the goods, as far as the budget goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from commensal import (
    Adjustment,
    OrderDraft,
    Phase,
    PricedLine,
    Transaction,
    half_up,
    hookimpl,
    kinds_of,
    lineage,
    translate,
)

from .left import left_for
from .settings import Programme, Settings
from .years import Year, local_date, year_of

PREFIX = "solidarity:"  # of the kind of an adjustment; the programme's id follows


@hookimpl
def price_adjustments(
    tx: Transaction, order: OrderDraft, phase: Phase, settings: Settings
) -> Sequence[Adjustment] | None:
    """One statement for each programme whose category the customer is in, and one more where goods are excluded."""
    if phase is not Phase.SUBSIDY or order.customer_id is None:
        return None
    granted: list[Adjustment] = []
    for programme in settings.programmes:
        if programme.category in order.category_ids and programme.holds_on(_day(order)):
            unpaid = order.subtotal + sum(one.amount for one in granted)
            amount = _grant(tx, programme, order, order.customer_id, unpaid)
            if amount > 0:
                granted.append(_adjustment(programme, order, amount))
    return granted


def year_for(programme: Programme, order: OrderDraft) -> Year:
    """The year whose budget pays for the order."""
    return Year(order.enterprise_id, programme.id, year_of(_day(order), programme.first_month))


def _day(order: OrderDraft) -> date:
    return local_date(order.begins_at, order.timezone)


def _grant(tx: Transaction, programme: Programme, order: OrderDraft, customer_id: str, unpaid: int) -> int:
    wished = min(_wished(tx, programme, order), unpaid)
    if wished <= 0:
        return 0
    return min(wished, left_for(tx, year_for(programme, order), programme, order.id, customer_id))


def _wished(tx: Transaction, programme: Programme, order: OrderDraft) -> int:
    """What the programme would grant if there were no end of money; minor units."""
    spared = sum(one.amount for one in order.adjustments if one.amount < 0)
    helped = max(0, sum(line.amount for line in _helped(tx, programme, order.lines)) + spared)
    wished = programme.amount or half_up(helped * Fraction(programme.percent) / 100)
    return min(wished, helped, wished if programme.most_per_order is None else programme.most_per_order)


def _helped(tx: Transaction, programme: Programme, lines: Sequence[PricedLine]) -> Sequence[PricedLine]:
    types, labels = frozenset(programme.excluded_types), frozenset(programme.excluded_labels)
    if not types and not labels:
        return lines
    kinds = kinds_of(tx, {line.product_id for line in lines})
    excluded = {
        product_id
        for product_id, kind in kinds.items()
        if labels.intersection(kind.labels) or any(one.term in types for one in lineage(kind.product_type))
    }
    return [line for line in lines if line.product_id not in excluded]


def _adjustment(programme: Programme, order: OrderDraft, amount: int) -> Adjustment:
    label = translate(order.language, "Paid by {payer}").format(payer=programme.payer)
    return Adjustment(
        phase=Phase.SUBSIDY, kind=f"{PREFIX}{programme.id}", label=label, amount=-amount, payer=programme.payer
    )
