"""Works out what an order is granted: its programmes' share of the goods, within the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from commensal import (
    LANGUAGES,
    Adjustment,
    OrderDraft,
    Phase,
    PricedLine,
    Transaction,
    half_up,
    hookimpl,
    kinds_of,
    lineage,
    only_for,
    translate,
)

from .budget import Year, available_for, local_date, year_of
from .settings import Programme, Settings

PREFIX = "solidarity:"  # of the kind of an adjustment; the programme's id follows


@hookimpl
@only_for(phase=(Phase.SUBSIDY,))
def price_adjustments(tx: Transaction, order: OrderDraft, settings: Settings) -> Sequence[Adjustment] | None:
    """Runs one statement for each programme of the customer's categories, and one more if goods are excluded."""
    if order.customer_id is None:
        return None
    granted: list[Adjustment] = []
    for programme in settings.programmes:
        if programme.category in order.category_ids and programme.holds_on(_day(order)):
            unpaid = order.subtotal + sum(adjustment.amount for adjustment in granted)
            amount = _grant(tx, programme, order, order.customer_id, unpaid)
            if amount > 0:
                granted.append(_adjustment(programme, order, amount))
    return granted


def year_for(programme: Programme, order: OrderDraft) -> Year:
    """Returns the year whose budget pays for the order."""
    return Year(order.enterprise_id, programme.id, year_of(_day(order), programme.first_month))


def _day(order: OrderDraft) -> date:
    return local_date(order.begins_at, order.timezone)


def _grant(tx: Transaction, programme: Programme, order: OrderDraft, customer_id: str, unpaid: int) -> int:
    grant = min(_full_grant(tx, programme, order), unpaid)
    if grant <= 0:
        return 0
    return min(grant, available_for(tx, year_for(programme, order), programme, order.id, customer_id))


def _full_grant(tx: Transaction, programme: Programme, order: OrderDraft) -> int:
    """Returns what the programme would grant with an unlimited budget, in minor units."""
    reductions = sum(adjustment.amount for adjustment in order.adjustments if adjustment.amount < 0)
    eligible_sum = max(0, sum(line.amount for line in _eligible_lines(tx, programme, order.lines)) + reductions)
    grant = programme.amount or half_up(eligible_sum * Fraction(programme.percent) / 100)
    return min(grant, eligible_sum, grant if programme.most_per_order is None else programme.most_per_order)


def _eligible_lines(tx: Transaction, programme: Programme, lines: Sequence[PricedLine]) -> Sequence[PricedLine]:
    types, labels = frozenset(programme.excluded_types), frozenset(programme.excluded_labels)
    if not types and not labels:
        return lines
    kinds = kinds_of(tx, {line.product_id for line in lines})
    excluded = {
        product_id
        for product_id, kind in kinds.items()
        if labels.intersection(kind.labels) or any(concept.term in types for concept in lineage(kind.product_type))
    }
    return [line for line in lines if line.product_id not in excluded]


def _adjustment(programme: Programme, order: OrderDraft, amount: int) -> Adjustment:
    label = _label(programme, order.language)
    return Adjustment(
        phase=Phase.SUBSIDY, kind=f"{PREFIX}{programme.id}", label=label, amount=-amount, payer=programme.payer
    )


@hookimpl
def adjustment_names(language: str, settings: Settings) -> Mapping[str, str]:
    """What the help of each programme is called, by what customers read in their languages."""
    return {_label(each, spoken): _label(each, language) for each in settings.programmes for spoken in LANGUAGES}


def _label(programme: Programme, language: str) -> str:
    return translate(language, "Paid by {payer}").format(payer=programme.payer)
