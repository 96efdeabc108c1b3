"""Money: who has not paid, what needs a decision, and a payment recorded by hand."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from commensal import (
    Invalid,
    Order,
    PaymentMethod,
    Problem,
    Refused,
    Transaction,
    order_by_id,
    read_amount,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.trade import (
    payment_methods_of_order,
    problems_of,
    record_received,
    settle_problem,
    unpaid_of_sessions,
)

from .conflicts import open_conflicts, settle_conflict
from .desk import Desk, open_desk
from .handing import by_hand, due_of
from .sessions import recent_sessions
from .showing import amount_in_field, show

_LONGEST = 200  # characters of a reference


def money_page(visit: Visit) -> Response:
    return _money_page(visit)


def _money_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        sessions = {session.id: session for session in recent_sessions(tx, desk.enterprise.id)}
        over = {id: session for id, session in sessions.items() if session.ends_at <= tx.now}
        unpaid = unpaid_of_sessions(tx, desk.enterprise.id, list(over))
        conflicts = open_conflicts(tx, desk.enterprise.id)
        problems = problems_of(tx, desk.enterprise.id)
        now = tx.now
    return show(
        visit, desk, "money", at="money", status=status, sessions=sessions, conflicts=conflicts, problems=problems,
        unpaid=sorted(unpaid, key=lambda order: over[order.session_id].ends_at), mistakes=errors,
        age=lambda order: _days(over[order.session_id].ends_at, now), sum=sum(order.due for order in unpaid),
    )  # fmt: skip


def _days(since: datetime, now: datetime) -> int:
    return (now - since).days


def settle_now(visit: Visit) -> Response:
    """Takes a conflict or a provider's message off the list: somebody has decided."""
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            person_id = visit.actor.person_id or ""
            if conflict := visit.form.get("conflict", ""):
                settle_conflict(tx, desk.enterprise.id, conflict, by=person_id)
            else:
                settle_problem(tx, desk.enterprise.id, visit.form.get("problem", ""), person_id=person_id)
    except Refused as error:
        return _money_page(visit, mistakes(visit, error, lambda name: False), status_of(error))
    return visit.redirect(f"{desk.address}/money")


# ------------------------------------------------------------------------------------------------ one payment


def record_page(visit: Visit) -> Response:
    return _record_page(visit)


def _record_page(
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
        visit, desk, "record", at="money", status=status, order=order, due=due, methods=methods, typed=shown,
        mistakes=errors, key=visit.form.get("key") or visit.instance.ids.secret(),
    )  # fmt: skip


def _methods(visit: Visit, order: Order) -> list[PaymentMethod]:
    return by_hand(payment_methods_of_order(visit.instance, order, visit.language))


def record_now(visit: Visit) -> Response:
    """Records money that came for an order; more than is due is asked once more."""
    typed = {name: visit.form.get(name, "") for name in ("amount", "method", "reference", "anyway")}
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "payments:write")
            order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        allowed = [method.id for method in _methods(visit, order)]
        amount = _read_amount(typed["amount"], order.currency)
        with visit.write() as tx:
            _record(tx, visit, open_desk(tx, visit, "payments:write"), typed, amount, allowed)
    except Refused as error:
        return _record_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/orders/{order.id}")


def _record(tx: Transaction, visit: Visit, desk: Desk, typed: dict[str, str], amount: int, allowed: list[str]) -> None:
    record_received(
        tx, enterprise_id=desk.enterprise.id, order_id=visit.path["order"], method=typed["method"], amount=amount,
        person_id=visit.actor.person_id or "", allowed=allowed, reference=typed["reference"].strip()[:_LONGEST],
        anyway=bool(typed["anyway"]), key=visit.form.get("key", "")[:100],
    )  # fmt: skip


def _read_amount(text: str, currency: str) -> int:
    """The amount in minor units. Raises `Invalid`."""
    amount = read_amount(text, currency)
    if isinstance(amount, Problem):
        raise Invalid([Problem(amount.code, amount.text, "/amount", amount.values)])
    return amount
