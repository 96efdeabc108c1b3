"""Orders: find one by whatever stands on paper, understand it, and see what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response

from commensal import OrderSummary, Transaction, order_by_id, payments_of, sale_by_id, search_key
from commensal.pages import Visit
from commensal.trade import AuditFilter, audit_entries, find_orders, orders_with_product, summaries_of_session

from .desk import Desk, open_desk
from .handing import due_of
from .sessions import recent_sessions, session_of_page
from .showing import show

_LONGEST = 100  # characters of a search
_HISTORY = 50  # entries of the audit trail below an order

_STATES: dict[str, Callable[[OrderSummary], bool]] = {
    "unpaid": lambda order: order.due > 0,
    "left": lambda order: order.is_going,
    "cancelled": lambda order: order.state == "Cancelled",
}


def orders_page(visit: Visit) -> Response:
    words = visit.query.get("q", "").strip()[:_LONGEST]
    state = visit.query.get("show", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        orders = summaries_of_session(tx, desk.enterprise.id, session.id) if session else []
        count = len(orders)
        if session and words:
            orders = search_orders(tx, session.id, orders, words)
        elsewhere = _in_other_sales(tx, desk, words, orders)
    if state in _STATES:
        orders = [order for order in orders if _STATES[state](order)]
    return show(
        visit, desk, "orders", at="orders", session=session, sessions=sessions, orders=orders, elsewhere=elsewhere,
        words=words, state=state, count_all=count,
    )  # fmt: skip


def _in_other_sales(tx: Transaction, desk: Desk, words: str, orders: Sequence[OrderSummary]) -> list[OrderSummary]:
    """Orders of other sales with exactly this number, e-mail address or telephone number."""
    if not words:
        return []
    shown = {order.id for order in orders}
    return [order for order in find_orders(tx, desk.enterprise.id, words.lstrip("#")) if order.id not in shown]


def search_orders(tx: Transaction, session_id: str, orders: Sequence[OrderSummary], words: str) -> list[OrderSummary]:
    """The orders with these words in their name, number, e-mail, telephone, note or slot, or in a product's name."""
    number, phone = words.lstrip("#"), _digits(words)
    key = search_key(words)
    matches = {
        order.id
        for order in orders
        if str(order.number) == number
        or (len(phone) > 5 and phone in _digits(order.phone))
        or key in search_key(f"{order.name} {order.email} {order.note} {order.shipping_label}")
    }
    if not matches and not number.isdigit():
        matches = orders_with_product(tx, session_id, words)
    return [order for order in orders if order.id in matches]


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def order_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        sale = sale_by_id(tx, order.session_id)
        payments = payments_of(tx, desk.enterprise.id, order.id) if desk.sees_money else ()
        trail = AuditFilter(object_kind="customer_order", object_id=order.id)
        history = audit_entries(tx, trail, _HISTORY) if desk.may("audit:read") else ()
    return show(
        visit, desk, "order", at="orders", order=order, sale=sale, payments=payments, history=history,
        due=due_of(order),
    )  # fmt: skip
