"""Corrects an order after its hand-over: what was wrong with the goods, at whose cost, and what is given back."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from commensal import Invalid, Order, Problem, Transaction, order_by_id, read_amount, sale_by_id, translate
from commensal.pages import Visit
from commensal.parts.supply import LineCorrection, correct_order, left_of_line

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from .effect import Asking, ask_or_do
from .goods_fields import read_pieces

LINE, AMOUNT, RETURNED = "lines/", "/amount", "/returned"  # fields are `lines/<id>/amount`, as in the core's errors


def correct_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        sale = sale_by_id(tx, order.session_id)
    left = {line.id: left_of_line(order, line) for line in order.lines}
    return show(
        visit,
        desk,
        "correct",
        at="orders",
        order=order,
        sale=sale,
        left=left,
        lines=[line for line in order.lines if left[line.id]],
        typed={"borne_by": "shop", "reason": "", **visit.form},
    )


def post_correct(visit: Visit) -> Response:
    form = visit.form

    def act(tx: Transaction, desk: Desk, order: Order) -> Order:
        return correct_order(
            tx,
            visit.instance.hooks,
            order,
            read_corrections(order, form),
            reason=form.get("reason", ""),
            borne_by="supplier" if form.get("borne_by") == "supplier" else "shop",
            by=visit.actor.person_id,
        )

    bearer = (
        translate(visit.language, "The producer bears it: you pay them less.")
        if form.get("borne_by") == "supplier"
        else translate(visit.language, "You bear it: the producer is paid in full.")
    )
    asking = Asking(
        heading=translate(visit.language, "Correct after the hand-over"),
        button=translate(visit.language, "Yes, correct it"),
        warnings=(bearer,),
    )
    return ask_or_do(visit, act, asking, correct_page, done="corrected")


def read_corrections(order: Order, form: Mapping[str, str]) -> dict[str, LineCorrection]:
    """What is given back by line, of the fields that are filled in. Raises `Invalid` with every mistake."""
    corrections, problems = dict[str, LineCorrection](), list[Problem]()
    for line in order.lines:
        names = (f"{LINE}{line.id}{AMOUNT}", f"{LINE}{line.id}{RETURNED}")
        texts = [form.get(name, "").strip() for name in names]
        if not any(texts):
            continue
        amount = read_amount(texts[0] or "0", order.currency)
        if isinstance(amount, Problem):
            problems.append(Problem(amount.code, amount.text, f"/{names[0]}", amount.values))
            continue
        try:
            corrections[line.id] = LineCorrection(amount=amount, returned=read_pieces(texts[1], names[1]))
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    return corrections
