"""The books of a sale session: what is still open, closing them, and opening them again.

Closed books freeze what customers' orders cost and what suppliers are owed: no order of the session is changed,
weighed, cancelled or credited any more. Money goes on: who has not paid still owes it, and pays later. Books that are
opened again are counted by the rules of the version that runs then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import case, func, insert, select, update

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.texts import read_text
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.tables import adjustment, customer_order, order_line
from ...pricing.values import CUSTOMER
from ...sale_sessions.questions import sale_by_id
from ...sale_sessions.tables import sale_session
from ...sale_sessions.values import SaleSession
from ...storage.database import Transaction
from .purchase_prices import settle_costs, unsettle_costs
from .supplier_accounts import lock_orders, supplier_accounts
from .tables import session_books

_order, _line, _session, _books = customer_order.c, order_line.c, sale_session.c, session_books.c


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A session in numbers; amounts in minor units of the shop's currency.

    orders, total: placed and not cancelled
    paid:          received and not given back, also for cancelled orders: `total` less `paid` is `unpaid` less
                   `to_give_back`
    waiting:       orders that nobody has collected; `unweighed`: lines of which nobody knows the weight
    owed, settled: to suppliers, and what they were paid
    """

    orders: int
    total: int
    paid: int
    unpaid: int
    unpaid_orders: int
    to_give_back: int
    waiting: int
    unweighed: int
    owed: int
    settled: int


@dataclass(frozen=True, kw_only=True)
class BooksEntry:
    """That the books of a session were closed ("closed") or opened again ("opened again"), by whom, when and why."""

    kind: str
    figures: Figures
    reason: str
    at: datetime
    person_id: str


def figures_of(tx: Transaction, enterprise_id: str, session_id: str) -> Figures:
    """Returns a session of a shop in numbers, in four statements."""
    balance = _order.total - _order.paid_total
    stands = (_order.enterprise_id == enterprise_id, _order.session_id == session_id)
    going = (*stands, _order.state.in_(("Held", "Complete")))
    sums = tx.one(
        select(
            func.count().label("orders"),
            func.coalesce(func.sum(_order.total), 0).label("total"),
            func.coalesce(func.sum(case((balance > 0, balance), else_=0)), 0).label("unpaid"),
            func.coalesce(func.sum(case((balance > 0, 1), else_=0)), 0).label("unpaid_orders"),
            func.coalesce(func.sum(case((_order.fulfilment_state != "Fulfilled", 1), else_=0)), 0).label("waiting"),
        ).where(*going)
    )
    owed_back = case((_order.state == "Cancelled", _order.paid_total), (balance < 0, -balance), else_=0)
    received = tx.one(
        select(
            func.coalesce(func.sum(owed_back), 0).label("to_give_back"),
            func.coalesce(func.sum(_order.paid_total), 0).label("paid"),
        ).where(*stands, _order.state != "Draft")
    )
    unweighed = tx.value(
        select(func.count())
        .select_from(order_line)
        .join(customer_order, _order.id == _line.order_id)
        .where(*going, _line.weighed, _line.final_quantity.is_(None), _line.quantity > 0)
    )
    accounts = supplier_accounts(tx, enterprise_id, session_id, undelivered=())  # only their sums count here
    return Figures(
        **{name: int(value) for name, value in (*sums.items(), *received.items())},
        unweighed=unweighed,
        owed=sum(account.owed.total for account in accounts),
        settled=sum(account.paid for account in accounts),
    )


def paid_by_others(tx: Transaction, enterprise_id: str, session_id: str) -> int:
    """What others than customers pay of the orders of a session, in minor units: funds, works councils, gift cards. It
    is not in `Figures.total`."""
    amounts = (
        select(func.coalesce(func.sum(adjustment.c.amount), 0))
        .join(customer_order, _order.id == adjustment.c.order_id)
        .where(_order.enterprise_id == enterprise_id, _order.session_id == session_id)
        .where(_order.state.in_(("Held", "Complete")), adjustment.c.payer != CUSTOMER)
    )
    return -int(tx.value(amounts))


def is_done_early(session: SaleSession, figures: Figures, now: datetime, *, anyway: bool = False) -> bool:
    """Whether nothing of a session is left to do before its distribution is over: nobody can order any more, and every
    order is weighed and handed over; if `anyway`, then at least one of them."""
    handed_over = figures.orders - figures.waiting
    return session.closes_at <= now and handed_over > 0 and not figures.unweighed and (anyway or not figures.waiting)


