"""An order as an e-mail tells it: the order itself, its shop, its sale, and how it is to be paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ..enterprises.tables import enterprise
from ..errors import NotFound
from ..orders.questions import order_by_id
from ..orders.tables import customer_order
from ..orders.values import Order
from ..payments.payments import payments_of
from ..sale_sessions.tables import coordination, sale_session
from ..store import Transaction


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """begins_at and ends_at are those of the distribution; `payment_text` is what the payer was told to do."""

    order: Order
    shop: str
    shop_email: str
    shop_phone: str
    timezone: str
    sale: str
    sale_note: str
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    payment_text: str


def order_view(tx: Transaction, order_id: str) -> OrderView:
    """The view of a placed order, by six statements. Raises `NotFound`."""
    session, row = sale_session.c, customer_order.c
    found = tx.first(
        select(
            row.enterprise_id,
            enterprise.c.name.label("shop"),
            enterprise.c.email.label("shop_email"),
            enterprise.c.phone.label("shop_phone"),
            enterprise.c.timezone,
            coordination.c.name.label("sale"),
            session.note.label("sale_note"),
            session.closes_at,
            session.begins_at,
            session.ends_at,
        )
        .select_from(customer_order)
        .join(enterprise, enterprise.c.id == row.enterprise_id)
        .join(sale_session, session.id == row.session_id)
        .join(coordination, coordination.c.id == session.coordination_id)
        .where(row.id == order_id, row.state != "Draft")
    )
    if found is None:
        raise NotFound("no_order", "There is no such order.")
    values = dict(found)
    enterprise_id = values.pop("enterprise_id")
    told = [one.instructions for one in payments_of(tx, enterprise_id, order_id) if one.state == "Pending"]
    return OrderView(
        order=order_by_id(tx, order_id, enterprise_id=enterprise_id),
        payment_text=str(told[-1].get("text", "")) if told and told[-1] else "",
        **values,
    )
