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
        _give_back(instance, order, event)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _give_back(instance, order, event)


def _give_back(instance: Instance, order: Order, event: Event) -> None:
    """Only what came from the account goes back to it, and only what nobody has given back otherwise meanwhile."""
    with instance.store.read() as tx:
        found = [one for one in payments_of(tx, order.enterprise_id, order.id) if one.method == METHOD]
    for payment in reversed([one for one in found if one.kind == "payment" and one.state == "Done"]):
        refund_by_provider(instance, payment, None, key=f"account:{event.id}:{payment.id}")
