"""What a fund is told of a period: orders by number and date, what each was granted, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from sqlalchemy import ColumnElement, and_, func, or_, select

from commensal import Invalid, Order, Problem, Transaction, customers_by_id, enterprise_by_id, orders_by_id

from .left import spent_in
from .received import received
from .settings import Programme
from .tables import solidarity_entry
from .years import Year, begin_of, first_day, last_day, local_date, year_of

_entry = solidarity_entry.c
LONGEST = 3 * 366  # days


@dataclass(frozen=True, kw_only=True)
class Granted:
    """An order, and what it was granted in the period: negative where it gave back more. Minor units.

    who: the customer's code, else their initials; their name where the programme shows names
    """

    number: int
    placed_on: date
    who: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class YearSoFar:
    """A year of the fund as it is now, from its first day to its last. Minor units."""

    first_day: date
    last_day: date
    budget: int
    spent: int
    left: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A programme from the first day of a period to its last, by the hub's clocks. Minor units of `currency`.

    total:    of the orders
    received: of the fund, in the period
    owed:     by the fund, for all that was granted to the end of the period, less all it has paid to then
    year:     the year in which the last day lies
    """

    programme: str
    payer: str
    shop: str
    currency: str
    first_day: date
    last_day: date
    orders: Sequence[Granted]
    total: int
    received: int
    owed: int
    year: YearSoFar


def statement_of(
    tx: Transaction, enterprise_id: str, programme: Programme, first: date | None = None, last: date | None = None
) -> Statement:
    """The statement of a period; without days, of the fund's year until today. Raises `Invalid` for days that cannot
    be."""
    shop = enterprise_by_id(tx, enterprise_id)
    last = last or local_date(tx.now, shop.timezone)
    first = first or first_day(year_of(last, programme.first_month), programme.first_month)
    _refuse_days(first, last)
    mine = (_entry.enterprise_id == enterprise_id, _entry.programme == programme.id)
    until = _counted_until(last, programme.first_month, shop.timezone)
    before = _counted_until(first - timedelta(days=1), programme.first_month, shop.timezone)
    orders = _orders(tx, programme, shop.timezone, *mine, until, ~before)
    of_fund = partial(received, tx, enterprise_id, programme.id, last=last)
    granted = tx.value(select(func.coalesce(func.sum(_entry.amount), 0)).where(*mine, until))
    return Statement(
        programme=programme.id,
        payer=programme.payer,
        shop=shop.name,
        currency=shop.currency,
        first_day=first,
        last_day=last,
        orders=orders,
        total=sum(one.amount for one in orders),
        received=of_fund(first=first),
        owed=int(granted) - of_fund(),
        year=year_so_far(tx, enterprise_id, programme, last),
    )


def _counted_until(day: date, first_month: int, timezone: str) -> ColumnElement[bool]:
    """Entries that count up to the end of `day`, by the hub's clocks.

    An entry counts on the day on which it was written, but within the year whose budget pays for it, which is that of
    the order's distribution: what was granted in December for January counts on the first day of January's year, what
    is changed in January of December's goods on the last day of December's. So the statement of a whole year adds up
    to what its budget has spent.
    """
    year = year_of(day, first_month)
    if day == last_day(year, first_month):
        return _entry.year <= year
    written = _entry.at < begin_of(day + timedelta(days=1), timezone)
    return or_(_entry.year < year, and_(_entry.year == year, written))


def year_so_far(tx: Transaction, enterprise_id: str, programme: Programme, day: date) -> YearSoFar:
    """The year in which the day lies. What is spent beyond a budget that was lowered leaves nothing."""
    year = year_of(day, programme.first_month)
    spent = spent_in(tx, Year(enterprise_id, programme.id, year))
    return YearSoFar(
        first_day=first_day(year, programme.first_month),
        last_day=last_day(year, programme.first_month),
        budget=programme.budget,
        spent=spent,
        left=max(0, programme.budget - spent),
    )


def _orders(tx: Transaction, programme: Programme, timezone: str, *entries: ColumnElement[bool]) -> Sequence[Granted]:
    amount = func.sum(_entry.amount)
    sums = select(_entry.order_id, amount.label("amount")).where(*entries).group_by(_entry.order_id).having(amount != 0)
    amounts = {row["order_id"]: int(row["amount"]) for row in tx.all(sums)}
    ids = select(_entry.order_id).where(*entries)
    orders = [one for one in orders_by_id(tx, ids).values() if one.id in amounts]
    codes = {one.id: one.code for one in customers_by_id(tx, select(_entry.customer_id).where(*entries)).values()}
    return sorted(
        (_granted(one, amounts[one.id], codes, programme, timezone) for one in orders), key=lambda one: one.number
    )


def _granted(order: Order, amount: int, codes: dict[str, str | None], programme: Programme, timezone: str) -> Granted:
    assert order.number is not None
    assert order.placed_at is not None
    code = codes.get(order.customer_id or "")
    who = order.name if programme.show_names else code or initials(order.name)
    return Granted(number=order.number, placed_on=local_date(order.placed_at, timezone), who=who, amount=amount)


def initials(name: str) -> str:
    """“Ada Martin-Petit” is A. M."""
    return " ".join(f"{word[0].upper()}." for word in name.split())


def _refuse_days(first: date, last: date) -> None:
    if not 0 <= (last - first).days <= LONGEST:
        text = "A statement ends after it begins, and within {days} days."
        raise Invalid([Problem("period", text, "to", {"days": LONGEST})])
