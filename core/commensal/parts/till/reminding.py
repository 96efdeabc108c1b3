"""Reminders of what is still to be paid for an order: by hand, not too often, and never for what is paid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from ...base.errors import Conflict
from ...orders.emails import order_mail, refuse_without_email
from ...orders.lock import refuse_unless_placed
from ...orders.sale_context import sale_context
from ...orders.values import Order
from ...payments.tables import payment_reminder
from ...storage.database import Transaction
from ...storage.jobs import enqueue_all

APART = timedelta(days=3)  # between two reminders of one order
MOST = 3  # reminders of one order: who does not answer three is asked by a person

_row = payment_reminder.c


@dataclass(frozen=True, kw_only=True)
class Reminded:
    """How often a customer was reminded of an order, and when the last time was (UTC)."""

    times: int
    last: datetime

    def allows_another(self, now: datetime) -> bool:
        return self.times < MOST and now - self.last >= APART


def reminded_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, Reminded]:
    """Returns the reminders of these orders, by order id; those of which nobody was reminded are left out."""
    sums = (func.count().label("times"), func.max(_row.at).label("last"))
    statement = select(_row.order_id, *sums).where(_row.order_id.in_(sorted(order_ids))).group_by(_row.order_id)
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