def close_books(
    tx: Transaction, enterprise_id: str, session_id: str, *, person_id: str, anyway: bool = False
) -> BooksEntry:
    """Closes the books of a shop's session, with its figures.

    Waits for changes of its orders that are under way. Raises `NotFound` for a session of another shop; `Conflict` if
    they are closed, before the distribution is over, unless `is_done_early`; while the weight of something that was
    handed over is unknown; and, unless `anyway`, while goods wait for their customers.
    """
    lock_orders(tx, enterprise_id, session_id)
    session = sale_by_id(tx, session_id).session
    if session.enterprise_id != enterprise_id:
        raise NotFound
    if session.books_closed_at is not None:
        raise Conflict("books_closed", "The books of the sale {name} are closed already.", name=session.name)
    figures = figures_of(tx, enterprise_id, session_id)
    is_over = session.ends_at <= tx.now or session.cancelled_at is not None
    if not is_over and not is_done_early(session, figures, tx.now, anyway=anyway):
        raise Conflict("too_early", "The distribution is not over yet.")
    if figures.unweighed:
        text = "Lines that are not weighed: {number}. What they cost is an estimate. Weigh them or take them out first."
        raise Conflict("unweighed", text, number=figures.unweighed)
    if figures.waiting and not anyway:
        text = "Orders not collected: {number}. Hand them over or cancel them, or close the books all the same."
        raise Conflict("not_collected", text, number=figures.waiting)
    is_open = (_session.id == session_id, _session.books_closed_at.is_(None))
    if tx.execute(update(sale_session).where(*is_open).values(books_closed_at=tx.now)).rowcount != 1:
        raise Conflict("books_closed", "The books of the sale {name} are closed already.", name=session.name)
    settle_costs(tx, session_id)
    return _note(tx, enterprise_id, session_id, "closed", figures, "", person_id)


def open_books(tx: Transaction, enterprise_id: str, session_id: str, *, reason: str, person_id: str) -> BooksEntry:
    """Opens the books of a session again; the reason stays on record.

    Raises `NotFound`; `Invalid` without a reason; `Conflict` if they are open.
    """
    problems: list[Problem] = []
    reason = read_text(reason, "/reason", problems, least=1, most=500)
    if problems:
        raise Invalid(problems)
    is_closed = (_session.id == session_id, _session.enterprise_id == enterprise_id)
    closed = update(sale_session).where(*is_closed, _session.books_closed_at.is_not(None))
    if tx.execute(closed.values(books_closed_at=None)).rowcount != 1:
        raise Conflict("books_open", "The books of this sale are not closed.")
    unsettle_costs(tx, session_id)
    figures = figures_of(tx, enterprise_id, session_id)
    return _note(tx, enterprise_id, session_id, "opened again", figures, reason, person_id)


def history_of_books(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[BooksEntry]:
    """Returns when the books of a session were closed and opened again, the oldest first."""
    of_session = (_books.enterprise_id == enterprise_id, _books.session_id == session_id)
    rows = tx.all(select(session_books).where(*of_session).order_by(_books.id))
    return [
        BooksEntry(
            kind=row["kind"],
            figures=Figures(**row["figures"]),
            reason=row["reason"],
            at=row["at"],
            person_id=row["person_id"],
        )
        for row in rows
    ]


def _note(
    tx: Transaction, enterprise_id: str, session_id: str, kind: str, figures: Figures, reason: str, person_id: str
) -> BooksEntry:
    entry = BooksEntry(kind=kind, figures=figures, reason=reason, at=tx.now, person_id=person_id)
    row = {**asdict(entry), "id": tx.new_id(), "enterprise_id": enterprise_id, "session_id": session_id}
    tx.execute(insert(session_books).values(row))
    return entry


# Suppliers that are not to be paid by a file for the bank, because something does not agree.


def payment_holds(tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str) -> Mapping[str, Problem]:
    """Returns why suppliers are not to be paid for this sale, by supplier; empty where nothing is against it."""
    answers = hooks.each(specifications.payment_holds, None, tx=tx, enterprise_id=enterprise_id, session_id=session_id)
    return {hold.supplier_id: hold.reason for answer in answers for hold in answer.value or ()}
