"""Hands orders over: packed and ready first, then given to the customer."""

from __future__ import annotations

from ...hooks import specifications
from ...storage.database import Transaction
from ...storage.jobs import promise_all
from ..events.announce import announce
from ..stock.take import hand_over
from .emails import order_mail
from .lines import grains_by_lot
from .lock import refuse_if_handed_over, refuse_unless_placed
from .questions import order_by_id
from .tables import customer_order
from .values import Order
from .write import change_row


def order_is_ready(tx: Transaction, order: Order) -> Order:
    """Marks the locked `order` as packed and ready (DFC FulfilmentState Held); its customer gets one e-mail.

    Raises `Conflict` for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    if order.fulfilment_state == "Held":
        return order
    change_row(tx, order.id, order.version, {"fulfilment_state": "Held"})
    promise_all(tx, [order_mail(tx, order, "order_ready")])
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def hand_order_over(tx: Transaction, order: Order, *, by: str | None = None) -> Order:
    """Marks the order as handed over (DFC FulfilmentState Fulfilled): its reserved stock is now sold.

    Raises `Conflict` for an order that is cancelled or was handed over before.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    hand_over(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    values = {"state": "Complete", "fulfilment_state": "Fulfilled", "fulfilled_at": tx.now}
    change_row(tx, order.id, order.version, values)
    announce(tx, specifications.order_fulfilled, customer_order, customer_order.c.id == order.id)
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
