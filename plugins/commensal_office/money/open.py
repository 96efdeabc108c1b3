"""What is open on a day, over all sales: what customers, suppliers and plugins have not settled. Cents are written off
with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from starlette.responses import Response

from commensal import (
    Invalid,
    PagePart,
    Problem,
    Refused,
    Transaction,
    needs_second_person,
    order_by_id,
    propose,
    read_day,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, page_parts, status_of
from commensal.parts.distribution import UnsettledOrder, open_order_sums, open_orders
from commensal.parts.supply import UnsettledAccount, open_accounts
from commensal.parts.till import MOST_WRITTEN_OFF, may_write_off, write_cents_off

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..frame.sessions import due_of
from .second_person import PAGE as SECOND_PERSON
from .second_person import WRITE_OFF

PAGE = "money/open"
LISTED = 200  # orders


@dataclass(frozen=True, kw_only=True)
class Open:
    """What is open. Amounts are minor units of the shop's currency, at least 0.

    due:     what customers still owe; owed: what they get back
    orders:  the oldest of their orders, `LISTED` at most; none for the week
    to_pay:  what suppliers are still owed; overpaid: what they were paid too much
    parts:   what plugins add, in words
    """

    due: int
    owed: int
    orders: Sequence[UnsettledOrder]
    accounts: Sequence[UnsettledAccount]
    parts: Sequence[PagePart]

    @property
    def to_pay(self) -> int:
        return sum(account.to_pay for account in self.accounts if account.to_pay > 0)

    @property
    def overpaid(self) -> int:
        return -sum(account.to_pay for account in self.accounts if account.to_pay < 0)

    @property
    def is_anything(self) -> bool:
        return bool(self.due or self.owed or self.accounts or self.urgent)

    @property
    def urgent(self) -> list[str]:
        return [line.text for part in self.parts for line in part.lines if line.urgent]


def open_on(tx: Transaction, visit: Visit, desk: Desk, day: date | None = None, *, listed: int = 0) -> Open:
    """What was open at the end of a day of the shop, or is open now, with so many orders."""
    shop = desk.enterprise
    until = tx.now
    if day is not None:
        until = min(until, datetime.combine(day + timedelta(days=1), time.min, shop.zone) - timedelta(microseconds=1))
    subject = (day or shop.date_at(tx.now)).isoformat()
    due, owed = open_order_sums(tx, shop.id, until)
    return Open(
        due=due,
        owed=owed,
        orders=open_orders(tx, shop.id, until, limit=listed) if listed else (),
        accounts=open_accounts(tx, shop.id, until),
        parts=page_parts(tx, visit, "open", shop.id, desk.scopes, subject=subject),
    )


def open_page(visit: Visit) -> Response:
    errors, status, day = NO_MISTAKES, 200, None
    try:
        day = _day(visit)
    except Invalid as error:
        errors, status = mistakes(visit, error, {"day"}.__contains__), status_of(error)
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        today = desk.enterprise.date_at(tx.now)
        past = day if day is not None and day < today else None
        opened = open_on(tx, visit, desk, past, listed=LISTED)
    return show(
        visit,
        desk,
        "open",
        at="money",
        status=status,
        mistakes=errors,
        open=opened,
        on=past,
        typed={"day": visit.query.get("day", "") or today.isoformat()},
        most=MOST_WRITTEN_OFF,
        is_cut=len(opened.orders) == LISTED,
        done=visit.query.get("done", ""),
    )


def _day(visit: Visit) -> date | None:
    if not (text := visit.query.get("day", "").strip()):
        return None
    try:
        return read_day(text)
    except ValueError:
        raise Invalid([Problem("day", "Give a day, like 2026-06-30.", "/day")]) from None


# ------------------------------------------------------------------------------------------------ written off


def write_off_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        second, due = needs_second_person(tx, desk.enterprise.id), due_of(order)
        possible = bool(due) and may_write_off(tx, desk.enterprise.id, order.id, due)
    return show(
        visit,
        desk,
        "write_off",
        at="money",
        status=status,
        order=order,
        due=due,
        possible=possible,
        second=second,
        most=MOST_WRITTEN_OFF,
        typed={"reason": visit.form.get("reason", "")},
        mistakes=errors,
    )


def post_write_off(visit: Visit) -> Response:
    """Writes the cents off that the page has shown, or asks a second person to."""
    reason, order_id = visit.form.get("reason", ""), visit.path["order"]
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            shop, order = desk.enterprise.id, order_by_id(tx, order_id, enterprise_id=desk.enterprise.id)
            now_due = due_of(order)
            due = now_due if visit.form.get("due", "") == str(now_due) else 0
            asks = needs_second_person(tx, shop)
            with tx.attempt() as attempt:
                write_cents_off(tx, shop, order_id, due=due, reason=reason, person_id=visit.actor.person_id or "")
                if asks:
                    attempt.rollback()
            if asks:
                content = {"order": order.number, "due": due, "currency": order.currency, "reason": reason.strip()}
                propose(tx, shop, WRITE_OFF, order_id, content, actor=visit.actor)
    except Refused as error:
        return write_off_page(visit, mistakes(visit, error, {"reason"}.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/{SECOND_PERSON}?done=asked" if asks else f"{desk.address}/{PAGE}?done=1")
