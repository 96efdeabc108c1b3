"""Hands orders over: packed and ready first, then given to the customer."""

from __future__ import annotations

from datetime import timedelta

from ..base.errors import Conflict
from ..events.announce import announce
from ..hooks import specifications
from ..stock.take import hand_over, undo_hand_over
from ..storage.database import Transaction
from ..storage.jobs import enqueue_all
from .emails import order_mail, refuse_without_email
from .lines import grains_by_lot
from .lock import refuse_if_corrected, refuse_if_handed_over, refuse_unless_placed
from .questions import order_by_id
from .sale_context import refuse_if_books_closed, sale_context
from .tables import customer_order
from .values import Order
from .write import change_row

UNDO = timedelta(minutes=30)  # after a hand-over: a slip of the thumb is noticed while the customer still stands there


def order_is_ready(tx: Transaction, order: Order) -> Order:
    """Marks the locked `order` as packed and ready (DFC FulfilmentState Held); its customer gets one e-mail.

    Raises `Conflict` for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    if order.fulfilment_state == "Held":
        return order
    change_row(tx, order.id, order.version, {"fulfilment_state": "Held"})
    enqueue_all(tx, order_mail(order, "order_ready"))
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def tell_not_collected(tx: Transaction, order: Order) -> None:
    """Mails the customer of the locked `order` that nobody has collected it, and asks what shall be done with it.

    Raises `Conflict` before the distribution has begun, and for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    refuse_without_email(order)
    if sale_context(tx, order.session_id).begins_at > tx.now:
        raise Conflict("too_early", "The distribution has not begun yet.")
    enqueue_all(tx, order_mail(order, "order_not_collected"))


def hand_order_over(tx: Transaction, order: Order, *, at_estimate: bool = False, by: str | None = None) -> Order:
    """Marks the order as handed over (DFC FulfilmentState Fulfilled): its reserved stock is now sold.

    Raises `Conflict` for an order that is cancelled or was handed over before, and for one that is not weighed unless
    `at_estimate`: then its customer pays what was estimated.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    if not at_estimate and any(line.weighed and line.quantity and line.final_quantity is None for line in order.lines):
        text = "Order {number} is not weighed yet, so what it costs is an estimate."
        raise Conflict("not_weighed", text, number=order.number or 0)
    hand_over(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    values = {"state": "Complete", "fulfilment_state": "Fulfilled", "fulfilled_at": tx.now}
    change_row(tx, order.id, order.version, values)
    announce(tx, specifications.order_fulfilled, customer_order, customer_order.c.id == order.id)
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def undo_hand_over_of(tx: Transaction, order: Order, *, by: str | None = None) -> Order:
    """Undoes the hand-over of the locked `order`: it is packed again, and its goods are reserved.

    Raises `Conflict` for an order that was not handed over, or longer than half an hour ago, or was corrected since.
    """
    if order.fulfilment_state != "Fulfilled" or order.fulfilled_at is None:
        raise Conflict("not_handed_over", "This order has not been handed over.")
    if tx.now - order.fulfilled_at > UNDO:
        raise Conflict("too_late", "A hand-over can be undone within {minutes} minutes.", minutes=UNDO.seconds // 60)
    refuse_if_corrected(order)
    shop = sale_context(tx, order.session_id)
    refuse_if_books_closed(shop)
    undo_hand_over(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    state = "Complete" if shop.completed else "Held"
    change_row(tx, order.id, order.version, {"state": state, "fulfilment_state": "Held", "fulfilled_at": None})
    announce(tx, specifications.order_changed, customer_order, customer_order.c.id == order.id)
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
