"""Adapts payments from an account to a changed order: takes what it costs more, returns what it costs less."""

from __future__ import annotations

from commensal import (
    Event,
    Instance,
    NotFound,
    Order,
    Transaction,
    hookimpl,
    payments_of,
    receive_payment,
    refund_by_provider,
    start_payment,
)

from .accounts import account_of, move_balance
from .payments import METHOD, floor_of
from .settings import Settings


@hookimpl
def pay_from_credit(tx: Transaction, order: Order, settings: Settings) -> bool:
    """Takes what a changed order costs more, unless it is paid in another way or the minimum does not allow it."""
    if not _pays(tx, order):
        return False
    try:
        account = account_of(tx, order.enterprise_id, order.customer_id or "", lock=True)
    except NotFound:
        return False
    amount = order.total - order.paid_total
    taken = settings.to_account(amount)
    if account.balance - taken < floor_of(account, settings):
        return False
    payment = receive_payment(
        tx,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        method=METHOD,
        amount=amount,
        idempotency_key=f"account:{order.id}:v{order.version}",
        person_id=None,
    )
    move_balance(
        tx,
        order.enterprise_id,
        account.customer_id,
        "order",
        -taken,
        floor=None,
        payment_id=payment.id,
        order_number=order.number,
    )
    return True


def _pays(tx: Transaction, order: Order) -> bool:
    """Whether the account pays the order: it was chosen with it, or on its page later. Not while a payment is under
    way, which `order_changed` adapts."""
    payments = [payment for payment in payments_of(tx, order.enterprise_id, order.id) if payment.kind == "payment"]
    if any(payment.is_under_way for payment in payments):
        return False
    received = [payment.method for payment in payments if payment.state == "Done"]
    return METHOD in (order.payment_method, *received[-1:])


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    """Reads what is due when it runs, so a second delivery of the same event does nothing.

    What an order costs more was taken with the change (`pay_from_credit`), unless an earlier payment was under way.
    """
    if order.state == "Cancelled":
        return
    if order.total <= order.paid_total:
        _refund(instance, order, event)
    elif order.payment_method == METHOD:
        start_payment(instance, order.id, METHOD, f"account:{event.id}", order.language)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _refund(instance, order, event)


def _refund(instance: Instance, order: Order, event: Event) -> None:
    """Returns to the account only what came from it and was not given back in another way meanwhile."""
    with instance.store.read() as tx:
        payments = [payment for payment in payments_of(tx, order.enterprise_id, order.id) if payment.method == METHOD]
    for payment in reversed(
        [candidate for candidate in payments if candidate.kind == "payment" and candidate.state == "Done"]
    ):
        refund_by_provider(instance, payment, None, key=f"account:{event.id}:{payment.id}")
