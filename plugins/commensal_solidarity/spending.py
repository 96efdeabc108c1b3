"""Takes grants from the year's budget and gives them back. The database guards the limits and keeps the entries.

Each grant or return first locks the budget's row until the transaction ends. So transactions take turns, and each sees
the entries of all before it, which also guards the maximum of a customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, insert, literal, select, update

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

from .settings import Programme, Settings
from .tables import solidarity_budget, solidarity_entry

# Reads a year's budget: what an order of a customer may still get, and what is spent in total.

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
