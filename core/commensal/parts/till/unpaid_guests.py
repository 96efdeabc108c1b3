"""Cancels expired orders of guests, so that their goods and places are on sale again. Each guest is told why by e-mail,
and the hub in at most one e-mail an hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from ...base.errors import Conflict, NotFound
from ...hooks.dispatcher import Hooks
from ...orders.cancel import CancellationMail, cancel_order
from ...orders.emails import order_mail, refuse_without_email
from ...orders.guests import guest_terms
from ...orders.lock import locked_order, refuse_unless_placed
from ...orders.sale_context import sale_context
from ...orders.tables import customer_order, guest_order
from ...orders.values import Order
from ...payments.payments import cancel_open
from ...payments.tables import payment_reminder
from ...storage.database import Transaction
from ...storage.jobs import Job, enqueue, enqueue_all

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


# Reminders of what is still to be paid for an order: by hand, not too often, and never for what is paid.

APART = timedelta(days=3)  # between two reminders of one order
MOST = 3  # reminders of one order: who does not answer three is asked by a person

_reminder = payment_reminder.c


@dataclass(frozen=True, kw_only=True)
class Reminded:
    """How often a customer was reminded of an order, and when the last time was (UTC)."""

    times: int
    last: datetime

    def allows_another(self, now: datetime) -> bool:
        return self.times < MOST and now - self.last >= APART


def reminded_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, Reminded]:
    """Returns the reminders of these orders, by order id; those of which nobody was reminded are left out."""
    sums = (func.count().label("times"), func.max(_reminder.at).label("last"))
    statement = (
        select(_reminder.order_id, *sums).where(_reminder.order_id.in_(sorted(order_ids))).group_by(_reminder.order_id)
    )
    return {row["order_id"]: Reminded(times=row["times"], last=row["last"]) for row in tx.all(statement)}


def remind_to_pay(tx: Transaction, order: Order, *, person_id: str) -> None:
    """Mails the customer of the locked `order` what is still to be paid, and how. It is about their order, so there is
    no opting out of it; that is why it is limited.

    Raises `Conflict` for an order that is cancelled, paid, without an e-mail address or not yet distributed, and if a
    reminder was sent less than three days ago, or three of them were.
    """
    refuse_unless_placed(order)
    if order.total <= order.paid_total:
        raise Conflict("paid", "This order is paid.")
    refuse_without_email(order)
    if sale_context(tx, order.session_id).begins_at > tx.now:
        raise Conflict("too_early", "The distribution has not begun yet.")
    before = reminded_of(tx, [order.id]).get(order.id)
    if before and not before.allows_another(tx.now):
        text = "A reminder is mailed at most {most} times, three days apart. Call instead."
        raise Conflict("reminded", text, most=MOST)
    row = {"id": tx.new_id(), "order_id": order.id, "at": tx.now, "person_id": person_id}
    tx.execute(insert(payment_reminder).values(row))
    enqueue_all(tx, order_mail(order, "order_to_pay"))
