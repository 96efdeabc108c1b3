"""Receive: what each supplier was to bring, what came, and whose order changes if there is less.

Notes what came as the supplier's answer: the core shortens customers' orders by the hub's policy. Nothing of a shortage
is written before its effect was shown on a page of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from starlette.responses import Response

from commensal import Invalid, Problem, Refused, Stale, Transaction, accounts_of_shop, read_whole
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, page_parts, status_of
from commensal.parts.mail import mails_of_purchase_order
from commensal.parts.supply import (
    CountedGoods,
    LineAnswer,
    PurchaseOrder,
    accounts_of_supplier,
    answer_purchase_order,
    closing_policy_of,
    cuts_of_answer,
    goods_of_order,
    keep_surplus,
    kept_of,
    locked_orders,
    mail_order,
    parts_of,
    pieces_of_lines,
    purchase_order_by_id,
    purchase_orders_of,
    reopen_purchase_order,
    shapings_of,
    tell_supplier,
    undelivered_at_session,
)

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back
from ..frame.render import show
from ..frame.sessions import chosen_session, recent_sessions, session_of_page

CAME, WHY = "came/", "why/"
_MOST = 200  # suppliers of one sale
_MORE = "{most} were ordered. If you could bring more, ask the hub: it may take them for its stock."
_LONGEST = 6  # digits of a number of pieces


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
        accounts = accounts_of_shop(tx, desk.enterprise.id, [session.id]) if orders and session else {}
        subject = session.id if session else ""
        added_parts = page_parts(tx, visit, "receive", desk.enterprise.id, desk.scopes, subject=subject)
    return show(
        visit,
        desk,
        "receive",
        at="receive",
        session=session,
        sessions=sessions,
        over=over,
        orders=sorted(orders, key=lambda order: order.supplier.casefold()),
        to_pay={supplier_id: account.delivered for (_, supplier_id), account in accounts.items()},
        untold=untold,
        shapings=shapings,
        told=visit.query.get("told", ""),
        added_parts=added_parts,
    )


def post_tell(visit: Visit) -> Response:
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
        own_stock = {bought.line_id: bought.pieces for bought in kept_of(tx, order.id)}
        goods = goods_of_order(order)
        over = order.ends_at <= tx.now
    template = "received" if "cuts" in context else "supplier"
    shown = {"shortage": policy.shortage, "lost": "1", **(typed or {})}
    return show(
        visit,
        desk,
        template,
        at="receive",
        status=status,
        order=order,
        over=over,
        mistakes=errors,
        goods=goods,
        typed=together(order, shown),
        may_answer=desk.may("orders:write") and not over,
        mailed="mailed" in visit.query,
        to_pay=account.delivered if account else order.total,
        reopened="reopened" in visit.query,
        confirming=visit.query.get("ask", ""),
        mails=mails,
        undelivered=[missing for missing in at_session if missing.purchase_order_id == order.id],
        stocked={each.id: sum(own_stock.get(line.id, 0) for line in each.lines) for each in goods},
        kept_now="kept" in visit.query,
        **context,
    )


def _order_of_path(tx: Transaction, visit: Visit, desk: Desk) -> PurchaseOrder:
    return purchase_order_by_id(tx, visit.path["purchase_order"], enterprise_id=desk.enterprise.id)


def post_order(visit: Visit) -> Response:
    """Does what the pressed button of a supplier's order is for: it all came, some did, ask again, mail it again."""
    if goes_back(visit):
        return order_page(visit, {"lost": "", **visit.form})
    if visit.query.get("then") == "mail":
        return _mail_again(visit)
    if visit.query.get("then") == "reopen":
        return _reopen(visit)
    if visit.query.get("then") == "all":
        return _answer(visit, None)
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
    """Notes what came line by line. What is missing is shown first, with whose orders it changes, and what is too much,
    with what becomes of it; then it is confirmed."""
    typed = {name: text.strip() for name, text in visit.form.items()}
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "orders:write")
            order = _order_of_path(tx, visit, desk)
            shortage: Any = typed.get("shortage") or None
            came = pieces_of_lines(tx, order, read_came(order, typed), shortage=shortage)
            answers = _answers_of(order, came, typed)
            missing = fewer_goods(order, answers, attrgetter("coming"))
            cuts = cuts_of_answer(tx, order, answers, shortage=shortage)
            surplus = _surplus(tx, order, came)
        more_to_pay = _more_to_pay(visit, order, came) if surplus else 0
    except Refused as error:
        return order_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if (missing or surplus) and visit.query.get("then") != "sure":
        return order_page(
            visit,
            typed,
            cuts=cuts,
            missing=missing,
            answers=answers,
            came=came,
            surplus=surplus,
            more_to_pay=more_to_pay,
        )
    return _answer(visit, answers, typed, came)


