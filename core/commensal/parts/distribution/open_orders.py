"""What customers still owe and get back, over all sales of a shop, as it stood at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, not_, or_, select

from ...orders.guests import is_unconfirmed
from ...orders.tables import customer_order, guest_order
from ...payments.tables import payment_journal
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Transaction

_order, _entry = customer_order.c, payment_journal.c


@dataclass(frozen=True, kw_only=True)
class UnsettledOrder:
    """An order that is not settled. `due`: what is still to be paid, in minor units of `currency`; negative: owed to
    the customer. `ends_at`: of its hand-out (UTC)."""

    id: str
    session_id: str
    sale: str
    ends_at: datetime
    number: int
    name: str
    state: str
    currency: str
    due: int


def open_orders(tx: Transaction, enterprise_id: str, until: datetime, *, limit: int) -> list[UnsettledOrder]:
    """Returns the orders of all sales of a shop that were not settled at the moment `until` (aware), the oldest first:
    those handed over by then, or whose hand-out was over, with something due; and those that get money back.

    Money counts as the journal had it then; what orders cost is what they cost now, since nobody keeps what they did
    then. Now, that is what `unpaid_orders(late=True)` and `orders_to_give_back` return. One statement.
    """
    statement = _unsettled(enterprise_id, until).order_by(sale_session.c.ends_at, _order.number).limit(limit)
    return [UnsettledOrder(**{**row, "due": int(row["due"])}) for row in tx.all(statement)]


def open_order_sums(tx: Transaction, enterprise_id: str, until: datetime) -> tuple[int, int]:
    """Returns what the customers of these orders owe, and what they get back, in minor units. One statement."""
    due = _unsettled(enterprise_id, until).subquery("unsettled").c.due
    owed, back = (func.sum(case((counts, abs_due), else_=0)) for counts, abs_due in ((due > 0, due), (due < 0, -due)))
    row = tx.one(select(owed.label("owed"), back.label("back")))
    return int(row["owed"] or 0), int(row["back"] or 0)


def _unsettled(enterprise_id: str, until: datetime) -> Select[Any]:
    session, sale = sale_session.c, coordination.c
    came_later = (
        select(_entry.order_id, func.sum(_entry.amount).label("amount"))
        .where(_entry.enterprise_id == enterprise_id, _entry.at > until)
        .group_by(_entry.order_id)
        .subquery("came_later")
    )
    cost = case((_order.state == "Cancelled", 0), else_=_order.total)
    due = cost - _order.paid_total + func.coalesce(came_later.c.amount, 0)
    over = or_(_order.fulfilled_at <= until, session.ends_at <= until)
    return (
        select(
            _order.id,
            _order.session_id,
            sale.name.label("sale"),
            session.ends_at,
            _order.number,
            _order.name,
            _order.state,
            _order.currency,
            due.label("due"),
        )
        .select_from(customer_order)
        .join(sale_session, session.id == _order.session_id)
        .join(coordination, sale.id == session.coordination_id)
        .outerjoin(came_later, came_later.c.order_id == _order.id)
        .outerjoin(guest_order, guest_order.c.order_id == _order.id)
        .where(_order.enterprise_id == enterprise_id, _order.state.in_(("Held", "Complete", "Cancelled")))
        .where(not_(func.coalesce(is_unconfirmed(), False)), _order.placed_at <= until)
        .where(or_(due < 0, and_(due > 0, over)))
    )
