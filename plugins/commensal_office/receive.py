"""Receive: what each supplier was to bring, what came, and whose order changes if there is less.

Notes what came as the supplier's answer: the core shortens customers' orders by the hub's policy. Nothing of a shortage
is written before its effect was shown on a page of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from commensal import Invalid, Problem, Refused, Stale, Transaction, mails_of_purchase_order
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.trade import (
    LineAnswer,
    PurchaseOrder,
    accounts_of_supplier,
    answer_purchase_order,
    closing_policy_of,
    cuts_of_answer,
    locked_orders,
    mail_order,
    parts_of,
    purchase_order_by_id,
    purchase_orders_of,
    reopen_purchase_order,
    shapings_of,
    tell_supplier,
    undelivered_at_session,
)

from .desk import Desk, open_desk
from .effect import goes_back
from .sessions import chosen_session, recent_sessions, session_of_page
from .showing import show

CAME, WHY = "came/", "why/"
_MOST = 200  # suppliers of one sale
_LONGEST = 9  # digits of a number of pieces


def receive_page(visit: Visit) -> Response:
    """The suppliers of a sale: those who are still to be told, and the orders of those who were."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        parts = parts_of(tx, desk.enterprise.id, session.id) if session else []
        orders = purchase_orders_of(tx, desk.enterprise.id, session_id=session.id, limit=_MOST) if session else []
        over = session is not None and session.ends_at <= tx.now
        untold = [part for part in parts if part.state == "closed" and part.supplier_id != desk.enterprise.id]
        shapings = (
            shapings_of(tx, visit.instance.hooks, desk.enterprise.id, session.id, [part.supplier_id for part in untold])
            if session
            else []
        )
    return show(
        visit, desk, "receive", at="receive", session=session, sessions=sessions, over=over,
        orders=sorted(orders, key=lambda order: order.supplier.casefold()),
        untold=untold, shapings=shapings, told=visit.query.get("told", ""),
    )  # fmt: skip


def tell_now(visit: Visit) -> Response:
    """Sends a supplier its order, where the hub does that by hand."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:write")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        order = tell_supplier(tx, visit.instance.hooks, session.id, visit.form.get("supplier", ""))
    return visit.redirect(f"{desk.address}/receive?sale={session.id}&told={order.number if order else 'none'}")


# ------------------------------------------------------------------------------------------------ one supplier


def order_page(
    visit: Visit,
    typed: Mapping[str, str] | None = None,
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    **context: Any,
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        order = _order_of_path(tx, visit, desk)
        policy = closing_policy_of(tx, desk.enterprise.id)
        mails = mails_of_purchase_order(tx, desk.enterprise.id, order.id)
        at_session = undelivered_at_session(tx, desk.enterprise.id, order.session_id)
        account = accounts_of_supplier(tx, order.supplier_id, [order.session_id]).get(order.session_id)
        over = order.ends_at <= tx.now
    template = "received" if "cuts" in context else "supplier"
    shown = {"shortage": policy.shortage, "lost": "1", **(typed or {})}
    return show(
        visit, desk, template, at="receive", status=status, order=order, over=over, typed=shown, mistakes=errors,
        may_answer=desk.may("orders:write") and not over, mailed="mailed" in visit.query,
        to_pay=account.delivered if account else order.total,
        reopened="reopened" in visit.query, confirming=visit.query.get("ask", ""), mails=mails,
        undelivered=[goods for goods in at_session if goods.purchase_order_id == order.id], **context,
    )  # fmt: skip


def _order_of_path(tx: Transaction, visit: Visit, desk: Desk) -> PurchaseOrder:
    return purchase_order_by_id(tx, visit.path["purchase_order"], enterprise_id=desk.enterprise.id)


def order_now(visit: Visit) -> Response:
    """Does what the pressed button of a supplier's order is for: it all came, some did, ask again, mail it again."""
    if goes_back(visit):
        return order_page(visit, {"lost": "", **visit.form})
    if visit.query.get("then") == "mail":
        return _mail_again(visit)
    if visit.query.get("then") == "reopen":
        return _reopen(visit)
    if visit.query.get("then") == "all":
        return _answer(visit, {})
    return _note(visit)


def _mail_again(visit: Visit) -> Response:
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = _order_of_path(tx, visit, desk)
        mail_order(tx, order.id)
    return visit.redirect(f"{desk.address}/receive/{order.id}?mailed=1")


def _reopen(visit: Visit) -> Response:
    """Takes the answer back, so that the supplier is asked again."""
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "orders:write")
            (order,) = locked_orders(tx, [_order_of_path(tx, visit, desk).id])
            if str(order.version) != visit.form.get("version"):
                raise Stale
            reopen_purchase_order(tx, order.id)
    except Refused as error:
        return order_page(visit, None, mistakes(visit, error, lambda name: False), status_of(error))
    return visit.redirect(f"{desk.address}/receive/{order.id}?reopened=1")


def _note(visit: Visit) -> Response:
    """Notes what came line by line. A shortage is shown first, with whose orders it changes, and then confirmed."""
    typed = {name: text.strip() for name, text in visit.form.items()}
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "orders:write")
            order = _order_of_path(tx, visit, desk)
            answers = read_answers(order, typed)
            missing = [line for line in order.lines if answers[line.id].confirmed < line.coming]
            shortage: Any = typed.get("shortage") or None
            cuts = cuts_of_answer(tx, order, answers, shortage=shortage)
    except Refused as error:
        return order_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if missing and visit.query.get("then") != "sure":
        return order_page(visit, typed, cuts=cuts, missing=missing, answers=answers)
    return _answer(visit, answers, typed)


def _answer(visit: Visit, answers: Mapping[str, LineAnswer], typed: Mapping[str, str] | None = None) -> Response:
    typed = typed if typed is not None else dict(visit.form)
    shortage: Any = typed.get("shortage") or None
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "orders:write")
            (order,) = locked_orders(tx, [_order_of_path(tx, visit, desk).id])
            if str(order.version) != typed.get("version"):
                raise Stale
            answer_purchase_order(
                tx, visit.instance.hooks, order.id, answers, shortage=shortage, lost=bool(typed.get("lost")),
                by=visit.actor.person_id,
            )  # fmt: skip
    except Refused as error:
        return order_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/receive?sale={order.session_id}&done={order.id}")


def read_answers(order: PurchaseOrder, typed: Mapping[str, str]) -> dict[str, LineAnswer]:
    """What came of each line, by its id; without a field: as expected. Raises `Invalid` with every mistake."""
    answers, problems = dict[str, LineAnswer](), list[Problem]()
    for line in order.lines:
        text = typed.get(f"{CAME}{line.id}", str(line.coming))
        if not text:
            problems.append(Problem("pieces", "Write how many come; 0 if none does.", f"/{CAME}{line.id}"))
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
            problems.append(Problem("pieces", "Write a whole number of pieces, like 12.", f"/{CAME}{line.id}"))
            continue
        if int(text) > line.quantity:
            message = "{most} were ordered; if more came, keep it as stock of the hub."
            problems.append(Problem("pieces", message, f"/{CAME}{line.id}", {"most": line.quantity}))
        answers[line.id] = LineAnswer(confirmed=int(text), reason=typed.get(f"{WHY}{line.id}", ""))
    if problems:
        raise Invalid(problems)
    return answers
