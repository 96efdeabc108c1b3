"""What is left of a year's budget: for an order of a customer, and in all."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select

from commensal import Transaction

from .settings import Programme
from .tables import solidarity_budget, solidarity_entry
from .years import Year

_budget, _entry = solidarity_budget.c, solidarity_entry.c


def left_for(tx: Transaction, year: Year, programme: Programme, order_id: str, customer_id: str) -> int:
    """The most that this order may be granted, in minor units; what it has already is its own."""
    granted = select(func.coalesce(func.sum(_entry.amount), 0)).where(entries_of(year))
    row = tx.one(
        select(
            select(_budget.spent).where(budget_of(year)).scalar_subquery().label("spent"),
            granted.where(_entry.customer_id == customer_id).scalar_subquery().label("of_customer"),
            granted.where(_entry.order_id == order_id).scalar_subquery().label("own"),
        )
    )
    left = max(0, programme.budget - (row["spent"] or 0))
    if programme.most_per_customer is not None:
        left = min(left, max(0, programme.most_per_customer - int(row["of_customer"])))
    return left + int(row["own"])


def spent_in(tx: Transaction, year: Year) -> int:
    """Minor units; what orders that were cancelled have given back is not among them."""
    return tx.value(select(_budget.spent).where(budget_of(year))) or 0


def budget_of(year: Year) -> ColumnElement[bool]:
    return and_(*(_budget[name] == value for name, value in year._asdict().items()))


def entries_of(year: Year) -> ColumnElement[bool]:
    return and_(*(_entry[name] == value for name, value in year._asdict().items()))
