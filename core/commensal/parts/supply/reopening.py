"""Opens an answered order to a supplier again, and orders more or less of it than customers did."""

from __future__ import annotations

from sqlalchemy import update

from ...base.errors import Conflict
from ...storage.database import Transaction
from .purchase_orders import PurchaseOrder, locked_orders, mail_order, refuse_over, revise_order
from .tables import purchase_order, purchase_order_line


def reopen_purchase_order(tx: Transaction, order_id: str) -> PurchaseOrder:
    """Takes an answer back: the order asks for what customers have ordered by now, and its supplier is told again.

    Pieces that the answer took off customers' orders do not come back by themselves: customers may have been told, and
    have bought elsewhere. The caller knows that the order is the actor's. Raises `Conflict` for an order that has no
    answer, and once the distribution is over.
    """
    (order,) = locked_orders(tx, [order_id])
    refuse_over(order, tx.now)
    if order.state == "placed":
        raise Conflict("not_answered", "This order has no answer yet, so there is nothing to open again.")
    lines = purchase_order_line
    tx.execute(update(lines).where(lines.c.order_id == order.id).values(confirmed=None, reason=""))
    tx.execute(
        update(lines)
        .where(lines.c.order_id == order.id, lines.c.quantity != lines.c.counted)
        .values(quantity=lines.c.counted)
    )
    values = {"state": "placed", "answered_at": None, "received_at": None, "version": order.version + 1}
    tx.execute(update(purchase_order).where(purchase_order.c.id == order.id).values(values))
    if not revise_order(tx, order.id):
        _tell_again(tx, order)
    (reopened,) = locked_orders(tx, [order.id])
    return reopened


def _tell_again(tx: Transaction, order: PurchaseOrder) -> None:
    """Mails the order under its next revision, so that the supplier does not take it for the one it has answered."""
    values = {"revision": order.revision + 1, "changed_at": tx.now}
    tx.execute(update(purchase_order).where(purchase_order.c.id == order.id).values(values))
    mail_order(tx, order.id)
