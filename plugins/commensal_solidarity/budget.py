"""Reads a year's budget: what an order of a customer may still get, and what is spent in total."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select

from commensal import Transaction

from .settings import Programme
from .tables import solidarity_budget, solidarity_entry
from .years import Year

_budget, _entry = solidarity_budget.c, solidarity_entry.c


def available_for(tx: Transaction, year: Year, programme: Programme, order_id: str, customer_id: str) -> int:
    """Returns the most that this order may be granted, in minor units, including what it was granted already."""
    granted = select(func.coalesce(func.sum(_entry.amount), 0)).where(entries_of(year))
    row = tx.one(
        select(
            select(_budget.spent).where(budget_of(year)).scalar_subquery().label("spent"),
            granted.where(_entry.customer_id == customer_id).scalar_subquery().label("of_customer"),
            granted.where(_entry.order_id == order_id).scalar_subquery().label("own"),
        )
    )
    available = max(0, programme.budget - (row["spent"] or 0))
    if programme.most_per_customer is not None:
        available = min(available, max(0, programme.most_per_customer - int(row["of_customer"])))
    return available + int(row["own"])


def spent_in(tx: Transaction, year: Year) -> int:
    """Returns what is spent of the year's budget, in minor units, after what cancelled orders gave back."""
    return tx.value(select(_budget.spent).where(budget_of(year))) or 0


def budget_of(year: Year) -> ColumnElement[bool]:
    return and_(*(_budget[name] == value for name, value in year._asdict().items()))


def entries_of(year: Year) -> ColumnElement[bool]:
    return and_(*(_entry[name] == value for name, value in year._asdict().items()))
