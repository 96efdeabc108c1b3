"""Cancels an order: customers may until the close, the hub also later. The order stays on record."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import and_, func, select

from ..base.errors import Conflict
from ..events.announce import announce, event_jobs
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..sale_sessions.sessions import edit_coordination, lock_unsettled
from ..sale_sessions.tables import sale_session
from ..stock.take import release_stock, return_sold
from ..storage.database import Transaction
from ..storage.jobs import enqueue_all
from .emails import Withdrawn, order_mail
from .lines import grains_by_lot
from .lock import late_lines, refuse_if_corrected, refuse_if_handed_over, refuse_unless_placed
from .price import quote_of, settle_with_plugins
from .proof import known_customer_of
from .questions import order_by_id
from .sale_context import refuse_if_books_closed, sale_closed, sale_context
from .shipping import release_place
from .tables import customer_order
from .values import Order, SaleContext
from .write import change_row

CancellationMail = Literal["order_cancelled", "order_unconfirmed", "order_unpaid"]


def cancel_order(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    *,
    restock: bool = True,
    by_hub: bool = False,
    by: str | None = None,
    mail: CancellationMail = "order_cancelled",
    withdrawn: Withdrawn | None = None,
) -> Order:
    """Cancels the locked `order` and returns it; the `mail` tells its customer why, and what was `withdrawn`.

    With `restock` its goods are on sale again; without, the hub has lost them and still owes them to their suppliers.
    Goods that a supplier could not bring are taken off by shortening or weighing instead. Payments stay recorded; a
    refund is a separate step. Raises `Conflict` for an order that is cancelled already; and for a customer after the
    close, after the goods were handed over, or naming each line whose supplier's cut-off has passed.
    """
    refuse_unless_placed(order)
    refuse_if_corrected(order)
    shop = sale_context(tx, order.session_id)
    refuse_if_books_closed(shop)
    if not by_hub:
        refuse_if_handed_over(order)
        if order.state != "Held" or not shop.is_open(tx.now):
            raise sale_closed(shop)
        _refuse_late(tx, shop, order)
    if order.fulfilment_state == "Fulfilled":
        return_sold(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by, restock=restock)
    else:
        release_stock(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by, restock=restock)
        release_place(tx, hooks, order.id, order.shipping)
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
    customer = known_customer_of(tx, order)
    settle_with_plugins(tx, hooks, shop, quote_of(order, shop, customer), order.adjustments, ())
    events = event_jobs(tx, specifications.order_cancelled, shop.enterprise_id, order.id, shop.plugins)
    enqueue_all(tx, [*order_mail(order, mail, withdrawn=withdrawn), *events])
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def _refuse_late(tx: Transaction, shop: SaleContext, order: Order) -> None:
    problems = late_lines(tx, shop.coordination_id, order.lines)
    if problems:
        text = "Part of this order is being prepared and cannot be cancelled. Take out the rest by changing it."
        refusal = Conflict("cut_off", text)
        refusal.problems = tuple(problems)
        raise refusal


# Cancels a sale that has no orders.


def cancel_coordination(
    tx: Transaction, coordination_id: str, coordinator_id: str, version: int, *, series: bool = False
) -> None:
    """Cancels a sale. If it has a rhythm, the next sale follows as planned, unless the whole `series` is to end.

    Raises `NotFound`, `Stale`, and `Conflict` if it was cancelled or completed before, or has orders.
    """
    old = lock_unsettled(tx, coordination_id, coordinator_id)
    edit_coordination(tx, old, version, cancelled_at=tx.now, rhythm=None if series else old.rhythm)
    sessions = select(sale_session.c.id).where(sale_session.c.coordination_id == coordination_id)
    placed = and_(customer_order.c.session_id.in_(sessions), customer_order.c.state.in_(("Held", "Complete")))
    orders = tx.value(select(func.count()).select_from(customer_order).where(placed))
    if orders:
        raise Conflict(
            "has_orders",
            "Orders were placed in this sale: {orders}. Cancel them first, so that everybody is told.",
            orders=orders,
        )
    announce(tx, specifications.sale_cancelled, sale_session, sale_session.c.coordination_id == coordination_id)
