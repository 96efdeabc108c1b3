"""Asks once more before something leaves the list of what needs a decision, and says what the decision does."""

from __future__ import annotations

from starlette.responses import Response

from commensal import NotFound, order_by_id
from commensal.pages import Visit
from commensal.payments import payment_methods, payment_methods_of_order, settle_problem

from ..frame.confirm import goes_back, is_sure
from ..frame.desk import Desk, open_desk
from ..frame.due import by_hand, due_of
from ..frame.render import show
from .conflicts import conflict_by_id, decide_conflict, undecided_problems


def decide_now(visit: Visit) -> Response:
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


def settle_now(visit: Visit) -> Response:
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
