"""Cancels a sale that has no orders."""

from __future__ import annotations

from sqlalchemy import and_, func, select

from ..base.errors import Conflict
from ..events.announce import announce
from ..hooks import specifications
from ..sale_sessions.locking import edit_coordination, lock_unsettled
from ..sale_sessions.tables import sale_session
from ..storage.database import Transaction
from .tables import customer_order


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