def _answer(
    visit: Visit,
    answers: Mapping[str, LineAnswer] | None,
    typed: Mapping[str, str] | None = None,
    came: Mapping[str, int] | None = None,
) -> Response:
    """Notes what came; without `answers` all that was to come, as the supplier has said or as it was ordered."""
    typed = typed if typed is not None else dict(visit.form)
    shortage: Any = typed.get("shortage") or None
    surplus: Mapping[str, int] = {}
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "orders:write")
            (order,) = locked_orders(tx, [_order_of_path(tx, visit, desk).id])
            if str(order.version) != typed.get("version"):
                raise Stale
            if answers is None:
                answers = {line.id: LineAnswer(confirmed=line.coming, reason=line.reason) for line in order.lines}
            answer_purchase_order(
                tx,
                visit.instance.hooks,
                order.id,
                answers,
                shortage=shortage,
                lost=bool(typed.get("lost")),
                received=True,
                by=visit.actor.person_id,
            )
            if typed.get("surplus") == "keep":
                surplus = _surplus(tx, order, came or {})
                pieces = {
                    line.id: max(0, (came or {})[line.id] - line.quantity) for line in order.lines if line.id in surplus
                }
                keep_surplus(tx, order.id, pieces, from_stock=bool(typed.get("from_stock")), by=visit.actor.person_id)
    except Refused as error:
        return order_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if surplus:
        return visit.redirect(f"{desk.address}/receive/{order.id}?kept=1")
    return visit.redirect(f"{desk.address}/receive?sale={order.session_id}&done={order.id}")


def _more_to_pay(visit: Visit, order: PurchaseOrder, came: Mapping[str, int]) -> int:
    """By how much what is owed to the supplier grows if what came beyond the order is kept, in minor units, with VAT
    and deposits."""
    with visit.write() as tx, tx.attempt() as attempt:
        before = accounts_of_shop(tx, order.enterprise_id, [order.session_id])
        keep_surplus(tx, order.id, _beyond(order, came), from_stock=False)
        after = accounts_of_shop(tx, order.enterprise_id, [order.session_id])
        attempt.rollback()
    key = (order.session_id, order.supplier_id)
    return after[key].owed.total - (before[key].owed.total if key in before else 0)


def _surplus(tx: Transaction, order: PurchaseOrder, came: Mapping[str, int]) -> dict[str, int]:
    """How many pieces more than before the shop would keep of each line; negative: fewer."""
    before = {goods.line_id: goods.pieces for goods in kept_of(tx, order.id)}
    more = {line_id: pieces - before.get(line_id, 0) for line_id, pieces in _beyond(order, came).items()}
    return {line_id: pieces for line_id, pieces in more.items() if pieces}


def _beyond(order: PurchaseOrder, came: Mapping[str, int]) -> dict[str, int]:
    """How many pieces beyond those ordered came of each line."""
    return {line.id: max(0, came[line.id] - line.quantity) for line in order.lines if line.id in came}


def read_came(order: PurchaseOrder, typed: Mapping[str, str]) -> dict[str, int]:
    """How many pieces came of each line that has a field, by its id. Raises `Invalid` with every mistake."""
    came, problems = dict[str, int](), list[Problem]()
    for line in order.lines:
        text = typed.get(f"{CAME}{line.id}")
        if text is None:
            continue
        if not text:
            problems.append(Problem("pieces", "Write how many come; 0 if none does.", f"/{CAME}{line.id}"))
        elif (pieces := read_whole(text, _LONGEST)) is None:
            problems.append(Problem("pieces", "Write a whole number of pieces, like 12.", f"/{CAME}{line.id}"))
        else:
            came[line.id] = pieces
    if problems:
        raise Invalid(problems)
    return came


def _answers_of(order: PurchaseOrder, came: Mapping[str, int], typed: Mapping[str, str]) -> dict[str, LineAnswer]:
    """The answer for each line: what came, up to what was ordered; without a field: as expected. Lines of the same
    goods have the reason of the first one, unless they have one of their own."""
    return {
        line.id: LineAnswer(
            confirmed=min(came.get(line.id, line.coming), line.quantity),
            reason=typed.get(f"{WHY}{line.id}", typed.get(f"{WHY}{goods.id}", "")),
        )
        for goods in goods_of_order(order)
        for line in goods.lines
    }


def together(order: PurchaseOrder, typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with the pieces of goods in the one field that a form has for all lines of them: the page that
    asks has divided them."""
    sums = dict(typed)
    for goods in goods_of_order(order):
        pieces = [read_whole(typed.get(f"{CAME}{line.id}", ""), _LONGEST) for line in goods.lines]
        if len(pieces) > 1 and None not in pieces:
            sums[f"{CAME}{goods.id}"] = str(sum(number or 0 for number in pieces))
    return sums


def fewer_goods(
    order: PurchaseOrder, answers: Mapping[str, LineAnswer], than: Callable[[CountedGoods], int]
) -> list[tuple[CountedGoods, int, str]]:
    """The goods of which fewer come than that, with the pieces that come and the reason."""
    return [
        (goods, comes, answers[goods.id].reason)
        for goods in goods_of_order(order)
        if (comes := sum(answers[line.id].confirmed for line in goods.lines)) < than(goods)
    ]


def read_answers(tx: Transaction, order: PurchaseOrder, typed: Mapping[str, str]) -> dict[str, LineAnswer]:
    """What a supplier says will come of each line, by its id; without a field: as expected. Raises `Invalid` with every
    mistake, and for more than was ordered."""
    came = pieces_of_lines(tx, order, read_came(order, typed))
    problems = [
        Problem("pieces", _MORE, f"/{CAME}{goods.id}", {"most": goods.quantity})
        for goods in goods_of_order(order)
        if sum(came.get(line.id, 0) for line in goods.lines) > goods.quantity
    ]
    if problems:
        raise Invalid(problems)
    return _answers_of(order, came, typed)
