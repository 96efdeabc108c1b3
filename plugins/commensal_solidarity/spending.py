"""Takes what an order is granted from the year's budget, and gives it back: the database decides, and keeps the books.

Whatever is granted or given back of a year's budget first holds its row until the transaction ends. So those who spend
it take turns, and each sees the entries of all before it: that is why the maximum of a customer holds too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, literal, select, update

from commensal import Adjustment, Conflict, OrderDraft, Transaction, hookimpl, insert_or

from .granting import PREFIX, year_for
from .left import budget_of, entries_of
from .settings import Programme, Settings
from .tables import solidarity_budget, solidarity_entry
from .years import Year

_budget, _entry = solidarity_budget.c, solidarity_entry.c


@hookimpl
def settle_adjustments(
    tx: Transaction,
    order: OrderDraft,
    before: Sequence[Adjustment],
    after: Sequence[Adjustment],
    settings: Settings,
) -> None:
    """Raises `Conflict` where somebody else was granted the rest since the order was priced."""
    had, whose = _granted(tx, order.id) if before else ({}, order.customer_id)
    programmes = {year_for(one, order): one for one in settings.programmes}
    has = {year: _amount_of(after, one) for year, one in programmes.items()}
    for year in sorted({*had, *has}):  # always in the same order, so that two never wait for each other
        more = has.get(year, 0) - had.get(year, 0)
        if more:
            kind = "granted" if year not in had else "changed" if has.get(year) else "given back"
            entry = _written(tx, order.id, whose or order.customer_id, year, kind, more)
            if more > 0:
                _take(tx, year, programmes[year], entry)
            else:
                _give_back(tx, year, entry)


def _amount_of(adjustments: Sequence[Adjustment], programme: Programme) -> int:
    return -sum(one.amount for one in adjustments if one.kind == f"{PREFIX}{programme.id}")


def _granted(tx: Transaction, order_id: str) -> tuple[Mapping[Year, int], str | None]:
    """What the order has of each year's budget, and whose share that is: by the books, because a programme may have
    left the settings, and because what was granted to a customer is given back to them, whoever's the order is."""
    key = [_entry[name] for name in Year._fields]
    sums = select(*key, func.sum(_entry.amount).label("amount"), func.min(_entry.customer_id).label("customer_id"))
    rows = tx.all(sums.where(_entry.order_id == order_id).group_by(*key))
    by_year = {
        Year(row["enterprise_id"], row["programme"], row["year"]): int(row["amount"]) for row in rows if row["amount"]
    }
    return by_year, rows[0]["customer_id"] if rows else None


def _written(
    tx: Transaction, order_id: str, customer_id: str | None, year: Year, kind: str, amount: int
) -> dict[str, Any]:
    return {
        "id": tx.new_id(),
        **year._asdict(),
        "order_id": order_id,
        "customer_id": customer_id,
        "kind": kind,
        "amount": amount,
        "at": tx.now,
    }


def _take(tx: Transaction, year: Year, programme: Programme, entry: Mapping[str, Any]) -> None:
    spend(tx, year, programme, entry["amount"])
    most = programme.most_per_customer
    if most is None:
        tx.execute(insert(solidarity_entry).values(entry))
        return
    theirs = select(func.coalesce(func.sum(_entry.amount), 0)).where(
        entries_of(year), _entry.customer_id == entry["customer_id"]
    )
    within = theirs.scalar_subquery() + entry["amount"] <= most
    row = select(*(literal(value, _entry[name].type) for name, value in entry.items())).where(within)
    if tx.execute(insert(solidarity_entry).from_select(list(entry), row)).rowcount != 1:
        text = "What {payer} grants you in a year has just been used up; please look at the total again."
        raise Conflict("solidarity_maximum", text, payer=programme.payer)


def spend(tx: Transaction, year: Year, programme: Programme, amount: int) -> None:
    """Takes `amount` from the year's budget, by one guarded statement."""
    sum_then = _budget.spent + amount
    row = insert_or(tx, solidarity_budget).values(**year._asdict(), budget=programme.budget, spent=amount)
    guarded = row.on_conflict_do_update(
        index_elements=list(Year._fields),
        set_={"spent": sum_then, "budget": programme.budget},
        where=sum_then <= programme.budget,
    )
    if tx.first(guarded.returning(_budget.spent)) is None:
        text = "The budget of {payer} has just been used up; please look at the total again."
        raise Conflict("solidarity_used_up", text, payer=programme.payer)


def _give_back(tx: Transaction, year: Year, entry: Mapping[str, Any]) -> None:
    less = update(solidarity_budget).where(budget_of(year)).values(spent=_budget.spent + entry["amount"])
    tx.execute(less)
    tx.execute(insert(solidarity_entry).values(entry))
