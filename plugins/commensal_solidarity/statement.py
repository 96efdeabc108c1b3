"""The statement of a period for a fund: orders by number and date, what each was granted, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, insert, or_, select

from commensal import (
    LARGEST,
    Enterprise,
    Invalid,
    Order,
    Problem,
    Transaction,
    customers_by_id,
    enterprise_by_id,
    order_ids_of_sale,
    orders_by_id,
    read_text,
)

from .settings import Programme
from .spending import Year, day_start, first_day, last_day, local_date, spent_in, year_of
from .tables import solidarity_entry, solidarity_payment

# The payments of a fund to the hub, in append-only entries.

_row = solidarity_payment.c


@dataclass(frozen=True, kw_only=True)
class FundPayment:
    """A payment of the fund, in minor units of the hub's currency; a negative amount corrects a wrong entry."""

    id: str
    enterprise_id: str
    programme: str
    amount: int
    paid_on: date
    reference: str
    recorded_at: datetime
    recorded_by: str | None


def record_payment(
    tx: Transaction,
    enterprise_id: str,
    programme: str,
    *,
    amount: int,
    paid_on: date,
    reference: str = "",
    by: str | None = None,
) -> FundPayment:
    """Records a payment of the fund; `by` is the person who records it. Raises `Invalid`."""
    problems: list[Problem] = []
    reference = read_text(reference, "/reference", problems)
    if not 0 < abs(amount) <= LARGEST:
        text = "Give an amount; a negative one takes an entry back."
        problems.append(Problem("amount", text, "/amount"))
    if problems:
        raise Invalid(problems)
    payment = FundPayment(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        programme=programme,
        amount=amount,
        paid_on=paid_on,
        reference=reference,
        recorded_at=tx.now,
        recorded_by=by,
    )
    tx.execute(insert(solidarity_payment).values({**asdict(payment), "paid_on": paid_on.isoformat()}))
    return payment


def fund_payments_of(
    tx: Transaction, enterprise_id: str, programme: str, *, after: str = "", limit: int = 50
) -> Sequence[FundPayment]:
    """Returns the payments of the fund, in the order in which they were recorded."""
    conditions = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    statement = select(solidarity_payment).where(*conditions, _row.id > after).order_by(_row.id).limit(limit)
    return [FundPayment(**{**row, "paid_on": date.fromisoformat(row["paid_on"])}) for row in tx.all(statement)]


def latest_fund_payments(
    tx: Transaction, enterprise_id: str, *, programme: str | None = None, limit: int
) -> Sequence[FundPayment]:
    """Returns the payments of one fund, or of all funds, that were recorded last, the newest first."""
    conditions = [_row.enterprise_id == enterprise_id, *([] if programme is None else [_row.programme == programme])]
    statement = select(solidarity_payment).where(*conditions).order_by(_row.id.desc()).limit(limit)
    return [FundPayment(**{**row, "paid_on": date.fromisoformat(row["paid_on"])}) for row in tx.all(statement)]


def received_from_fund(
    tx: Transaction, enterprise_id: str, programme: str, *, first: date = date.min, last: date
) -> int:
    """Returns what the fund has paid from the first to the last of these days, in minor units."""
    conditions = (_row.enterprise_id == enterprise_id, _row.programme == programme)
    days = (_row.paid_on >= first.isoformat(), _row.paid_on <= last.isoformat())
    return int(tx.value(select(func.coalesce(func.sum(_row.amount), 0)).where(*conditions, *days)))


_entry = solidarity_entry.c
LONGEST = 3 * 366  # days


@dataclass(frozen=True, kw_only=True)
class GrantedOrder:
    """An order, and what it was granted in the period in minor units; negative if it gave back more.

    who: the customer's code, else a number that the same customer has in all orders of this statement and nowhere else,
         since initials tell in a village who it is; their name if the programme shows names
    """

    number: int
    placed_on: date
    who: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class FundYear:
    """A year of the fund from its first day to its last, as it stands now. Minor units."""

    first_day: date
    last_day: date
    budget: int
    spent: int
    left: int


@dataclass(frozen=True, kw_only=True)
class FundSums:
    """A programme from the first day of a period to its last, in the hub's time zone. Minor units of `currency`.

    total:    the sum of the orders
    received: what the fund has paid in the period
    owed:     what the fund owes at the end of the period: all that was granted, less all that it has paid
    year:     the fund's year that contains the last day
    """

    programme: str
    payer: str
    shop: str
    currency: str
    first_day: date
    last_day: date
    total: int
    received: int
    owed: int
    year: FundYear


@dataclass(frozen=True, kw_only=True)
class FundStatement(FundSums):
    """The sums of a period with the orders to which something was granted, by number."""

    orders: Sequence[GrantedOrder]


def sums_of(
    tx: Transaction, enterprise_id: str, programme: Programme, first: date | None = None, last: date | None = None
) -> FundSums:
    """Returns the sums of a period without reading its orders; without days, of the fund's year until today.

    Raises `Invalid` for a period that ends before it begins or is too long.
    """
    shop = enterprise_by_id(tx, enterprise_id)
    last = last or shop.date_at(tx.now)
    first = first or first_day(year_of(last, programme.first_month), programme.first_month)
    _refuse_days(first, last)
    granted = select(func.coalesce(func.sum(_entry.amount), 0)).where(*_entries_of(shop, programme, first, last))
    return FundSums(
        programme=programme.id,
        payer=programme.payer,
        shop=shop.name,
        currency=shop.currency,
        first_day=first,
        last_day=last,
        total=int(tx.value(granted)),
        received=received_from_fund(tx, enterprise_id, programme.id, first=first, last=last),
        owed=owed_by_fund(tx, shop, programme, last),
        year=fund_year(tx, enterprise_id, programme, last),
    )


