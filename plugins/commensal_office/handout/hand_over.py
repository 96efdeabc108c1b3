"""Hands one order out: weights, money and goods in one transaction, once, however often it is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from commensal import Conflict, Instance, Money, Order, Payment, Transaction, correct_payment, payments_of
from commensal.orders import hand_order_over, locked_order, undo_hand_over_of, weigh_order
from commensal.parts.order_corrections import Returned, count_returned, undo_returned
from commensal.payments import payment_by_key, record_received

from ..frame.due import due_of


@dataclass(frozen=True, kw_only=True)
class HandOut:
    """What happened at the table. `key` is its own name: the same key never counts twice.

    weights: by line id, in the line's unit, for all its pieces together
    method:  how money was taken, "plugin:method"; "" if none was
    amount:  what was taken, in minor units of the order's currency
    returned: the empties that came back, by supplier and deposit
    at_estimate: also an order that is not weighed, since somebody was asked
    """

    order_id: str
    key: str
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    method: str = ""
    amount: int = 0
    returned: Sequence[Returned] = ()
    at_estimate: bool = False


def hand_out(
    tx: Transaction,
    instance: Instance,
    enterprise_id: str,
    event: HandOut,
    *,
    by: str,
    allowed: Collection[str],
    anyway: bool = False,
) -> Order:
    """Weighs, takes the money, and hands the order over. Returns the order. `allowed` are methods "by hand".

    anyway: the money is in the till already, so it is recorded even if it is more than is due

    Raises `NotFound`, `Invalid` for impossible weights or a method that is not allowed, and `Conflict` for an order
    that is cancelled, that somebody else has handed over, that is not weighed unless `at_estimate`, of which more was
    taken than is due, or less unless `anyway`.
    """
    order = locked_order(tx, event.order_id, enterprise_id=enterprise_id)
    if order.fulfilment_state == "Fulfilled":
        if _was_recorded(tx, order, event):
            return order
        raise Conflict("handed_over_already", "Order {number} has been handed over already.", number=order.number or 0)
    order = weigh_order(tx, instance.hooks, order, event.weights, by=by)
    if event.returned:
        order = count_returned(tx, order, event.returned, by=by)
    if event.method and not anyway and event.amount < due_of(order):
        text = "The order has changed: {due} is due now. Take that, and press again."
        raise Conflict("amount", text, due=Money(due_of(order), order.currency))
    if event.method:
        record_received(
            tx,
            enterprise_id=enterprise_id,
            order_id=order.id,
            method=event.method,
            amount=event.amount,
            person_id=by,
            allowed=allowed,
            key=event.key,
            anyway=anyway,
        )
        order = locked_order(tx, order.id, enterprise_id=enterprise_id)
    return hand_order_over(tx, order, at_estimate=event.at_estimate, by=by)


def _was_recorded(tx: Transaction, order: Order, event: HandOut) -> bool:
    """Whether this very hand-out is what was recorded, or one without money, which counts for nothing twice."""
    recorded = payment_by_key(tx, order.enterprise_id, event.key)
    return not event.method or (recorded is not None and recorded.order_id == order.id)


def undo(tx: Transaction, enterprise_id: str, order_id: str, *, by: str) -> Order:
    """Undoes a hand-over, and takes back the money and the empties that were recorded with it, by opposite entries.

    Raises `NotFound`, and `Conflict` if it was not handed over, or too long ago.
    """
    order = locked_order(tx, order_id, enterprise_id=enterprise_id)
    recorded = money_of_hand_over(tx, order)
    undo_hand_over_of(tx, undo_returned(tx, order, by=by), by=by)
    for payment in recorded:
        correct_payment(tx, enterprise_id, payment.id, person_id=by)
    return locked_order(tx, order_id, enterprise_id=enterprise_id)


def money_of_hand_over(tx: Transaction, order: Order) -> list[Payment]:
    """The payments that were recorded in the same transaction as the hand-over: they have the same moment."""
    return [
        payment
        for payment in payments_of(tx, order.enterprise_id, order.id)
        if payment.kind == "payment" and payment.state == "Done" and payment.changed_at == order.fulfilled_at
    ]
