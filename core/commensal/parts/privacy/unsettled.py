"""Reasons to refuse the erasure of a person for now: unsettled orders, and enterprises without another owner."""

from __future__ import annotations

from sqlalchemy import and_, or_, select

from ...base.errors import Conflict
from ...enterprises.tables import enterprise, enterprise_member
from ...orders.tables import customer_order
from ...sale_sessions.tables import sale_session
from ...storage.database import RowQuery, Transaction
from .values import DataSubject


def refuse_unsettled(tx: Transaction, subject: DataSubject) -> None:
    """Raises `Conflict` naming the first order that is under way, unpaid or to be refunded, or an enterprise that would
    be left without an owner."""
    for row in tx.all(_unsettled(tx, subject).limit(1)):
        raise Conflict(
            "order_open",
            "Order {number} at {shop} is not settled yet: first it must be handed over and paid, or cancelled.",
            number=row["number"],
            shop=row["name"],
        )
    if subject.person_id is None:
        return
    for row in tx.all(_owned_alone(subject.person_id)):
        raise Conflict("last_owner", "{shop} has no other owner; make somebody else one first.", shop=row["name"])


def _unsettled(tx: Transaction, subject: DataSubject) -> RowQuery:
    order = customer_order.c
    placed = order.state.in_(("Held", "Complete"))
    under_way = or_(order.state == "Held", sale_session.c.ends_at > tx.now)
    owes = or_(order.payment_state == "Unpaid", order.paid_total != order.total)
    owed = and_(order.state == "Cancelled", order.paid_total != 0)
    return (
        select(order.number, enterprise.c.name)
        .join(enterprise, enterprise.c.id == order.enterprise_id)
        .join(sale_session, sale_session.c.id == order.session_id)
        .where(order.id.in_(subject.order_ids), or_(and_(placed, or_(under_way, owes)), owed))
        .order_by(order.placed_at)
    )


def _owned_alone(person_id: str) -> RowQuery:
    member, other = enterprise_member, enterprise_member.alias()
    others = select(other.c.person_id).where(
        other.c.enterprise_id == member.c.enterprise_id, other.c.role == "owner", other.c.person_id != person_id
    )
    return (
        select(enterprise.c.name)
        .join(member, member.c.enterprise_id == enterprise.c.id)
        .where(
            member.c.person_id == person_id,
            member.c.role == "owner",
            ~others.exists(),
            enterprise.c.archived_at.is_(None),
        )
    )
