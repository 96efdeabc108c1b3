"""Opens an answered order to a supplier again, and orders more or less of it than customers did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...orders.tables import customer_order, order_line
from ...sale_sessions.coordinations import change_coordination
from ...sale_sessions.questions import coordination_by_id
from ...sale_sessions.sessions import edit_coordination
from ...sale_sessions.tables import coordination, sale_session
from ...sale_sessions.values import Coordination
from ...storage.database import Transaction
from .purchase_orders import PurchaseOrder, locked_orders, mail_order, ordered_by_plugins, refuse_over, revise_order
from .tables import purchase_order, purchase_order_line, sale_closing, sale_part


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


# Opens a sale again that has closed, as far as nobody outside of the instance holds its orders for final.

_session, _order, _line = sale_session.c, customer_order.c, order_line.c


def reopen_sale(
    tx: Transaction,
    hooks: Hooks,
    coordination_id: str,
    coordinator_id: str,
    version: int,
    closes_at: datetime,
    *,
    once: bool = False,
) -> Coordination:
    """Opens a closed sale again until `closes_at` (aware), together with its sessions that closed with it. Later sales
    of its rhythm follow this closing, unless it holds `once`.

    Orders become Held, except those that were handed over. Suppliers' parts close anew at the new closing, and
    customers are mailed their final order again. A supplier that was told keeps its order, which is revised after the
    new closing; a supplier's own cut-off that has passed stays.

    Raises `NotFound`, `Stale`, `Invalid`; and `Conflict` for a sale that has not closed, that was cancelled or closed
    less than a minute or so ago, whose distribution has begun, whose books are closed, or that has sold goods of a
    supplier of whom a plugin orders: a peer does not take a final order back.
    """
    is_sale = (coordination.c.id == coordination_id, coordination.c.coordinator_id == coordinator_id)
    tx.one(select(coordination.c.id).where(*is_sale).with_for_update())
    sale = coordination_by_id(tx, coordination_id, coordinator_id)
    _refuse(tx, hooks, sale, closes_at)
    edit_coordination(tx, sale, version, completed_at=None)
    reopened = change_coordination(tx, sale.id, coordinator_id, version + 1, once=once, closes_at=closes_at)
    sessions = select(_session.id).where(_session.coordination_id == sale.id)
    unfinished = (_order.state == "Complete", _order.fulfilment_state != "Fulfilled")
    values = {"state": "Held", "changed_at": tx.now, "version": _order.version + 1}
    tx.execute(update(customer_order).where(_order.session_id.in_(sessions), *unfinished).values(values))
    open_again = sessions.where(_session.closes_at > tx.now)
    is_ordered = exists().where(
        purchase_order.c.session_id == sale_part.c.session_id, purchase_order.c.supplier_id == sale_part.c.supplier_id
    )
    tx.execute(delete(sale_part).where(sale_part.c.session_id.in_(open_again), ~is_ordered))
    tx.execute(delete(sale_closing).where(sale_closing.c.session_id.in_(open_again)))
    return reopened


def _refuse(tx: Transaction, hooks: Hooks, sale: Coordination, closes_at: datetime) -> None:
    if sale.cancelled_at:
        raise Conflict("cancelled", "The sale {name} was cancelled.", name=sale.name)
    if sale.closes_at > tx.now:
        raise Conflict("not_closed", "The sale {name} has not closed.", name=sale.name)
    if closes_at <= tx.now:
        raise Invalid([Problem("passed", "This moment has passed.", "/closes_at")])
    sessions = tx.all(
        select(_session.begins_at, _session.books_closed_at, sale_closing.c.noticed_at)
        .outerjoin(sale_closing, sale_closing.c.session_id == _session.id)
        .where(_session.coordination_id == sale.id)
    )
    begins_at = min((row["begins_at"] for row in sessions), default=closes_at)
    if begins_at <= tx.now or any(row["books_closed_at"] for row in sessions):
        raise Conflict("distribution_began", "The distribution of {name} has begun; it stays closed.", name=sale.name)
    if sale.completed_at and not all(row["noticed_at"] for row in sessions):
        raise Conflict("just_closing", "This sale is just being closed; please try again in a minute.")
    if closes_at > begins_at:
        text = "A sale that opens again must close before its distribution begins."
        raise Invalid([Problem("closes_too_late", text, "/closes_at")])
    _refuse_ordered_by_plugin(tx, hooks, sale)


def _refuse_ordered_by_plugin(tx: Transaction, hooks: Hooks, sale: Coordination) -> None:
    statement = (
        select(_order.enterprise_id, _line.supplier_id, enterprise.c.name)
        .distinct()
        .join_from(sale_session, customer_order, _order.session_id == _session.id)
        .join(order_line, _line.order_id == _order.id)
        .join(enterprise, enterprise.c.id == _line.supplier_id)
        .where(_session.coordination_id == sale.id, _order.state != "Draft")
        .order_by(enterprise.c.name)
    )
    suppliers: dict[str, dict[str, str]] = {}
    for row in tx.all(statement):
        suppliers.setdefault(row["enterprise_id"], {})[row["supplier_id"]] = row["name"]
    text = "{supplier} is elsewhere and was told the final orders; a sale with its goods does not open again."
    for shop_id, names in suppliers.items():
        for supplier_id in sorted(ordered_by_plugins(tx, hooks, shop_id, names), key=names.__getitem__):
            raise Conflict("ordered_elsewhere", text, supplier=names[supplier_id])
