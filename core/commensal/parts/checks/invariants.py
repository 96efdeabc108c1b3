"""The invariants of the database. Queries stream, so that the database of many years fits into memory.

`commensal check` checks them, and so do the demo, the race tests and the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import ColumnElement, RowMapping, Subquery, Table, and_, func, or_, select

from ...base.errors import Problem
from ...base.money import half_up
from ...enterprises.tables import enterprise, enterprise_counter
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.tables import adjustment, customer_order, order_line, order_vat
from ...payments.journal import verify_journal
from ...payments.tables import payment_journal
from ...stock.tables import stock_lot, stock_movement
from ...storage.database import RowQuery, Transaction

# Compares the levels of all lots with the sums of their journals.

_LEVELS = ("free", "reserved", "sold", "lent")


def _differing_lots() -> RowQuery:
    lot, movement = stock_lot.c, stock_movement.c
    changes = [func.sum(movement[f"{level}_change"]).label(level) for level in _LEVELS]
    sums = select(movement.lot_id, *changes).group_by(movement.lot_id).subquery()
    journal = [func.coalesce(sums.c[level], 0).label(f"journal_{level}") for level in _LEVELS]
    return (
        select(lot.id, lot.name, *(lot[level] for level in _LEVELS), *journal)
        .select_from(stock_lot.outerjoin(sums, sums.c.lot_id == lot.id))
        .where(or_(*(lot[level] != journal_level for level, journal_level in zip(_LEVELS, journal, strict=True))))
        .order_by(lot.id)
    )


_DIFFERING = _differing_lots()  # built once: the simulator runs it after every hundredth event


@dataclass(frozen=True, kw_only=True)
class LevelDifference:
    """A lot whose levels differ from its journal; both in grains, as (free, reserved, sold, lent)."""

    lot_id: str
    name: str
    level: tuple[int, ...]
    journal: tuple[int, ...]


def check_levels(tx: Transaction) -> list[LevelDifference]:
    """Returns the lots whose levels and journal differ. Reads the whole journal."""
    rows = tx.all(_DIFFERING)
    return [
        LevelDifference(
            lot_id=row["id"],
            name=row["name"],
            level=tuple(row[level] for level in _LEVELS),
            journal=tuple(int(row[f"journal_{level}"]) for level in _LEVELS),  # PostgreSQL adds up to a numeric
        )
        for row in rows
    ]


# Built once, because the simulator runs them after every hundredth event.
_row, _line, _counter, _entry = customer_order.c, order_line.c, enterprise_counter.c, payment_journal.c


def _sum_by_order(table: Table, first: ColumnElement[int], second: ColumnElement[int] | None = None) -> Subquery:
    sums = [func.sum(first).label("first")] + ([func.sum(second).label("second")] if second is not None else [])
    return select(table.c.order_id, *sums).group_by(table.c.order_id).subquery()


_HELD = (
    select(_line.lot_id, _line.lot_quantity, _line.quantity, _line.final_quantity, _line.unit_quantity)
    .join(customer_order, _row.id == _line.order_id)
    .where(_row.state.in_(("Held", "Complete")), _row.fulfilment_state != "Fulfilled")
)
_RESERVED = select(stock_lot.c.id, stock_lot.c.name, stock_lot.c.free, stock_lot.c.reserved)
_COUNTED = (
    select(
        enterprise.c.name,
        func.count(_row.number).label("count"),
        func.min(_row.number).label("least"),
        func.max(_row.number).label("most"),
        func.max(_counter.value).label("counter"),
    )
    .join(enterprise, enterprise.c.id == _row.enterprise_id)
    .outerjoin(enterprise_counter, and_(_counter.enterprise_id == enterprise.c.id, _counter.series == "order"))
    .where(_row.number.is_not(None))
    .group_by(enterprise.c.id, enterprise.c.name)
)
_lines = _sum_by_order(order_line, _line.amount, _line.deposit * _line.quantity)
_adjustments = _sum_by_order(adjustment, adjustment.c.amount)
_shares = _sum_by_order(order_vat, order_vat.c.vat)
_PARTS = (
    select(
        customer_order,
        _lines.c.first,
        _lines.c.second,
        _adjustments.c.first.label("adjusted"),
        _shares.c.first.label("shared"),
    )
    .outerjoin(_lines, _lines.c.order_id == _row.id)
    .outerjoin(_adjustments, _adjustments.c.order_id == _row.id)
    .outerjoin(_shares, _shares.c.order_id == _row.id)
    .where(_row.state != "Draft")
)
_paid_by_journal = select(_entry.order_id, func.sum(_entry.amount).label("paid")).group_by(_entry.order_id).subquery()
_DIFFERENTLY_PAID = (
    select(_row.number, _row.paid_total, func.coalesce(_paid_by_journal.c.paid, 0).label("paid"))
    .outerjoin(_paid_by_journal, _paid_by_journal.c.order_id == _row.id)
    .where(_row.paid_total != func.coalesce(_paid_by_journal.c.paid, 0))
)
_WITHOUT_COST = (
    select(_row.number, func.count().label("count"))
    .join_from(customer_order, order_line, _line.order_id == _row.id)
    .where(_line.cost.is_(None))
    .group_by(_row.number)
)
_OWNERS = select(_entry.enterprise_id).distinct()


def broken_invariants(tx: Transaction, hooks: Hooks | None = None) -> list[Problem]:
    """A problem for each violated invariant, also of the plugins in `hooks`; empty for a sound instance."""
    answers = hooks.each(specifications.invariants, tx=tx) if hooks is not None else []
    return [
        *(problem for answer in answers for problem in answer.value or ()),
        *_levels_and_movements(tx),
        *_stock_and_orders(tx),
        *_numbers(tx),
        *_totals(tx),
        *_costs(tx),
        *_paid(tx),
        *_journals(tx),
    ]


def _levels_and_movements(tx: Transaction) -> Iterator[Problem]:
    """A lot's level is the sum of its movements."""
    for mismatch in check_levels(tx):
        text = "The lot {lot} is at {level}, but its movements add up to {journal}."
        yield Problem(
            "levels", text, "stock", {"lot": mismatch.name, "level": mismatch.level, "journal": mismatch.journal}
        )


