"""Takes grants from the year's budget and gives them back. The database guards the limits and keeps the entries.

Each grant or return first locks the budget's row until the transaction ends. So transactions take turns, and each sees
the entries of all before it, which also guards the maximum of a customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, literal, select, update

from commensal import Adjustment, Conflict, OrderDraft, Row, Transaction, hookimpl, insert_or

from .budget import Year, budget_of, entries_of
from .grants import PREFIX, year_for
from .settings import Programme, Settings
from .tables import solidarity_budget, solidarity_entry

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
