"""What must be true, always. Each question streams, so that a database of years fits into memory.

`commensal check` asks them all; so do the demo, the race tests and the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, func, select

from ..enterprises.tables import enterprise, enterprise_counter
from ..errors import Problem
from ..money import half_up
from ..orders.tables import adjustment, customer_order, order_line, order_vat
from ..payments.tables import payment_journal
from ..payments.verify import verify_journal
from ..stock.check import check_levels
from ..stock.tables import stock_lot
from ..store import Transaction


def broken_invariants(tx: Transaction) -> list[Problem]:
    """Everything that is not as it must be; empty for a sound instance."""
    return [
        *_levels_and_movements(tx),
        *_stock_and_orders(tx),
        *_numbers(tx),
        *_totals(tx),
        *_paid(tx),
        *_journals(tx),
    ]


def _levels_and_movements(tx: Transaction) -> Iterator[Problem]:
    """A lot's level is the sum of its movements."""
    for one in check_levels(tx):
        text = "The lot {lot} is at {level}, but its movements add up to {journal}."
        yield Problem("levels", text, "stock", {"lot": one.name, "level": one.level, "journal": one.journal})


def _stock_and_orders(tx: Transaction) -> Iterator[Problem]:
    """A lot has reserved what placed orders hold of it, and nothing is below zero."""
    row, line = customer_order, order_line
    held: dict[str, int] = {}
    lines = (
        select(line.c.lot_id, line.c.lot_quantity, line.c.quantity, line.c.final_quantity, line.c.unit_quantity)
        .join(row, row.c.id == line.c.order_id)
        .where(row.c.state.in_(("Held", "Complete")), row.c.fulfilment_state != "Fulfilled")
    )
    for one in tx.execute(lines).mappings():
        held[one["lot_id"]] = held.get(one["lot_id"], 0) + _grains(one)
    for lot in tx.execute(select(stock_lot.c.id, stock_lot.c.name, stock_lot.c.free, stock_lot.c.reserved)).mappings():
        wanted = held.pop(lot["id"], 0)
        if lot["free"] < 0 or lot["reserved"] != wanted:
            values = {"lot": lot["name"], "reserved": lot["reserved"], "held": wanted}
            text = "The lot {lot} has reserved {reserved}, but placed orders hold {held}."
            yield Problem("reserved", text, "stock", values)


def _grains(line: Any) -> int:
    if line["final_quantity"] is None:
        return int(line["lot_quantity"] * line["quantity"])
    return half_up(Fraction(line["final_quantity"]) / Fraction(line["unit_quantity"]) * line["lot_quantity"])


def _numbers(tx: Transaction) -> Iterator[Problem]:
    """Order numbers of an enterprise are 1, 2, 3 … without a gap, up to its counter."""
    row, counter = customer_order, enterprise_counter
    counted = (
        select(
            enterprise.c.name,
            func.count(row.c.number).label("count"),
            func.min(row.c.number).label("least"),
            func.max(row.c.number).label("most"),
            func.max(counter.c.value).label("counter"),
        )
        .join(enterprise, enterprise.c.id == row.c.enterprise_id)
        .outerjoin(counter, and_(counter.c.enterprise_id == enterprise.c.id, counter.c.series == "order"))
        .where(row.c.number.is_not(None))
        .group_by(enterprise.c.id, enterprise.c.name)
    )
    for one in tx.all(counted):
        if not (one["least"] == 1 and one["most"] == one["count"] == one["counter"]):
            text = "Order numbers of {name} have a gap: {count} orders up to number {most}, counter {counter}."
            yield Problem("numbers", text, "orders", {**one})


def _totals(tx: Transaction) -> Iterator[Problem]:
    """An order's total is the sum of what it is made of."""
    row, line = customer_order, order_line
    lines = _sum_by_order(line, line.c.amount, line.c.deposit * line.c.quantity)
    adjustments = _sum_by_order(adjustment, adjustment.c.amount)
    shares = _sum_by_order(order_vat, order_vat.c.vat)
    orders = (
        select(
            row, lines.c.first, lines.c.second, adjustments.c.first.label("adjusted"), shares.c.first.label("shared")
        )
        .outerjoin(lines, lines.c.order_id == row.c.id)
        .outerjoin(adjustments, adjustments.c.order_id == row.c.id)
        .outerjoin(shares, shares.c.order_id == row.c.id)
        .where(row.c.state != "Draft")
    )
    for one in tx.execute(orders).mappings():
        parts = (int(one["first"] or 0), int(one["second"] or 0), int(one["adjusted"] or 0), int(one["shared"] or 0))
        written = (one["products_total"], one["deposits_total"], one["adjustments_total"], one["vat_total"])
        added = 0 if one["prices_include_vat"] else one["vat_total"]
        if parts != written or one["total"] != sum(written[:3]) + added:
            values = {"number": one["number"], "total": one["total"], "written": written, "parts": parts}
            text = "Order {number} says {total} from {written}, but its parts are {parts}."
            yield Problem("totals", text, "orders", values)


def _sum_by_order(table: Any, first: Any, second: Any = None) -> Any:
    sums = [func.sum(first).label("first")] + ([func.sum(second).label("second")] if second is not None else [])
    return select(table.c.order_id, *sums).group_by(table.c.order_id).subquery()


def _paid(tx: Transaction) -> Iterator[Problem]:
    """What an order says was paid is what the journal says."""
    row, entry = customer_order, payment_journal
    sums = select(entry.c.order_id, func.sum(entry.c.amount).label("paid")).group_by(entry.c.order_id).subquery()
    differing = (
        select(row.c.number, row.c.paid_total, func.coalesce(sums.c.paid, 0).label("paid"))
        .outerjoin(sums, sums.c.order_id == row.c.id)
        .where(row.c.paid_total != func.coalesce(sums.c.paid, 0))
    )
    for one in tx.all(differing):
        text = "Order {number} says {paid_total} was paid; the journal says {paid}."
        yield Problem("paid", text, "payments", {**one, "paid": Decimal(one["paid"])})


def _journals(tx: Transaction) -> Iterator[Problem]:
    """Every enterprise's journal is an unbroken chain."""
    owners = select(payment_journal.c.enterprise_id).distinct()
    for owner in tx.all(owners):
        yield from verify_journal(tx, owner["enterprise_id"])
