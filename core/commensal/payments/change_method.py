"""Changes the way in which an order is to be paid."""

from __future__ import annotations

from ..base.errors import Conflict
from ..hooks.dispatcher import Hooks
from ..orders.lock import refuse_unless_placed
from ..orders.proof import known_customer_of
from ..orders.rewrite import rewrite
from ..orders.sale_context import sale_context
from ..orders.values import Order
from ..storage.database import Transaction
from .methods import ChosenMethod
from .payments import cancel_open


def change_payment_method(
    tx: Transaction, hooks: Hooks, order: Order, chosen: ChosenMethod, *, by: str | None = None
) -> Order:
    """Makes the locked `order` payable by the `chosen` method, which its plugin was asked for (`choose_method`).

    Payments under way are cancelled, and the order is priced anew, since a fee may go by the method. The customer gets
    an e-mail that says how to pay now. Raises `Conflict` if the method is not offered to this order's customer, if
    nothing is due, or if the order is cancelled.
    """
    refuse_unless_placed(order)
    if order.paid_total >= order.total:
        raise Conflict("nothing_due", "Nothing is due for this order.")
    if chosen.order_id != order.id or not chosen.offered:
        text = "This way to pay is not offered to the customer of this order."
        raise Conflict("payment_unknown", text)
    cancel_open(tx, order.id)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    return rewrite(tx, hooks, shop, customer, order, order.lines, payment_method=chosen.method, by=by)