def statement_of(
    tx: Transaction, enterprise_id: str, programme: Programme, first: date | None = None, last: date | None = None
) -> FundStatement:
    """Returns the sums with their orders; as `sums_of`."""
    sums, shop = sums_of(tx, enterprise_id, programme, first, last), enterprise_by_id(tx, enterprise_id)
    entries = _entries_of(shop, programme, sums.first_day, sums.last_day)
    return FundStatement(**vars(sums), orders=_orders(tx, programme, shop.timezone, *entries))


def _entries_of(shop: Enterprise, programme: Programme, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    """Returns the conditions that an entry of the programme counts in the period."""
    counted_at_end = _counted_until(last, programme.first_month, shop.timezone)
    counted_before = _counted_until(first - timedelta(days=1), programme.first_month, shop.timezone)
    return _entry.enterprise_id == shop.id, _entry.programme == programme.id, counted_at_end, ~counted_before


def granted_at_sale(
    tx: Transaction, enterprise_id: str, programme: Programme, session_id: str
) -> Sequence[GrantedOrder]:
    """Returns what the orders of one sale were granted until now, by number of the order."""
    conditions = (_entry.enterprise_id == enterprise_id, _entry.programme == programme.id)
    of_sale = _entry.order_id.in_(order_ids_of_sale(session_id))
    return _orders(tx, programme, enterprise_by_id(tx, enterprise_id).timezone, *conditions, of_sale)


def owed_by_fund(tx: Transaction, shop: Enterprise, programme: Programme, day: date) -> int:
    """Returns what the fund owes at the end of a day, in two statements: all that was granted, less all that it has
    paid."""
    counted = _counted_until(day, programme.first_month, shop.timezone)
    conditions = (_entry.enterprise_id == shop.id, _entry.programme == programme.id, counted)
    granted = tx.value(select(func.coalesce(func.sum(_entry.amount), 0)).where(*conditions))
    return int(granted) - received_from_fund(tx, shop.id, programme.id, last=day)


def _counted_until(day: date, first_month: int, timezone: str) -> ColumnElement[bool]:
    """Returns the condition that an entry counts up to the end of `day`, in the hub's time zone.

    An entry counts on the day on which it was written, but within the year whose budget pays for it, which is that of
    the order's distribution. A grant of December for January counts on the first day of January's year; a change in
    January of goods of December counts on the last day of December's year. So the statement of a whole year adds up to
    what its budget has spent.
    """
    year = year_of(day, first_month)
    if day == last_day(year, first_month):
        return _entry.year <= year
    is_written = _entry.at < day_start(day + timedelta(days=1), timezone)
    return or_(_entry.year < year, and_(_entry.year == year, is_written))


def fund_year(tx: Transaction, enterprise_id: str, programme: Programme, day: date) -> FundYear:
    """Returns the fund's year that contains the day. If a budget was lowered below what is spent, nothing is left."""
    year = year_of(day, programme.first_month)
    spent = spent_in(tx, Year(enterprise_id, programme.id, year))
    return FundYear(
        first_day=first_day(year, programme.first_month),
        last_day=last_day(year, programme.first_month),
        budget=programme.budget,
        spent=spent,
        left=max(0, programme.budget - spent),
    )


def _orders(
    tx: Transaction, programme: Programme, timezone: str, *entries: ColumnElement[bool]
) -> Sequence[GrantedOrder]:
    amount = func.sum(_entry.amount)
    statement = (
        select(_entry.order_id, amount.label("amount")).where(*entries).group_by(_entry.order_id).having(amount != 0)
    )
    amounts = {row["order_id"]: int(row["amount"]) for row in tx.all(statement)}
    ids = select(_entry.order_id).where(*entries)
    orders = [order for order in orders_by_id(tx, ids).values() if order.id in amounts]
    codes = {
        customer.id: customer.code
        for customer in customers_by_id(tx, select(_entry.customer_id).where(*entries)).values()
    }
    orders.sort(key=lambda order: order.number or 0)
    customers = dict.fromkeys(order.customer_id or order.id for order in orders)
    numbers = {customer: f"#{position}" for position, customer in enumerate(customers, 1)}
    return [_granted(order, amounts[order.id], codes, numbers, programme, timezone) for order in orders]


def _granted(
    order: Order,
    amount: int,
    codes: Mapping[str, str | None],
    numbers: Mapping[str, str],
    programme: Programme,
    timezone: str,
) -> GrantedOrder:
    assert order.number is not None
    assert order.placed_at is not None
    unnamed = codes.get(order.customer_id or "") or numbers[order.customer_id or order.id]
    who = order.name if programme.show_names else unnamed
    return GrantedOrder(number=order.number, placed_on=local_date(order.placed_at, timezone), who=who, amount=amount)


def _refuse_days(first: date, last: date) -> None:
    if not 0 <= (last - first).days <= LONGEST:
        text = "A statement ends after it begins, and within {days} days."
        raise Invalid([Problem("period", text, "to", {"days": LONGEST})])
