"""Cancels an order: the customer until the close, the hub later too. The record stays; the goods go back, or not."""

from __future__ import annotations

from ...base.errors import Conflict
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...storage.jobs import promise_all
from ..events.announce import promised
from ..stock.take import release_stock, return_sold
from .cut_off import late_lines
from .letters import order_mail
from .lines import by_lot
from .lock import refuse_if_handed_over, refuse_unless_placed
from .price import quote_of
from .proof import known_of
from .questions import order_by_id
from .selling import closed, selling
from .settle import settle
from .shipping import release
from .values import Order, Selling
from .write import change_row


def cancel_order(
    tx: Transaction, hooks: Hooks, order: Order, *, restock: bool = True, by_hub: bool = False, by: str | None = None
) -> Order:
    """Cancels the locked `order`. With `restock` its goods are on sale again; without, the hub has lost them, and owes
    them to their suppliers all the same. What a supplier could not bring is taken off by shortening or weighing.

    What was paid stays recorded; a refund is a step of its own. Raises `Conflict` for a customer after the close, after
    the goods were handed over, or naming each line whose supplier's cut-off has passed; and for an order that is
    cancelled already.
    """
    refuse_unless_placed(order)
    shop = selling(tx, order.session_id)
    if not by_hub:
        refuse_if_handed_over(order)
        if order.state != "Held" or not shop.is_open(tx.now):
            raise closed(shop)
        _refuse_late(tx, shop, order)
    if order.fulfilment_state == "Fulfilled":
        return_sold(tx, by_lot(order.lines), order_id=order.id, person_id=by, restock=restock)
    else:
        release_stock(tx, by_lot(order.lines), order_id=order.id, person_id=by, restock=restock)
        release(tx, hooks, order.id, order.shipping)
    change_row(
        tx,
        order.id,
        order.version,
        {
            "state": "Cancelled",
            "fulfilment_state": "Cancelled",
            "payment_state": "Paid" if order.paid_total else "Cancelled",
            "cancelled_at": tx.now,
            "restocked": restock,
        },
    )
    known = known_of(tx, order)
    settle(tx, hooks, shop, quote_of(order, shop, known), order.adjustments, ())
    told = promised(tx, specifications.order_cancelled, shop.enterprise_id, order.id, shop.plugins)
    promise_all(tx, [order_mail(tx, order, "order_cancelled"), *told])
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def _refuse_late(tx: Transaction, shop: Selling, order: Order) -> None:
    problems = late_lines(tx, shop.coordination_id, order.lines)
    if problems:
        text = "Part of this order is being prepared and cannot be cancelled. Take out the rest by changing it."
        refusal = Conflict("cut_off", text)
        refusal.problems = tuple(problems)
        raise refusal
