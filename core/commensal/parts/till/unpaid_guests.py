"""Cancels expired orders of guests, so that their goods and places are on sale again. Each guest is told why by e-mail,
and the hub in at most one e-mail an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from ...base.errors import NotFound
from ...hooks.dispatcher import Hooks
from ...orders.cancel import CancellationMail, cancel_order
from ...orders.guests import guest_terms
from ...orders.lock import locked_order
from ...orders.tables import customer_order, guest_order
from ...orders.values import Order
from ...payments.payments import cancel_open
from ...storage.database import Transaction
from ...storage.jobs import Job, enqueue

if TYPE_CHECKING:
    from ...instance import Instance

ALERT = "tell_expired_guest_orders"  # a job of `interfaces.mail`: {"enterprise_id": …}
_EVERY = timedelta(hours=1)
_KEEP = timedelta(days=60)
_row = guest_order.c


def expire_guest_order(instance: Instance, job: Job) -> None:
    """Does a job that `orders.guests.note_guest` has enqueued."""
    order_id, enterprise_id = job.payload["order_id"], job.payload["enterprise_id"]
    instance.transact(lambda tx: _expire(tx, instance.hooks, order_id, enterprise_id))


def forget_guest_orders(tx: Transaction) -> int:
    """Deletes records of guests' mailboxes and networks once no limit needs them. Returns how many."""
    ended_orders = select(customer_order.c.id).where(
        (customer_order.c.state == "Cancelled") | (customer_order.c.fulfilment_state == "Fulfilled")
    )
    condition = _row.expired_at.is_(None) & (_row.order_id.in_(ended_orders) | (_row.placed_at < tx.now - _KEEP))
    return tx.execute(delete(guest_order).where(condition)).rowcount


def _expire(tx: Transaction, hooks: Hooks, order_id: str, enterprise_id: str) -> None:
    try:
        order = locked_order(tx, order_id, enterprise_id=enterprise_id)
    except NotFound:
        return
    mail = _expiry_mail(tx, order)
    if mail is None:
        return
    cancel_order(tx, hooks, order, by_hub=True, mail=mail)
    cancel_open(tx, order_id)
    unmailed = select(func.count()).where(_row.enterprise_id == enterprise_id, _row.expired_at.is_not(None))
    if tx.value(unmailed) == 0:
        enqueue(tx, ALERT, {"enterprise_id": enterprise_id}, due_at=tx.now + _EVERY)
    tx.execute(update(guest_order).where(_row.order_id == order_id).values(expired_at=tx.now))
    tx.trace("expired", "customer_order", order_id, enterprise_id=enterprise_id)


def _expiry_mail(tx: Transaction, order: Order) -> CancellationMail | None:
    """Returns the e-mail about an order that was not confirmed in time, or not paid while the sale was open.

    None: the order stands, for now or because it was handed over.
    """
    terms = guest_terms(tx, order)
    if terms is None or order.fulfilment_state == "Fulfilled":
        return None
    if terms.confirm_by is not None and terms.confirm_by <= tx.now:
        return "order_unconfirmed"
    unpaid = order.state == "Held" and terms.pay_by is not None and terms.pay_by <= tx.now
    return "order_unpaid" if unpaid else None
