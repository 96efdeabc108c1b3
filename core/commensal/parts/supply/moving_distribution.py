"""Moves the distribution of a sale that has orders to other times, and tells everybody who was told the old ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter

from sqlalchemy import select, update

from ...base.errors import Conflict, Invalid, Problem, Stale
from ...base.texts import read_text
from ...enterprises.enterprises import enterprise_by_id
from ...events.announce import announce
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import ShippingOption
from ...orders.shipping import offered_shipping
from ...orders.tables import customer_order
from ...sale_sessions.questions import session_by_id
from ...sale_sessions.rhythm import shifted
from ...sale_sessions.sessions import lock_uncancelled, move_along, session_problems
from ...sale_sessions.tables import sale_session
from ...sale_sessions.values import Coordination, SaleSession
from ...storage.database import Transaction, edit_row
from ...storage.jobs import NewJob, enqueue_all
from ..sale_calendar.slots import moved_span
from .purchase_orders import MAIL, mail_order, purchase_orders_of
from .reminding import remind_anew
from .tables import purchase_order
from .withdrawing import LONGEST_REASON

Span = tuple[datetime, datetime]
_MOST_SUPPLIERS = 500  # of one sale
_TIMES = ("begins_at", "ends_at", "planned_begins_at", "planned_ends_at")
_order = customer_order.c


@dataclass(frozen=True, kw_only=True)
class MovedOrder:
    """An order that follows the distribution. `before` and `after` are the times (UTC) of its slot, or else of the
    distribution; the labels name its slot in the language of the shop, "" without one. `email` may be empty."""

    order_id: str
    number: int
    name: str
    email: str
    phone: str
    language: str
    shipping: str
    before: Span
    after: Span
    label_before: str
    label_after: str


@dataclass(frozen=True, kw_only=True)
class MovedDistribution:
    """A session before and after it was moved, its orders with other times, by time and number, and the names of the
    suppliers of this instance whose orders were revised."""

    before: SaleSession
    session: SaleSession
    orders: tuple[MovedOrder, ...]
    suppliers: tuple[str, ...]


def move_distribution(
    tx: Transaction,
    hooks: Hooks,
    session_id: str,
    coordinator_id: str,
    version: int,
    begins_at: datetime,
    *,
    ends_at: datetime | None = None,
    reason: str = "",
) -> MovedDistribution:
    """Gives the distribution of a session other times (aware), also after its closing. All slots keep their distance to
    its beginning in the shop's local time, and the next sale of the series keeps the planned day. `ends_at` None: it
    lasts as long as before.

    Customers whose time changes get one e-mail each with the old and the new one, and the `reason` if there is one;
    suppliers that were told get a revision of their order, and the reminder goes out on the new evening before.

    Raises `NotFound`, `Stale`, `Invalid`, for example if it would begin before the closing; `Conflict` for a cancelled
    sale, once an order was handed over or the books are closed, for the times that it has already, if an order's slot
    would lie outside it or before the closing, or if a plugin cannot move a slot; `PluginError`.
    """
    sale, purchases = _lock(tx, session_id, coordinator_id)
    before = session_by_id(tx, session_id, coordinator_id)
    if before.version != version:
        raise Stale
    _refuse_unless_movable(tx, before)
    shop = enterprise_by_id(tx, before.enterprise_id)
    changed = _with_times(before, shop.timezone, begins_at, ends_at)
    reason = _read(tx, before, changed, sale, reason)
    offered = partial(offered_shipping, tx, hooks, shop.id, session_id, shop.language)
    slots_before = offered()
    values = {name: getattr(changed, name) for name in _TIMES}
    edit_row(tx, sale_session, sale_session.c.id == session_id, version=version, values=values)
    session = session_by_id(tx, session_id, coordinator_id)
    move_along(tx, hooks, before, session, orders_follow=True)
    moved = _moved_orders(tx, before, session, slots_before, offered())
    _refuse_misplaced(moved, before, session)
    _write(tx, session, moved)
    _tell_customers(tx, moved, reason)
    _tell_suppliers(tx, purchases, before)
    remind_anew(tx, session, shop.timezone)
    return MovedDistribution(before=before, session=session, orders=tuple(moved), suppliers=tuple(purchases.values()))


def _lock(tx: Transaction, session_id: str, coordinator_id: str) -> tuple[Coordination, Mapping[str, str]]:
    """Locks the sale, which orders hold while they are placed; then orders to suppliers, then those of customers that
    stand, as everywhere; plugins lock slots after them. Returns the sale, and names of suppliers by purchase order."""
    session = session_by_id(tx, session_id, coordinator_id)
    sale = lock_uncancelled(tx, session.coordination_id, coordinator_id)
    if tx.postgresql:  # on SQLite the transaction holds the whole database
        purchase = purchase_order.c
        of_session = select(purchase.id).where(purchase.session_id == session_id)
        tx.execute(of_session.order_by(purchase.id).with_for_update())
        stand = (_order.session_id == session_id, _order.state.in_(("Held", "Complete")))
        tx.execute(select(_order.id).where(*stand).order_by(_order.id).with_for_update())
    purchases = purchase_orders_of(tx, session.enterprise_id, session_id=session_id, limit=_MOST_SUPPLIERS)
    return sale, {purchase.id: purchase.supplier for purchase in purchases}


def _with_times(before: SaleSession, timezone: str, begins_at: datetime, ends_at: datetime | None) -> SaleSession:
    move = partial(shifted, timezone=timezone, start=before.begins_at, new_start=begins_at)
    begins, ends = moved_span(move, before.begins_at, before.ends_at)
    ends = ends if ends_at is None else ends_at
    plan = (None, None) if before.plan == (begins, ends) else before.plan
    return replace(before, begins_at=begins, ends_at=ends, planned_begins_at=plan[0], planned_ends_at=plan[1])


def _refuse_unless_movable(tx: Transaction, session: SaleSession) -> None:
    if session.books_closed_at is not None:
        text = "The books of the sale {name} are closed. Open them again first."
        raise Conflict("books_closed", text, name=session.name)
    handed_over = (_order.session_id == session.id, _order.fulfilment_state == "Fulfilled")
    if tx.first(select(_order.id).where(*handed_over).limit(1)):
        raise Conflict("handed_over", "Orders were handed over already. Move the others to another slot.")


def _read(tx: Transaction, before: SaleSession, changed: SaleSession, sale: Coordination, reason: str) -> str:
    """Checks the new times, and returns the reason as it is told. Raises `Invalid`, and `Conflict` for the times
    that the distribution has."""
    if (changed.begins_at, changed.ends_at) == (before.begins_at, before.ends_at):
        raise Conflict("same_times", "The distribution has these times already.")
    problems: list[Problem] = []
    if changed.begins_at <= tx.now:
        problems.append(Problem("passed", "This moment has passed.", "/begins_at"))
    elif changed.begins_at < changed.closes_at:
        text = "Customers can still order then. Let it begin after the closing, or close the sale earlier."
        problems.append(Problem("begins_before_closing", text, "/begins_at"))
    problems += session_problems(changed, sale)
    reason = read_text(reason, "/reason", problems, most=LONGEST_REASON)
    if problems:
        raise Invalid(problems)
    return reason


def _moved_orders(
    tx: Transaction,
    before: SaleSession,
    session: SaleSession,
    slots_before: Mapping[str, ShippingOption],
    slots: Mapping[str, ShippingOption],
) -> list[MovedOrder]:
    """The orders whose times are others now, by their new time and number."""
    names = ("number", "name", "email", "phone", "language", "shipping")
    columns = (_order.id.label("order_id"), *(_order[name] for name in names))
    stand = (_order.session_id == session.id, _order.state.in_(("Held", "Complete")))
    orders = []
    for row in tx.all(select(*columns).where(*stand)):
        then, now = slots_before.get(row["shipping"]), slots.get(row["shipping"])
        moved = MovedOrder(
            **row,
            before=_span(then or before),
            after=_span(now or session),
            label_before=then.label if then else "",
            label_after=now.label if now else "",
        )
        if moved.before != moved.after:
            orders.append(moved)
    return sorted(orders, key=attrgetter("after", "shipping", "number"))


def _span(times: ShippingOption | SaleSession) -> Span:
    return times.begins_at, times.ends_at


def _refuse_misplaced(orders: Sequence[MovedOrder], before: SaleSession, session: SaleSession) -> None:
    """Raises `Conflict` for an order that would come before it is final, or outside the distribution as it did not."""
    for order in orders:
        (begins_at, ends_at), label = order.after, order.label_after or str(order.number)
        if begins_at < session.closes_at:
            text = "{slot} would lie before the closing. Let the hand-out begin later, or move its orders first."
            raise Conflict("slot_before_closing", text, slot=label)
        was_inside = before.begins_at <= order.before[0] and order.before[1] <= before.ends_at
        if was_inside and not (session.begins_at <= begins_at and ends_at <= session.ends_at):
            text = "{slot} would lie outside the hand-out. Let it last longer, or move its orders first."
            raise Conflict("slot_outside", text, slot=label)


def _write(tx: Transaction, session: SaleSession, orders: Sequence[MovedOrder]) -> None:
    """Gives orders the new label of their slot, and their next version, by which calendars know a newer event."""
    by_slot = attrgetter("shipping", "label_after")
    for (shipping, label), _ in groupby(sorted(orders, key=by_slot), by_slot):
        labelled = {"shipping_label": label} if label else {}
        of_slot = (_order.session_id == session.id, _order.state.in_(("Held", "Complete")), _order.shipping == shipping)
        values = {**labelled, "changed_at": tx.now, "version": _order.version + 1}
        tx.execute(update(customer_order).where(*of_slot).values(values))


def _tell_customers(tx: Transaction, orders: Sequence[MovedOrder], reason: str) -> None:
    """Enqueues an e-mail to each customer with an address, and tells plugins that the orders have changed."""
    mails = [
        {
            "kind": "order_moved",
            "order_id": order.order_id,
            "to": order.email,
            "language": order.language,
            "was": [moment.isoformat() for moment in order.before],
            "reason": reason,
        }
        for order in orders
        if order.email
    ]
    enqueue_all(tx, [NewJob(MAIL, mail) for mail in mails])
    announce(tx, specifications.order_changed, customer_order, _order.id.in_([order.order_id for order in orders]))


def _tell_suppliers(tx: Transaction, purchase_order_ids: Mapping[str, str], before: SaleSession) -> None:
    """Revises orders that suppliers of this instance have got: the pieces stay, the day is another one."""
    purchase = purchase_order.c
    revised = {"revision": purchase.revision + 1, "changed_at": tx.now, "version": purchase.version + 1}
    tx.execute(update(purchase_order).where(purchase.id.in_(list(purchase_order_ids))).values(revised))
    for order_id in purchase_order_ids:
        mail_order(tx, order_id, was=_span(before))
