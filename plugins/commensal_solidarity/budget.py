"""Reads a year's budget: what an order of a customer may still get, and what is spent in total."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select

from commensal import Transaction

from .settings import Programme
from .tables import solidarity_budget, solidarity_entry

# Years of a fund: twelve months from the first of any month.


class Year(NamedTuple):
    """The key of a budget: a programme's year at one hub. `year` is the calendar year in which it begins."""

    enterprise_id: str
    programme: str
    year: int


def year_of(day: date, first_month: int) -> int:
    """Returns the fund's year that contains a day: with September as the first month, May 2027 belongs to 2026."""
    return day.year if day.month >= first_month else day.year - 1


def first_day(year: int, first_month: int) -> date:
    return date(year, first_month, 1)


def last_day(year: int, first_month: int) -> date:
    return date(year + 1, first_month, 1) - timedelta(days=1)


def local_date(moment: datetime, timezone: str) -> date:
    """Returns the date of a moment in an IANA time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_start(day: date, timezone: str) -> datetime:
    """Returns the moment, in UTC, at which a day begins in an IANA time zone."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


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
