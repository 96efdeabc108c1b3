"""Close the week: a list of what is missing, then the books of a sale are frozen until somebody opens them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from commensal import (
    Refused,
    SaleSession,
    Transaction,
    format_money,
    needs_second_person,
    plural,
    propose,
    supplier_accounts,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, page_parts, status_of
from commensal.parts.supply import (
    Figures,
    close_books,
    figures_of,
    history_of_books,
    is_done_early,
    open_books,
    paid_by_others,
    undelivered_at_session,
)
from commensal.parts.till import uncounted_of
from commensal.payments import payment_methods

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..frame.sessions import chosen_session, recent_sessions, session_of_page
from .conflicts import count_conflicts
from .second_person import BOOKS, PAGE


@dataclass(frozen=True, kw_only=True)
class ChecklistPoint:
    """A line of the list: what was looked at, and what is open, with the page on which it is settled.

    state: "done", "open" (it may stay open: it goes on to the next week) or "stops" (the books cannot be closed)
    """

    text: str
    state: str
    url: str = ""


def books_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
    tills = [method.id for method in payment_methods(visit.instance, desk.enterprise.id, "en") if method.in_till]
    with visit.read() as tx:
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, _over_first(sessions, tx))
        figures = figures_of(tx, desk.enterprise.id, session.id) if session else None
        others_pay = paid_by_others(tx, desk.enterprise.id, session.id) if session else 0
        history = history_of_books(tx, desk.enterprise.id, session.id) if session else ()
        points = list(_points(tx, visit, desk, session, figures, tills)) if session and figures else []
        added_parts = page_parts(tx, visit, "close", desk.enterprise.id, desk.scopes)
    return show(
        visit,
        desk,
        "books",
        at="money",
        status=status,
        session=session,
        sessions=sessions,
        figures=figures,
        others_pay=others_pay,
        points=points,
        history=history,
        added_parts=added_parts,
        mistakes=errors,
        reason=visit.form.get("reason", ""),
        stops=any(point.state == "stops" for point in points),
        done=visit.query.get("done", ""),
    )


def _over_first(sessions: list[SaleSession], tx: Transaction) -> list[SaleSession]:
    """The sessions that are over; all, if none is: the page is about one that can be closed."""
    return [session for session in sessions if session.ends_at <= tx.now][:1] or sessions


def _points(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, figures: Figures, tills: list[str]
) -> Iterator[ChecklistPoint]:
    yield from _about_goods(tx, visit, desk, session, figures)
    yield from _about_payments(tx, visit, desk, session, figures, tills)
    yield from _about_suppliers(tx, visit, desk, session)


def _about_goods(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, figures: Figures
) -> Iterator[ChecklistPoint]:
    if session.ends_at > tx.now and not is_done_early(session, figures, tx.now):
        text = translate(visit.language, "The hand-out is not over yet")
        stops = not is_done_early(session, figures, tx.now, anyway=True)
        yield ChecklistPoint(text=text, state="stops" if stops else "open")
    hand_out = f"{desk.address}/handout/{session.id}"
    if figures.unweighed:
        text = _count(visit, "{number} line is not weighed", "{number} lines are not weighed", figures.unweighed)
        yield ChecklistPoint(text=text, state="stops", url=f"{hand_out}?show=weigh")
    else:
        yield ChecklistPoint(text=translate(visit.language, "Everything is weighed"), state="done")
    if figures.waiting:
        text = _count(visit, "{number} order was not collected", "{number} orders were not collected", figures.waiting)
        yield ChecklistPoint(text=text, state="open", url=f"{hand_out}?show=left")
    else:
        yield ChecklistPoint(text=translate(visit.language, "Every order was collected"), state="done")


def _about_payments(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, figures: Figures, tills: list[str]
) -> Iterator[ChecklistPoint]:
    shop_id, money = desk.enterprise.id, f"{desk.address}/money"
    conflicts = count_conflicts(tx, shop_id)
    if conflicts:
        text = _count(visit, "{number} order was paid twice", "{number} orders were paid twice", conflicts)
        yield ChecklistPoint(text=text, state="open", url=money)
    uncounted = sum(uncounted_of(tx, shop_id, session.id, method) for method in tills)
    if uncounted:
        text = _count(
            visit,
            "{number} payment is not counted in the till",
            "{number} payments are not counted in the till",
            uncounted,
        )
        yield ChecklistPoint(text=text, state="open", url=f"{money}/till")
    elif tills and session.ends_at <= tx.now:  # money may still come at a hand-out that is not over
        yield ChecklistPoint(text=translate(visit.language, "The till is counted"), state="done")
    if figures.unpaid:
        text = _amount(visit, desk, "{amount} is not paid; it stays on the list", figures.unpaid)
        yield ChecklistPoint(text=text, state="open", url=money)
    else:
        yield ChecklistPoint(text=translate(visit.language, "Everybody has paid"), state="done")
    if figures.to_give_back:
        text = _amount(visit, desk, "{amount} is to be given back", figures.to_give_back)
        yield ChecklistPoint(text=text, state="open", url=f"{desk.address}/orders?sale={session.id}")


def _about_suppliers(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession) -> Iterator[ChecklistPoint]:
    suppliers = f"{desk.address}/money/suppliers?sale={session.id}"
    undelivered = undelivered_at_session(tx, desk.enterprise.id, session.id)
    if undelivered:
        text = "{amount} of missing goods is still on customers’ orders: change these orders before you close"
        text = _amount(visit, desk, text, sum(goods.amount for goods in undelivered))
        yield ChecklistPoint(text=text, state="open", url=f"{desk.address}/receive/{undelivered[0].purchase_order_id}")
    accounts = supplier_accounts(tx, desk.enterprise.id, session.id, undelivered=undelivered)
    left = sum(account.left_of_delivered for account in accounts)
    overpaid = sum(account.overpaid for account in accounts)
    if left:
        text = _amount(visit, desk, "{amount} is left to pay to suppliers", left)
        yield ChecklistPoint(text=text, state="open", url=suppliers)
    if overpaid:
        text = _amount(visit, desk, "{amount} too much was paid to suppliers", overpaid)
        yield ChecklistPoint(text=text, state="open", url=suppliers)
    if not left and not overpaid:
        yield ChecklistPoint(text=translate(visit.language, "Every supplier is paid"), state="done")


def _count(visit: Visit, singular: str, many: str, number: int) -> str:
    return plural(visit.language, singular, many, number).format(number=number)


def _amount(visit: Visit, desk: Desk, text: str, amount: int) -> str:
    money = format_money(amount, desk.enterprise.currency, visit.language)
    return translate(visit.language, text).format(amount=money)


def post_books(visit: Visit) -> Response:
    """Closes the books of the sale, or opens them again."""
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            session_id, person_id = visit.query.get("sale", ""), visit.actor.person_id or ""
            if visit.query.get("then") == "open":
                reason = visit.form.get("reason", "")
                if needs_second_person(tx, desk.enterprise.id):
                    _ask_to_open(tx, visit, desk, session_id, reason)
                    return visit.redirect(f"{desk.address}/{PAGE}?done=asked")
                open_books(tx, desk.enterprise.id, session_id, reason=reason, person_id=person_id)
            else:
                anyway = bool(visit.form.get("anyway"))
                close_books(tx, desk.enterprise.id, session_id, person_id=person_id, anyway=anyway)
    except Refused as error:
        return books_page(visit, mistakes(visit, error, lambda name: name == "reason"), status_of(error))
    return visit.redirect(f"{desk.address}/money/close?sale={session_id}&done=1")


def _ask_to_open(tx: Transaction, visit: Visit, desk: Desk, session_id: str, reason: str) -> None:
    """Asks a second person to open the books again, once they could be."""
    session = chosen_session(tx, desk.enterprise.id, session_id)
    with tx.attempt() as trial:
        open_books(tx, desk.enterprise.id, session.id, reason=reason, person_id=visit.actor.person_id or "")
        trial.rollback()
    content = {"sale": session.name, "reason": reason}
    propose(tx, desk.enterprise.id, BOOKS, session.id, content, actor=visit.actor)
