"""Money: who has not paid and is reminded, what needs a decision, and a payment recorded by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from commensal import (
    Order,
    OrderSummary,
    PaymentMethod,
    Refused,
    SaleSession,
    Transaction,
    order_by_id,
    orders_to_give_back,
    sessions_by_id,
    unpaid_orders,
)
from commensal.orders import locked_order
from commensal.pages import NO_MISTAKES, Mistakes, Visit, amount_field, mistakes, page_parts, status_of
from commensal.parts.distribution import unpaid_at_sessions
from commensal.parts.till import Reminded, remind_to_pay, reminded_of
from commensal.payments import payment_methods_of_order, record_received

from ..frame.desk import Desk, open_desk
from ..frame.render import amount_in_field, show
from ..frame.sessions import by_hand, due_of
from .conflicts import method_labels, open_conflicts, post_decide, post_settle_problem, undecided_problems

_LONGEST = 200  # characters of a reference


@dataclass(frozen=True, kw_only=True)
class Unpaid:
    """An unpaid order that was handed over, or whose hand-out is over. reminded: None if nobody was yet."""

    order: OrderSummary
    session: SaleSession
    reminded: Reminded | None
    now: datetime

    @property
    def days(self) -> int:
        """Since the end of the hand-out; 0 before it."""
        return max((self.now - self.session.ends_at).days, 0)

    @property
    def may_be_reminded(self) -> bool:
        begun = self.session.begins_at <= self.now
        return begun and bool(self.order.email) and (self.reminded is None or self.reminded.allows_another(self.now))


def money_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        unpaid = _unpaid(tx, desk.enterprise.id)
        later = unpaid_at_sessions(tx, desk.enterprise.id)
        to_give_back = orders_to_give_back(tx, desk.enterprise.id)
        conflicts = open_conflicts(tx, desk.enterprise.id)
        problems = undecided_problems(tx, desk.enterprise.id)
        added_parts = page_parts(tx, visit, "money", desk.enterprise.id, desk.scopes)
    return show(
        visit,
        desk,
        "money",
        at="money",
        status=status,
        conflicts=conflicts,
        problems=problems,
        unpaid=unpaid,
        mistakes=errors,
        sum=sum(each.order.due for each in unpaid),
        later=later,
        to_give_back=to_give_back,
        added_parts=added_parts,
        reminded=visit.query.get("reminded", ""),
        methods=method_labels(visit, desk) if conflicts else {},
    )


def _unpaid(tx: Transaction, enterprise_id: str) -> list[Unpaid]:
    """Unpaid orders of all sales that are due, the oldest first; at most 200."""
    orders = unpaid_orders(tx, enterprise_id, late=True)
    sessions = sessions_by_id(tx, {order.session_id for order in orders})
    reminded = reminded_of(tx, {order.id for order in orders})
    unpaid = [
        Unpaid(order=order, session=sessions[order.session_id], reminded=reminded.get(order.id), now=tx.now)
        for order in orders
    ]
    return sorted(unpaid, key=lambda each: (each.session.ends_at, each.order.number))


def post_settle(visit: Visit) -> Response:
    """Does what the pressed button is for: reminds a customer, or takes a conflict or a message off the list."""
    try:
        if order_id := visit.form.get("remind", ""):
            return _remind(visit, order_id)
        if visit.form.get("conflict"):
            return post_decide(visit)
        return post_settle_problem(visit)
    except Refused as error:
        return money_page(visit, mistakes(visit, error, lambda name: False), status_of(error))


def _remind(visit: Visit, order_id: str) -> Response:
    with visit.write() as tx:
        desk = open_desk(tx, visit, "payments:write")
        order = locked_order(tx, order_id, enterprise_id=desk.enterprise.id)
        remind_to_pay(tx, order, person_id=visit.actor.person_id or "")
    return visit.redirect(f"{desk.address}/money?reminded={order.number}")


# ------------------------------------------------------------------------------------------------ one payment


def record_page(
    visit: Visit, typed: dict[str, str] | None = None, errors: Mistakes = NO_MISTAKES, status: int = 200
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
    methods = _methods(visit, order)
    due = due_of(order)
    amount = amount_in_field(max(due, 0), order.currency, visit.language)
    shown = typed or {"amount": amount, "method": order.payment_method, "reference": ""}
    return show(
        visit,
        desk,
        "record",
        at="money",
        status=status,
        order=order,
        due=due,
        methods=methods,
        typed=shown,
        mistakes=errors,
        key=visit.form.get("key") or visit.instance.ids.secret(),
    )


def _methods(visit: Visit, order: Order) -> list[PaymentMethod]:
    return by_hand(payment_methods_of_order(visit.instance, order, visit.language))


def post_record(visit: Visit) -> Response:
    """Records money that came for an order; more than is due is asked once more."""
    typed = {name: visit.form.get(name, "") for name in ("amount", "method", "reference", "anyway")}
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "payments:write")
            order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        allowed = [method.id for method in _methods(visit, order)]
        amount = amount_field(typed, "amount", order.currency)
        with visit.write() as tx:
            _record(tx, visit, open_desk(tx, visit, "payments:write"), typed, amount, allowed)
    except Refused as error:
        return record_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/orders/{order.id}")


def _record(tx: Transaction, visit: Visit, desk: Desk, typed: dict[str, str], amount: int, allowed: list[str]) -> None:
    record_received(
        tx,
        enterprise_id=desk.enterprise.id,
        order_id=visit.path["order"],
        method=typed["method"],
        amount=amount,
        person_id=visit.actor.person_id or "",
        allowed=allowed,
        reference=typed["reference"].strip()[:_LONGEST],
        anyway=bool(typed["anyway"]),
        key=visit.form.get("key", "")[:100],
    )
