"""Sales that a producer does not supply, being away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from ...enterprises.tables import enterprise
from ...orders.tables import customer_order, order_line
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session
from ...storage.database import Transaction, local_day


@dataclass(frozen=True, kw_only=True)
class SaleWithout:
    """A sale of a shop that a producer does not supply, being away, and how many pieces of it are ordered already."""

    session_id: str
    shop_id: str
    name: str
    begins_at: datetime
    timezone: str
    pieces: int


def sales_without(tx: Transaction, producer_id: str, first_day: date, last_day: date) -> list[SaleWithout]:
    """Returns the sales of other enterprises, planned or running, that this producer supplies and that are handed out
    in these days, the next one first."""
    session, line, shop = sale_session.c, order_line.c, enterprise.alias("shop")
    day = local_day(session.begins_at, shop.c.timezone)
    pieces = (
        select(func.coalesce(func.sum(line.quantity), 0))
        .join(customer_order, customer_order.c.id == line.order_id)
        .where(customer_order.c.session_id == session.id, line.supplier_id == producer_id)
        .where(customer_order.c.state.in_(("Held", "Complete")))
    )
    statement = (
        select(
            session.id.label("session_id"),
            session.enterprise_id.label("shop_id"),
            coordination.c.name,
            session.begins_at,
            shop.c.timezone,
            pieces.scalar_subquery().label("pieces"),
        )
        .join(shop, shop.c.id == session.enterprise_id)
        .join(coordination, coordination.c.id == session.coordination_id)
        .join(coordination_supplier, coordination_supplier.c.coordination_id == coordination.c.id)
        .where(coordination_supplier.c.enterprise_id == producer_id, session.enterprise_id != producer_id)
        .where(coordination.c.cancelled_at.is_(None), session.ends_at > tx.now)
        .where(day >= first_day.isoformat(), day <= last_day.isoformat())
        .order_by(session.begins_at, session.id)
    )
    return [SaleWithout(**{**row, "pieces": int(row["pieces"])}) for row in tx.all(statement)]
