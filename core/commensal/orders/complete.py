"""Settles sales that have closed: their orders become Complete, and their times can no longer change."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select, update

from ..base.failpoints import failpoint
from ..events.announce import announce
from ..hooks import specifications
from ..sale_sessions.tables import coordination, sale_session
from ..storage.database import Time, Transaction
from .tables import customer_order  # the table alone, for one statement over all orders of a sale

STRAGGLERS = timedelta(hours=1)
# Built once, since they run every minute.
_NOW = bindparam("now", type_=Time)
_OVER = (coordination.c.completed_at.is_(None), coordination.c.cancelled_at.is_(None), coordination.c.closes_at <= _NOW)
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
    ids = sorted(row["id"] for row in tx.all(_SETTLE, {"now": tx.now}))
    tx.change(_COMPLETE, {"now": tx.now, "lately": tx.now - STRAGGLERS})
    if ids:
        failpoint("sale.closed")
        announce(tx, specifications.sale_completed, sale_session, sale_session.c.coordination_id.in_(ids))
    return ids
