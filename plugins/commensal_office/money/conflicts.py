"""Money that waits for a decision: taken for an order which another telephone had handed over already, listed and
never merged; and what payment providers tell that fits no order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, func, insert, select, update
from starlette.responses import Response

from commensal import Conflict, Invalid, NotFound, Order, Problem, Transaction, order_by_id, orders_by_id, payments_of
from commensal.audit import AuditFilter, audit_entries
from commensal.enterprises import list_members
from commensal.pages import Visit
from commensal.payments import (
    PaymentProblem,
    payment_methods,
    payment_methods_of_order,
    problems_of,
    record_received,
    settle_problem,
)

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..frame.sessions import by_hand, due_of
from ..tables import office_conflict

_conflict = office_conflict.c
_MOST = 200  # on one page
_MOST_PROBLEMS = 50
_LISTED_AS_OWED = ("owed",)  # the order itself stands under what is to give back, until nothing is owed any more
_READ = ("id", "order_id", "method", "amount", "currency", "taken_at", "settled_at", "decision")

Decision = Literal["given_back", "recorded"]


@dataclass(frozen=True, kw_only=True)
class DoubleTaking:
    """`amount` in minor units of `currency`; `number`, `name` and `state` are those of the order; `taken_by` and
    `settled_by` are names, "" for who is not a member any more.

    decision: None while it is open, and for what was settled before the decision was kept
    """

    id: str
    order_id: str
    number: int
    name: str
    state: str
    method: str
    amount: int
    currency: str
    taken_at: datetime
    taken_by: str
    settled_at: datetime | None
    settled_by: str
    decision: Decision | None


def keep_conflict(tx: Transaction, order: Order, *, method: str, amount: int, taken_at: datetime, by: str) -> None:
    """Stores money that somebody took and that was not recorded, because the order was handed over before."""
    row = {
        "id": tx.new_id(),
        "enterprise_id": order.enterprise_id,
        "order_id": order.id,
        "method": method,
        "amount": amount,
        "currency": order.currency,
        "taken_at": taken_at,
        "recorded_at": tx.now,
        "person_id": by,
    }
    tx.execute(insert(office_conflict).values(row))


def open_conflicts(tx: Transaction, enterprise_id: str) -> Sequence[DoubleTaking]:
    """The conflicts that nobody has decided yet, the oldest first; at most 200."""
    return _read(tx, enterprise_id, _conflict.settled_at.is_(None))


def conflicts_of(tx: Transaction, order: Order) -> Sequence[DoubleTaking]:
    """The conflicts of an order, decided or not, the oldest first; at most 200."""
    return _read(tx, order.enterprise_id, _conflict.order_id == order.id)


def conflict_by_id(tx: Transaction, enterprise_id: str, conflict_id: str) -> DoubleTaking:
    """A conflict of the enterprise, decided or not. Raises `NotFound`."""
    for conflict in _read(tx, enterprise_id, _conflict.id == conflict_id):
        return conflict
    raise NotFound


def _read(tx: Transaction, enterprise_id: str, condition: ColumnElement[bool]) -> list[DoubleTaking]:
    people = [_conflict.person_id, _conflict.settled_by.label("decider")]
    statement = select(*(_conflict[name] for name in _READ), *people)
    statement = statement.where(_conflict.enterprise_id == enterprise_id, condition).order_by(_conflict.id)
    rows = tx.all(statement.limit(_MOST))
    if not rows:
        return []
    orders = orders_by_id(tx, {row["order_id"] for row in rows})
    names = {member.person_id: member.name or member.email for member in list_members(tx, enterprise_id)}
    return [
        DoubleTaking(
            **{name: row[name] for name in _READ},
            number=orders[row["order_id"]].number or 0,
            name=orders[row["order_id"]].name,
            state=orders[row["order_id"]].state,
            taken_by=names.get(row["person_id"], ""),
            settled_by=names.get(row["decider"], ""),
        )
        for row in rows
    ]


def undecided_problems(tx: Transaction, enterprise_id: str) -> Sequence[PaymentProblem]:
    """The messages of payment providers that wait for a decision, the oldest first; at most 50. Money that an order
    owes its customer is not among them: giving it back is the decision."""
    return problems_of(tx, enterprise_id, limit=_MOST_PROBLEMS, without=_LISTED_AS_OWED)


def count_conflicts(tx: Transaction, enterprise_id: str, order_ids: Collection[str] | None = None) -> int:
    """The number of conflicts that nobody has decided yet, of all orders or of these."""
    is_open = (_conflict.enterprise_id == enterprise_id) & _conflict.settled_at.is_(None)
    if order_ids is not None:
        is_open &= _conflict.order_id.in_(sorted(order_ids))
    return int(tx.value(select(func.count()).select_from(office_conflict).where(is_open)))


def decide_conflict(
    tx: Transaction, conflict: DoubleTaking, decision: str, *, by: str, allowed: Collection[str]
) -> None:
    """Keeps what was decided, and takes the conflict off the list. Money that is "recorded" gets a payment of its own,
    also if it is more than is due; money that was "given_back" was never in the journal and gets no entry.

    `allowed` are methods "by hand". Raises `Conflict` if somebody has decided before, `Invalid` for another decision
    or a method that is not allowed.
    """
    if decision not in ("given_back", "recorded"):
        raise Invalid([Problem("decision", "Say whether the money was given back or is to be recorded.")])
    is_open = (_conflict.id == conflict.id) & _conflict.settled_at.is_(None)
    values = {"settled_at": tx.now, "settled_by": by, "decision": decision}
    if tx.execute(update(office_conflict).where(is_open).values(values)).rowcount != 1:
        raise Conflict("settled_before", "This was settled before.")
    if decision == "recorded":
        order = orders_by_id(tx, {conflict.order_id})[conflict.order_id]
        record_received(
            tx,
            enterprise_id=order.enterprise_id,
            order_id=order.id,
            method=conflict.method,
            amount=conflict.amount,
            person_id=by,
            allowed=allowed,
            anyway=True,
            key=f"office:conflict:{conflict.id}",
        )


def who_took(tx: Transaction, order: Order) -> str:
    """The name of who recorded the latest payment of the order; "" if nobody did."""
    done = [payment for payment in payments_of(tx, order.enterprise_id, order.id) if payment.state == "Done"]
    if not done:
        return ""
    trail = AuditFilter(enterprise_id=order.enterprise_id, object_kind="payment", object_id=done[-1].id)
    return next((entry.person for entry in audit_entries(tx, trail, 5) if entry.person), "")


# Asks once more before something leaves the list of what needs a decision, and says what the decision does.


def post_decide(visit: Visit) -> Response:
    """Asks about money that was taken twice; with the answer keeps the decision, and records the money if it stays.

    Raises `NotFound`, `Conflict` if somebody else has decided, `Invalid` for an impossible decision.
    """
    decision = visit.form.get("decision", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        conflict = conflict_by_id(tx, desk.enterprise.id, visit.form.get("conflict", ""))
        order = order_by_id(tx, conflict.order_id, enterprise_id=desk.enterprise.id)
    if goes_back(visit):
        return visit.redirect(f"{desk.address}/money")
    if not is_sure(visit):
        return show(
            visit,
            desk,
            "decide",
            at="money",
            conflict=conflict,
            decision=decision,
            due=due_of(order),
            methods=method_labels(visit, desk),
        )
    allowed = [method.id for method in by_hand(payment_methods_of_order(visit.instance, order, visit.language))]
    with visit.write() as tx:
        desk = open_desk(tx, visit, "payments:write")
        decide_conflict(tx, conflict, decision, by=visit.actor.person_id or "", allowed=allowed)
    return visit.redirect(f"{desk.address}/orders/{conflict.order_id}?done=decided")


def method_labels(visit: Visit, desk: Desk) -> dict[str, str]:
    """The names of the enterprise's ways to pay, by "plugin:method"."""
    methods = payment_methods(visit.instance, desk.enterprise.id, visit.language)
    return {method.id: method.label for method in methods}


def post_settle_problem(visit: Visit) -> Response:
    """Asks once more, then takes a message of a payment provider off the list. Raises `NotFound`, `Conflict`."""
    problem_id = visit.form.get("problem", "")
    if goes_back(visit):
        return visit.redirect(visit.request.url.path)
    if is_sure(visit):
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            settle_problem(tx, desk.enterprise.id, problem_id, person_id=visit.actor.person_id or "")
        return visit.redirect(f"{desk.address}/money")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        problems = undecided_problems(tx, desk.enterprise.id)
    for problem in problems:
        if problem.id == problem_id:
            return show(visit, desk, "settle", at="money", problem=problem)
    raise NotFound