def _stock_and_orders(tx: Transaction) -> Iterator[Problem]:
    """A lot's reserved stock is what placed orders hold of it, and its free stock is not negative."""
    held: dict[str, int] = {}
    for line in tx.execute(_HELD).mappings():
        held[line["lot_id"]] = held.get(line["lot_id"], 0) + _grains(line)
    for lot in tx.execute(_RESERVED).mappings():
        expected = held.pop(lot["id"], 0)
        if lot["free"] < 0 or lot["reserved"] != expected:
            values = {"lot": lot["name"], "reserved": lot["reserved"], "held": expected}
            text = "The lot {lot} has reserved {reserved}, but placed orders hold {held}."
            yield Problem("reserved", text, "stock", values)


def _grains(line: RowMapping) -> int:
    if line["final_quantity"] is None:
        return int(line["lot_quantity"] * line["quantity"])
    return half_up(Fraction(line["final_quantity"]) / Fraction(line["unit_quantity"]) * line["lot_quantity"])


def _numbers(tx: Transaction) -> Iterator[Problem]:
    """The order numbers of an enterprise are 1, 2, 3 … without a gap, up to its counter."""
    for row in tx.all(_COUNTED):
        if not (row["least"] == 1 and row["most"] == row["count"] == row["counter"]):
            text = "Order numbers of {name} have a gap: {count} orders up to number {most}, counter {counter}."
            yield Problem("numbers", text, "orders", {**row})


def _totals(tx: Transaction) -> Iterator[Problem]:
    """An order's total is the sum of its parts."""
    for order in tx.execute(_PARTS).mappings():
        computed = (
            int(order["first"] or 0),
            int(order["second"] or 0),
            int(order["adjusted"] or 0),
            int(order["shared"] or 0),
        )
        stored = (order["products_total"], order["deposits_total"], order["adjustments_total"], order["vat_total"])
        added_vat = 0 if order["prices_include_vat"] else order["vat_total"]
        if computed != stored or order["total"] != sum(stored[:3]) + added_vat:
            values = {"number": order["number"], "total": order["total"], "written": stored, "parts": computed}
            text = "Order {number} says {total} from {written}, but its parts are {parts}."
            yield Problem("totals", text, "orders", values)


def _costs(tx: Transaction) -> Iterator[Problem]:
    """Every line has what the shop pays its supplier for it, from the moment at which it is ordered."""
    for row in tx.execute(_WITHOUT_COST).mappings():
        text = "Order {number} has lines that do not say what their supplier gets: {count}."
        yield Problem("cost_missing", text, "orders", {"number": row["number"], "count": row["count"]})


def _paid(tx: Transaction) -> Iterator[Problem]:
    """An order's paid total is the sum of its journal entries."""
    for order in tx.all(_DIFFERENTLY_PAID):
        text = "Order {number} says {paid_total} was paid; the journal says {paid}."
        yield Problem("paid", text, "payments", {**order, "paid": Decimal(order["paid"])})


def _journals(tx: Transaction) -> Iterator[Problem]:
    """Every enterprise's payment journal is an unbroken hash chain."""
    for owner in tx.all(_OWNERS):
        yield from verify_journal(tx, owner["enterprise_id"])
