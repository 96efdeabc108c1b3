"""Takes the cancellation of an order back: a hub has cancelled the wrong one, and its goods are still there."""

from __future__ import annotations

from sqlalchemy import update

from ...base.errors import Conflict
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...storage.jobs import enqueue_all
from ..events.announce import event_jobs, sold_out_jobs
from ..stock.take import take_stock
from .emails import order_mail
from .lines import grains_by_lot
from .place import payment_state
from .price import quote_of
from .proof import known_customer_of
from .questions import order_by_id
from .rewrite import refuse_empty
from .sale_context import refuse_if_books_closed, sale_closed, sale_context
from .settle import settle_with_plugins
from .shipping import book_place
from .tables import guest_order
from .values import Order
from .write import change_row


def revive_order(tx: Transaction, hooks: Hooks, order: Order, *, by: str | None = None) -> Order:
    """Makes the locked `order`, which was cancelled, one that stands again, and returns it; its customer is mailed.

    It keeps its number, its lines at their prices, its fees and what was paid for it. Goods, its place in the slot and
    what plugins gave it, such as the balance of a voucher, are taken anew. A guest need not confirm it: the hub does.

    Raises `Conflict` for an order that is not cancelled, whose goods the hub has lost, or of which nothing is left, and
    once the sale is closed; `SoldOut`, and what plugins raise that have given away what the order had.
    """
    if order.state != "Cancelled":
        raise Conflict("not_cancelled", "This order is not cancelled.")
    if not order.restocked:
        raise Conflict("goods_lost", "The goods of this order are lost. Take a new one.")
    refuse_empty(order.lines)
    shop = sale_context(tx, order.session_id, hold=True)
    refuse_if_books_closed(shop)
    if not shop.is_open(tx.now):
        raise sale_closed(shop)
    quote = quote_of(order, shop, known_customer_of(tx, order))
    emptied_lots = take_stock(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    book_place(tx, hooks, shop, quote.draft, order.language)
    settle_with_plugins(tx, hooks, shop, quote, (), order.adjustments)
    tx.execute(update(guest_order).where(guest_order.c.order_id == order.id).values(confirm_by=None, expired_at=None))
    values = {
        "state": "Held", "fulfilment_state": "Unfulfilled",
        "payment_state": payment_state(order.paid_total, order.total), "cancelled_at": None, "restocked": None,
    }  # fmt: skip
    change_row(tx, order.id, order.version, values)
    tx.trace("revived", "customer_order", order.id, enterprise_id=order.enterprise_id)
    revived = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    events = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    enqueue_all(tx, [*order_mail(revived, "order_placed"), *events, *sold_out_jobs(tx, emptied_lots)])
    return revived
