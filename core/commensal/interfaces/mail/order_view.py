"""An order as an e-mail tells it: the order itself, its shop, its sale, and how it is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ...base.errors import NotFound
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...trade.enterprises.tables import enterprise
from ...trade.orders.guests import GuestTerms, guest_terms
from ...trade.orders.questions import order_by_id
from ...trade.orders.shipping import with_place_of_today
from ...trade.orders.tables import customer_order
from ...trade.orders.values import Order
from ...trade.payments.begin_due import payment_under_way
from ...trade.payments.payments import payments_of
from ...trade.payments.values import Payment
from ...trade.sale_sessions.tables import coordination, sale_session


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """begins_at and ends_at are those of the distribution.

    due:          minor units that are still to be paid; negative: owed to the customer
    payment_text: what the payer was told to do, if it was for the amount that is due
    pays_online:  whether they are to pay, or to choose how, on the order's page
    terms:        until when an order of a guest stands, unless they confirm or pay it; None: for good
    """

    order: Order
    shop: str
    shop_email: str
    shop_phone: str
    shop_language: str
    timezone: str
    sale: str
    sale_note: str
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    due: int
    payment_text: str
    pays_online: bool
    terms: GuestTerms | None


def order_view(tx: Transaction, hooks: Hooks, order_id: str) -> OrderView:
    """The view of a placed order, by a constant number of statements. Raises `NotFound`."""
    session, row = sale_session.c, customer_order.c
    found = tx.first(
        select(
            row.enterprise_id,
            enterprise.c.name.label("shop"),
            enterprise.c.email.label("shop_email"),
            enterprise.c.phone.label("shop_phone"),
            enterprise.c.language.label("shop_language"),
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
    order = with_place_of_today(tx, hooks, order_by_id(tx, order_id, enterprise_id=enterprise_id))
    due = 0 if order.state == "Cancelled" else order.total - order.paid_total
    text, online = _how_to_pay(payments_of(tx, enterprise_id, order_id), due)
    terms = guest_terms(tx, order)
    return OrderView(order=order, due=due, payment_text=text, pays_online=online, terms=terms, **values)


def _how_to_pay(payments: Sequence[Payment], due: int) -> tuple[str, bool]:
    """What the payer was told, and whether the order's page has the rest. Nothing that was said of another amount."""
    if due <= 0:
        return "", False
    asked = payment_under_way(payments)
    if asked is not None and asked.amount == due and asked.instructions:
        return str(asked.instructions.get("text", "")), bool(asked.instructions.get("redirect"))
    tried = [one for one in payments if one.kind == "payment"]
    failed = tried[-1] if tried and tried[-1].state == "Failed" else None
    return str((failed.instructions or {}).get("text", "")) if failed else "", True
