"""After an order has changed: what it costs more is taken from the account, what it costs less goes back."""

from __future__ import annotations

from commensal import Event, Instance, Order, hookimpl, payments_of, refund_by_provider, start_payment

from .gate import METHOD


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    """Works with what is due when it runs, so a second telling of the same event finds nothing left to do."""
    if order.payment_method != METHOD or order.state == "Cancelled":
        return
    if order.total > order.paid_total:
        start_payment(instance, order.id, METHOD, f"account:{event.id}", order.language)
    else:
        _give_back(instance, order, order.paid_total - order.total, event)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _give_back(instance, order, order.paid_total, event)


def _give_back(instance: Instance, order: Order, amount: int, event: Event) -> None:
    """Only what came from the account goes back to it: cash is given back by hand."""
    with instance.store.read() as tx:
        found = [one for one in payments_of(tx, order.enterprise_id, order.id) if one.method == METHOD]
    for payment in reversed([one for one in found if one.kind == "payment" and one.state == "Done"]):
        back = sum(one.amount for one in found if one.refunds == payment.id and one.state != "Failed")
        part = min(amount, payment.amount - back)
        if part > 0:
            refund_by_provider(instance, payment, part, key=f"account:{event.id}:{payment.id}")
            amount -= part
