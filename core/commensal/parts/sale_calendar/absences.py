"""Periods in which a producer brings nothing: its goods are on sale nowhere here whose distribution falls into one.

Offers come back by themselves, since the day of the distribution decides, and not the day of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, insert, select

from ...base.errors import Invalid, NotFound, Problem
from ...enterprises.enterprises import enterprise_by_id
from ...enterprises.tables import enterprise
from ...events.announce import announce_listing
from ...products.tables import producer_absence, supplied_product
from ...sale_sessions.tables import coordination_supplier, sale_session
from ...storage.database import Transaction, insert_rows, local_day
from ...storage.jobs import enqueue

LONGEST = timedelta(days=366)
AWAY = "producer_away"  # the job that tells the shops of a producer
_row = producer_absence.c


@dataclass(frozen=True, kw_only=True)
class Absence:
    """A producer brings nothing from `first_day` to `last_day`, both included, where the hand-out is."""

    id: str
    enterprise_id: str
    first_day: date
    last_day: date


@dataclass(frozen=True, kw_only=True)
class AbsentSupplier:
    """A producer that is away on the day of a distribution, with the last day of its absence."""

    supplier_id: str
    supplier: str
    last_day: date


def add_absence(tx: Transaction, enterprise_id: str, first_day: date, last_day: date) -> Absence:
    """Takes the goods of a producer off all sales of this instance with a distribution in these days. What is ordered
    stays ordered. Raises `Invalid` for days that are over, in the wrong order, or more than a year."""
    problems = []
    today = _today(tx, enterprise_id)
    if last_day < first_day:
        problems.append(Problem("order", "The last day lies before the first.", "/last_day"))
    elif last_day < today:
        problems.append(Problem("over", "These days are over.", "/last_day"))
    elif last_day - first_day > LONGEST:
        problems.append(Problem("too_long", "This is longer than a year.", "/last_day"))
    if problems:
        raise Invalid(problems)
    absence = Absence(id=tx.new_id(), enterprise_id=enterprise_id, first_day=first_day, last_day=last_day)
    days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
    tx.execute(insert(producer_absence).values(id=absence.id, enterprise_id=enterprise_id, **days))
    _tell_shops(tx, enterprise_id, [(first_day, last_day)])
    announce_listing(tx, supplied_product.c.enterprise_id == enterprise_id)
    return absence


def _today(tx: Transaction, enterprise_id: str) -> date:
    """The day at the producer."""
    return enterprise_by_id(tx, enterprise_id).date_at(tx.now)


def end_absence(tx: Transaction, enterprise_id: str, absence_id: str) -> None:
    """Ends an absence at once: the goods are on sale again. Raises `NotFound`."""
    is_own = (_row.id == absence_id, _row.enterprise_id == enterprise_id)
    if not tx.execute(delete(producer_absence).where(*is_own)).rowcount:
        raise NotFound("no_absence", "There is no such absence.")
    announce_listing(tx, supplied_product.c.enterprise_id == enterprise_id)


def replace_absences(tx: Transaction, enterprise_id: str, periods: Sequence[tuple[date, date]]) -> None:
    """Makes these first and last days the absences of an enterprise that is a copy of one of another instance."""
    known = [(absence.first_day, absence.last_day) for absence in absences_of(tx, enterprise_id)]
    _tell_shops(tx, enterprise_id, [period for period in periods if period not in known])
    tx.execute(delete(producer_absence).where(_row.enterprise_id == enterprise_id))
    rows = [
        {
            "id": tx.new_id(),
            "enterprise_id": enterprise_id,
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
        }
        for first, last in periods
    ]
    insert_rows(tx, producer_absence, rows)
    announce_listing(tx, supplied_product.c.enterprise_id == enterprise_id)


def absences_of(tx: Transaction, enterprise_id: str) -> Sequence[Absence]:
    """Returns the absences of a producer that are not over, the next one first."""
    today = _today(tx, enterprise_id)
    coming = (_row.enterprise_id == enterprise_id, _row.last_day >= today.isoformat())
    rows = tx.all(select(producer_absence).where(*coming).order_by(_row.first_day, _row.id))
    days = ("first_day", "last_day")
    return [Absence(**{**row, **{name: date.fromisoformat(row[name]) for name in days}}) for row in rows]


def _tell_shops(tx: Transaction, enterprise_id: str, periods: Sequence[tuple[date, date]]) -> None:
    for first, last in periods:
        payload = {"enterprise_id": enterprise_id, "first_day": first.isoformat(), "last_day": last.isoformat()}
        enqueue(tx, AWAY, payload)


def absent_suppliers(tx: Transaction, session_id: str) -> list[AbsentSupplier]:
    """Returns the suppliers of a sale that are away on the day of its distribution, by name."""
    session, shop = sale_session.c, enterprise.alias("shop")
    day = local_day(session.begins_at, shop.c.timezone)
    statement = (
        select(enterprise.c.id.label("supplier_id"), enterprise.c.name.label("supplier"), _row.last_day)
        .select_from(sale_session)
        .join(shop, shop.c.id == session.enterprise_id)
        .join(coordination_supplier, coordination_supplier.c.coordination_id == session.coordination_id)
        .join(enterprise, enterprise.c.id == coordination_supplier.c.enterprise_id)
        .join(producer_absence, _row.enterprise_id == enterprise.c.id)
        .where(session.id == session_id, _row.first_day <= day, _row.last_day >= day)
        .order_by(enterprise.c.name, _row.last_day)
    )
    return [AbsentSupplier(**{**row, "last_day": date.fromisoformat(row["last_day"])}) for row in tx.all(statement)]
