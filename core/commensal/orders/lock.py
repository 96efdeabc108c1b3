"""Locks an order until the transaction ends, so that two changes of one order wait for each other."""

from __future__ import annotations

from sqlalchemy import select

from ..base.errors import Conflict, Stale
from ..storage.database import Transaction
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
