"""Takes the cancellation of an order back: a hub has cancelled the wrong one, and its goods are still there."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from ...base.errors import Conflict
from ...base.money import Money
from ...events.announce import event_jobs, sold_out_jobs
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.emails import mail_of_return
from ...orders.lines import grains_by_lot
from ...orders.lock import refuse_if_corrected
from ...orders.place import payment_state
from ...orders.price import price, quote_of
from ...orders.proof import known_customer_of
from ...orders.questions import order_by_id
from ...orders.returned_value import with_returns
from ...orders.rewrite import refuse_empty
from ...orders.sale_context import refuse_if_books_closed, sale_closed, sale_context
from ...orders.settle import pay_rest_from_credit, refuse_problems, settle_with_plugins
from ...orders.shipping import book_place
from ...orders.tables import guest_order
from ...orders.values import Order
from ...orders.write import change_row, rewrite_parts, totals_of
from ...stock.take import take_stock
from ...storage.database import Transaction
from ...storage.jobs import enqueue_all


def revive_order(tx: Transaction, hooks: Hooks, order: Order, *, by: str | None = None) -> Order:
    """Makes the locked `order`, which was cancelled, one that stands again, and returns it; its customer is mailed.

    It keeps its number, its lines at their prices, what it costs, and what was paid for it. Goods, its place in the
    slot and what plugins gave it, such as the balance of a voucher, are taken anew. A guest need not confirm it.

    Raises `Conflict` for an order that is not cancelled, whose goods the hub has lost or are in another order, or of
    which nothing is left; once the sale is closed; and if it would cost another amount today. Raises `SoldOut`, and
    what plugins raise that have given away what the order had.
    """
    _refuse_unless_revivable(order)
    shop, customer = sale_context(tx, order.session_id, hold=True), known_customer_of(tx, order)
    refuse_if_books_closed(shop)
    if not shop.is_open(tx.now):
        raise sale_closed(shop)
    draft = replace(quote_of(order, shop, customer).draft, adjustments=())
    option = book_place(tx, hooks, shop, draft, order.language)
    quote = with_returns(price(tx, hooks, shop, draft, option), order.adjustments)
    if quote.totals.total != order.total:
        text = "This order would cost {now} today instead of {before}: take a new one."
        amounts = {"now": quote.totals.total, "before": order.total}
        raise Conflict("other_total", text, **{name: Money(each, order.currency) for name, each in amounts.items()})
    refuse_problems(tx, hooks, shop, quote, None, "hub")
    emptied_lots = take_stock(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    tx.execute(update(guest_order).where(guest_order.c.order_id == order.id).values(confirm_by=None, expired_at=None))
    values = {
        "state": "Held",
        "fulfilment_state": "Unfulfilled",
        "payment_state": payment_state(order.paid_total, order.total),
        "cancelled_at": None,
        "restocked": None,
    }
    change_row(tx, order.id, order.version, {**totals_of(quote.totals), **values})
    rewrite_parts(tx, quote)
    settle_with_plugins(tx, hooks, shop, quote, (), quote.draft.adjustments)
    tx.trace("revived", "customer_order", order.id, enterprise_id=order.enterprise_id)
    revived = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    events = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    enqueue_all(tx, [*mail_of_return(revived), *events, *sold_out_jobs(tx, emptied_lots)])
    return pay_rest_from_credit(tx, hooks, shop, revived)


def _refuse_unless_revivable(order: Order) -> None:
    if order.state != "Cancelled":
        raise Conflict("not_cancelled", "This order is not cancelled.")
    if order.restocked is None:
        raise Conflict("goods_moved", "The goods of this order are in another one.")
    if not order.restocked:
        raise Conflict("goods_lost", "The goods of this order are lost. Take a new one.")
    refuse_if_corrected(order)
    refuse_empty(order.lines)
