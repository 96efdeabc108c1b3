"""Makes sure that a payment of the amount due has begun before an e-mail tells the customer how to pay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, select

from ..base.errors import Refused
from ..instance import Instance
from ..orders.tables import customer_order
from ..storage.database import Transaction
from .begin import start_payment
from .payments import payments_of
from .values import Payment

_log = structlog.get_logger("commensal.payments")
_order = customer_order.c
_BALANCE = (_order.total - _order.paid_total).label("balance")
_UNPAID = select(
    _order.id, _order.enterprise_id, _order.language, _order.payment_method, _order.version, _BALANCE
).where(_order.id == bindparam("order"), _order.state.in_(("Held", "Complete")), _BALANCE > 0)


class _UnpaidOrder(NamedTuple):
    """A placed order of which `balance` minor units of its currency are still to be paid."""

    id: str
    enterprise_id: str
    language: str
    payment_method: str
    version: int
    balance: int


def begin_due_payment(instance: Instance, order_id: str, *, return_url: str) -> None:
    """Begins the payment that the customer chose, if none has begun or it is for an outdated amount.

    The browser may have gone away before it began the payment. Not inside a transaction. A refusal is logged: the
    order's page offers the other payment methods.
    """
    with instance.store.read() as tx:
        order = tx.row(_UnpaidOrder, _UNPAID, {"order": order_id})
        to_begin = _payment_to_begin(tx, order) if order is not None else None
    if order is None or to_begin is None:
        return
    method, key = to_begin
    try:
        start_payment(instance, order_id, method, key, order.language, return_url=return_url)
    except Refused as error:
        _log.warning("the payment of an order could not begin", order=order_id, method=method, exc_info=error)


def _payment_to_begin(tx: Transaction, order: _UnpaidOrder) -> tuple[str, str] | None:
    """Returns method and key of the payment to begin; None if one of the right amount is under way, or if the payer
    has to choose a method. The keys equal those of the shop's pages, so that both begin the same payment."""
    payments, refunds = [], 0
    for each in payments_of(tx, order.enterprise_id, order.id):
        if each.kind == "payment":
            payments.append(each)
        elif each.state not in ("Failed", "Cancelled"):
            refunds += each.amount
    if not payments:
        return (order.payment_method, f"order:{order.id}") if order.payment_method else None
    current, changed_key = payment_under_way(payments), f"order:{order.id}:v{order.version}"
    if current is not None:
        return None if current.amount == order.balance else (current.method, changed_key)
    latest = payments[-1]
    if latest.state == "Done":  # the order costs more since, or the shop gave money back, and does not ask for it again
        return (order.payment_method or latest.method, changed_key) if order.balance > refunds else None
    is_new_choice = order.payment_method and latest.method != order.payment_method
    was_replaced = latest.state == "Cancelled"  # by `change_payment_method`
    return (order.payment_method, changed_key) if is_new_choice and was_replaced else None


def payment_under_way(payments: Sequence[Payment]) -> Payment | None:
    """Returns the payment under way, of which an order has at most one."""
    return next((payment for payment in reversed(payments) if payment.kind == "payment" and payment.is_under_way), None)
