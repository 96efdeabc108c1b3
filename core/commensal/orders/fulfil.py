"""Weighs orders and hands them over: packed and ready first, then given to the customer; and settles sales that
closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import bindparam, select, update

from ..base.errors import Conflict, Invalid, Problem
from ..base.failpoints import failpoint
from ..events.announce import announce
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..pricing.lines import with_amount
from ..sale_sessions.tables import coordination, sale_session
from ..stock.take import hand_over, undo_hand_over, weigh_stock
from ..storage.database import Time, Transaction
from ..storage.jobs import enqueue_all
from .emails import order_mail, refuse_without_email
from .lines import grains_by_lot
from .lock import refuse_if_corrected, refuse_if_handed_over, refuse_unless_placed
from .proof import known_customer_of
from .questions import order_by_id
from .rewrite import Difference, rewrite
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


# Records the weights measured at packing: a line's price follows its weight, and so does the stock.

_HEAVIEST = 10  # times the quantity ordered: a larger weight is a misplaced decimal point


def weigh_order(
    tx: Transaction, hooks: Hooks, order: Order, weights: Mapping[str, Decimal], *, by: str | None = None
) -> Order:
    """Sets the final quantity of lines of the locked `order`, by line id, in the line's own unit (all pieces together).

    Zero means that the line could not be delivered. Weights that the lines have already change nothing, and nobody gets
    an e-mail. Raises `Invalid` naming every line that is not in the order, is not sold by weight, or has an impossible
    weight; `Conflict` for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    lines = {line.id: line for line in order.lines}
    problems = []
    for line_id, weight in weights.items():
        where = f"/weights/{line_id}"
        line = lines.get(line_id)
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", where))
        elif not line.weighed:
            text = "{name} is sold by the piece; change its quantity instead."
            problems.append(Problem("not_weighed", text, where, {"name": line.name}))
        elif not weight.is_finite() or not 0 <= weight <= line.unit_quantity * line.quantity * _HEAVIEST:
            text = "{weight} cannot be right for {name}: {ordered} were ordered."
            values = {"weight": weight, "name": line.name, "ordered": line.unit_quantity * line.quantity}
            problems.append(Problem("weight", text, where, values))
    if problems:
        raise Invalid(problems)
    if all(lines[line_id].final_quantity == weight for line_id, weight in weights.items()):
        return order
    weighed = tuple(
        with_amount(replace(line, final_quantity=weights[line.id])) if line.id in weights else line
        for line in order.lines
    )
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    return rewrite(tx, hooks, shop, customer, order, weighed, by=by, changed_by="scales", move_stock=_move_by_weight)


def _move_by_weight(tx: Transaction, difference: Difference, order_id: str, person_id: str | None) -> Sequence[str]:
    weigh_stock(tx, difference, order_id=order_id, person_id=person_id)
    return ()  # the goods are packed: nobody waits to hear that they are gone


# Settles sales that have closed: their orders become Complete, and their times can no longer change.

STRAGGLERS = timedelta(hours=1)
# Built once, since they run every minute.
_NOW = bindparam("now", type_=Time)
_OVER = (coordination.c.completed_at.is_(None), coordination.c.cancelled_at.is_(None), coordination.c.closes_at <= _NOW)
_ANY_OVER = select(coordination.c.id).where(*_OVER).limit(1)
_SETTLE = (
    update(coordination)
    .where(*_OVER)
    .values(completed_at=_NOW, version=coordination.c.version + 1)
    .returning(coordination.c.id)
)
_LATELY = (
    select(sale_session.c.id)
    .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    .where(coordination.c.completed_at >= bindparam("lately", type_=Time))
)
_COMPLETE = (
    update(customer_order)
    .where(customer_order.c.session_id.in_(_LATELY), customer_order.c.state == "Held")
    .values(state="Complete", changed_at=_NOW, version=customer_order.c.version + 1)
)


def complete_due(tx: Transaction) -> list[str]:
    """Completes every sale whose closing has passed, once. Returns their ids.

    Their orders change from Held to Complete. An order placed at the moment of closing and committed after this
    statement is completed by a later call within `STRAGGLERS`.
    """
    ids: list[str] = []
    if tx.first(_ANY_OVER, {"now": tx.now}) is not None:
        ids = sorted(row["id"] for row in tx.all(_SETTLE, {"now": tx.now}))
    if ids or tx.first(_LATELY, {"lately": tx.now - STRAGGLERS}) is not None:
        tx.change(_COMPLETE, {"now": tx.now, "lately": tx.now - STRAGGLERS})
    if ids:
        failpoint("sale.closed")
        announce(tx, specifications.sale_completed, sale_session, sale_session.c.coordination_id.in_(ids))
    return ids
