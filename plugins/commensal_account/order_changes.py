"""Adapts payments from an account to a changed order: takes what it costs more, returns what it costs less."""

from __future__ import annotations

from commensal import Event, Instance, Order, hookimpl, payments_of, refund_by_provider, start_payment

from .credit_check import METHOD


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    """Reads what is due when it runs, so a second delivery of the same event does nothing."""
    if order.payment_method != METHOD or order.state == "Cancelled":
        return
    if order.total > order.paid_total:
        start_payment(instance, order.id, METHOD, f"account:{event.id}", order.language)
    else:
        _refund(instance, order, event)


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
