"""E-mails to hubs about orders of guests that have expired: at most one an hour, about all since the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from ...storage.database import Transaction
from ...storage.jobs import Job
from ...trade.orders.tables import customer_order, guest_order
from .to_enterprise import mail_enterprise

if TYPE_CHECKING:
    from ...instance import Instance

_row = guest_order.c


def mail_expired_orders(instance: Instance, job: Job) -> None:
    """Does the job `unpaid_guests.ALERT`."""
    instance.transact(lambda tx: _mail_expired(tx, job.payload["enterprise_id"]))


def _mail_expired(tx: Transaction, enterprise_id: str) -> None:
    conditions = (_row.enterprise_id == enterprise_id, _row.expired_at.is_not(None))
    statement = (
        select(customer_order.c.number).join(guest_order, _row.order_id == customer_order.c.id).where(*conditions)
    )
    numbers = [row["number"] for row in tx.all(statement.order_by(customer_order.c.number))]
    if numbers:
        values = {"count": len(numbers), "numbers": ", ".join(map(str, numbers[:20]))}
        mail_enterprise(tx, enterprise_id, "guest_orders_expired", values)
        tx.execute(delete(guest_order).where(*conditions))
