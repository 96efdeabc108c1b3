"""Settles sales that have closed: from then on their orders are Complete, and their times stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, select, update

from ..events.announce import announce
from ..failpoints import failpoint
from ..hooks import specifications
from ..orders.tables import customer_order  # the table alone, for one statement over all orders of a sale
from ..store import Transaction
from .tables import coordination, sale_session

STRAGGLERS = timedelta(hours=1)


def complete_due(tx: Transaction) -> list[str]:
    """Completes every sale whose closing has passed, once. Returns their ids, for the work that follows.

    Orders go from Held to Complete. One that was being placed at the very moment of closing, and was committed after
    this looked, is completed by a later call within `STRAGGLERS`.
    """
    over = and_(
        coordination.c.completed_at.is_(None), coordination.c.cancelled_at.is_(None), coordination.c.closes_at <= tx.now
    )
    settle = update(coordination).where(over).values(completed_at=tx.now, version=coordination.c.version + 1)
    ids = sorted(row["id"] for row in tx.all(settle.returning(coordination.c.id)))
    lately = (
        select(sale_session.c.id)
        .join(coordination, coordination.c.id == sale_session.c.coordination_id)
        .where(coordination.c.completed_at >= tx.now - STRAGGLERS)
    )
    held = and_(customer_order.c.session_id.in_(lately), customer_order.c.state == "Held")
    completed = {"state": "Complete", "changed_at": tx.now, "version": customer_order.c.version + 1}
    tx.execute(update(customer_order).where(held).values(completed))
    if ids:
        failpoint("sale.closed")
        announce(tx, specifications.sale_completed, sale_session, sale_session.c.coordination_id.in_(ids))
    return ids
