"""Locks an order until the transaction ends, so that two changes of one order wait for each other."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from ..base.errors import Conflict, Problem, Stale
from ..enterprises.tables import enterprise
from ..pricing.values import PricedLine
from ..sale_sessions.tables import coordination_supplier
from ..storage.database import Time, Transaction
from .lines import not_possible
from .questions import order_by_id, order_by_secret
from .tables import customer_order
from .values import Order

CORRECTION = "correction"  # the kind of adjustments that correct an order after its hand-over


def locked_order(
    tx: Transaction,
    order_id: str,
    *,
    enterprise_id: str | None = None,
    person_id: str | None = None,
    version: int | None = None,
) -> Order:
    """Locks and returns an order of the enterprise or person. Raises `NotFound`; `Stale` unless it is at `version`."""
    lock_order(tx, order_id)
    return _at_version(order_by_id(tx, order_id, enterprise_id=enterprise_id, person_id=person_id), version)


def locked_together(
    tx: Transaction, first_id: str, second_id: str, *, enterprise_id: str, version: int | None = None
) -> tuple[Order, Order]:
    """Locks and returns two orders of the enterprise, so that two callers with the same orders never deadlock.

    Raises `NotFound`; `Stale` unless the first one is at `version`.
    """
    for order_id in sorted((first_id, second_id)):
        lock_order(tx, order_id)
    first = _at_version(order_by_id(tx, first_id, enterprise_id=enterprise_id), version)
    return first, order_by_id(tx, second_id, enterprise_id=enterprise_id)


def locked_guest_order(
    tx: Transaction, secret_hash: str, *, person_id: str | None = None, version: int | None = None
) -> Order:
    """Locks and returns a guest's order; `person_id` is the account that is logged in.

    Raises what `order_by_secret` raises; `Stale` unless it is at `version`.
    """
    order = order_by_secret(tx, secret_hash, person_id=person_id)
    lock_order(tx, order.id)
    return _at_version(order_by_secret(tx, secret_hash, person_id=person_id), version)


def refuse_unless_placed(order: Order) -> None:
    """Raises `Conflict` for drafts and cancelled orders: they cannot be changed."""
    if order.state == "Draft":
        raise Conflict("draft", "This order has not been placed yet.")
    if order.state == "Cancelled":
        raise Conflict("cancelled", "This order was cancelled.")


def refuse_if_handed_over(order: Order) -> None:
    if order.fulfilment_state == "Fulfilled":
        raise Conflict("handed_over", "This order has been handed over already.")


def refuse_if_corrected(order: Order) -> None:
    """Raises `Conflict` for an order with counter-entries: pricing it anew would lose them."""
    if any(adjustment.kind == CORRECTION for adjustment in order.adjustments):
        text = "This order was corrected after it was handed over; correct what is left of it instead."
        raise Conflict("corrected", text)


def lock_order(tx: Transaction, order_id: str) -> None:
    """Locks the order's row: transactions that change the same order, or fill the same cart, take turns."""
    if tx.postgresql:  # on SQLite the transaction holds the whole database
        tx.execute(select(customer_order.c.id).where(customer_order.c.id == order_id).with_for_update())


def _at_version(order: Order, version: int | None) -> Order:
    if version is not None and order.version != version:
        raise Stale
    return order


# A supplier's own cut-off: after it customers can neither change nor cancel its goods, which are being prepared.

_CLOSED = (
    select(coordination_supplier.c.enterprise_id, enterprise.c.name)
    .join(enterprise, enterprise.c.id == coordination_supplier.c.enterprise_id)
    .where(
        coordination_supplier.c.coordination_id == bindparam("coordination"),
        coordination_supplier.c.closes_at <= bindparam("now", type_=Time),
    )
)


def refuse_after_cut_off(tx: Transaction, coordination_id: str, lines: Iterable[PricedLine]) -> None:
    """Raises `Conflict` with a problem at "/items/<item>" for each line whose supplier's cut-off has passed."""
    problems = late_lines(tx, coordination_id, lines)
    if problems:
        raise not_possible(problems)


def late_lines(tx: Transaction, coordination_id: str, lines: Iterable[PricedLine]) -> list[Problem]:
    """Returns a problem for each line whose supplier's cut-off has passed. At most one statement."""
    ordered = [line for line in lines if line.quantity]
    if not ordered:
        return []
    rows = tx.all(_CLOSED, {"coordination": coordination_id, "now": tx.now})
    closed_suppliers = {row["enterprise_id"]: row["name"] for row in rows}
    text = "{supplier} needs its orders earlier, and they have closed: {name} stays as it was ordered."
    return [
        Problem(
            "cut_off",
            text,
            f"/items/{line.item_id}",
            {"supplier": closed_suppliers[line.supplier_id], "name": line.name},
        )
        for line in ordered
        if line.supplier_id in closed_suppliers
    ]
