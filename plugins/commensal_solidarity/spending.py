"""Takes grants from the year's budget and gives them back. The database guards the limits and keeps the entries.

Each grant or return first locks the budget's row until the transaction ends. So transactions take turns, and each sees
the entries of all before it, which also guards the maximum of a customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from sqlalchemy import func, insert, literal, select, update

from commensal import (
    LANGUAGES,
    Adjustment,
    Conflict,
    OrderDraft,
    Phase,
    PricedLine,
    Row,
    Transaction,
    half_up,
    hookimpl,
    insert_or,
    kinds_of,
    lineage,
    only_for,
    translate,
)

from .budget import Year, available_for, budget_of, entries_of, local_date, year_of
from .settings import Programme, Settings
from .tables import solidarity_budget, solidarity_entry

# Works out what an order is granted: its programmes' share of the goods, within the budget.

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


_budget, _entry = solidarity_budget.c, solidarity_entry.c


@hookimpl
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment], settings: Settings
) -> None:
    """Records the change of the order's grants. Raises `Conflict` if the budget was used up since it was priced."""
    granted_before, customer_id = _granted(tx, order.id) if before else ({}, order.customer_id)
    programmes = {year_for(programme, order): programme for programme in settings.programmes}
    granted_now = {year: _amount_of(after, programme) for year, programme in programmes.items()}
    for year in sorted(
        {*granted_before, *granted_now}
    ):  # always in the same order, so that two never wait for each other
        difference = granted_now.get(year, 0) - granted_before.get(year, 0)
        if difference:
            kind = "granted" if year not in granted_before else "changed" if granted_now.get(year) else "given back"
            entry = _new_entry(tx, order.id, customer_id or order.customer_id, year, kind, difference)
            if difference > 0:
                _spend(tx, year, programmes[year], entry)
            else:
                _release(tx, year, entry)


def _amount_of(adjustments: Sequence[Adjustment], programme: Programme) -> int:
    return -sum(adjustment.amount for adjustment in adjustments if adjustment.kind == f"{PREFIX}{programme.id}")


def _granted(tx: Transaction, order_id: str) -> tuple[Mapping[Year, int], str | None]:
    """Returns what the order was granted by year, and the customer to whom it was granted.

    It reads the entries, because a programme may have been removed from the settings, and because a return goes to the
    customer who got the grant, even if the order has another owner now.
    """
    key = [_entry[name] for name in Year._fields]
    sums = select(*key, func.sum(_entry.amount).label("amount"), func.min(_entry.customer_id).label("customer_id"))
    rows = tx.all(sums.where(_entry.order_id == order_id).group_by(*key))
    by_year = {
        Year(row["enterprise_id"], row["programme"], row["year"]): int(row["amount"]) for row in rows if row["amount"]
    }
    return by_year, rows[0]["customer_id"] if rows else None


def _new_entry(
    tx: Transaction, order_id: str, customer_id: str | None, year: Year, kind: str, amount: int
) -> dict[str, object]:
    return {
        "id": tx.new_id(),
        **year._asdict(),
        "order_id": order_id,
        "customer_id": customer_id,
        "kind": kind,
        "amount": amount,
        "at": tx.now,
    }


def _spend(tx: Transaction, year: Year, programme: Programme, entry: Row) -> None:
    spend(tx, year, programme, entry["amount"])
    most = programme.most_per_customer
    if most is None:
        tx.execute(insert(solidarity_entry).values(entry))
        return
    granted_to_customer = select(func.coalesce(func.sum(_entry.amount), 0)).where(
        entries_of(year), _entry.customer_id == entry["customer_id"]
    )
    is_within = granted_to_customer.scalar_subquery() + entry["amount"] <= most
    row = select(*(literal(value, _entry[name].type) for name, value in entry.items())).where(is_within)
    if tx.execute(insert(solidarity_entry).from_select(list(entry), row)).rowcount != 1:
        text = "What {payer} grants you in a year has just been used up; please look at the total again."
        raise Conflict("solidarity_maximum", text, payer=programme.payer)


def spend(tx: Transaction, year: Year, programme: Programme, amount: int) -> None:
    """Takes `amount` from the year's budget with one guarded statement. Raises `Conflict` if it is used up."""
    new_sum = _budget.spent + amount
    row = insert_or(tx, solidarity_budget).values(**year._asdict(), budget=programme.budget, spent=amount)
    upsert = row.on_conflict_do_update(
        index_elements=list(Year._fields),
        set_={"spent": new_sum, "budget": programme.budget},
        where=new_sum <= programme.budget,
    )
    if tx.first(upsert.returning(_budget.spent)) is None:
        text = "The budget of {payer} has just been used up; please look at the total again."
        raise Conflict("solidarity_used_up", text, payer=programme.payer)


def _release(tx: Transaction, year: Year, entry: Mapping[str, object]) -> None:
    change = update(solidarity_budget).where(budget_of(year)).values(spent=_budget.spent + entry["amount"])
    tx.execute(change)
    tx.execute(insert(solidarity_entry).values(entry))
