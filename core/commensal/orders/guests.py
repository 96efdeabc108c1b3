"""Limits the orders of guests, whose identity is not proven, by the shop's policy: `enterprises.guest_policy`.

Their open orders are counted while their mailbox and their network are locked, so that of two simultaneous orders the
second one counts the first. These locks come before those of stock and of the counter of order numbers, for which
everybody else waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, insert, or_, select, tuple_, update

from ..base.errors import Refused
from ..base.money import Money
from ..base.networks import network
from ..enterprises.guest_policy import POLICY_COLUMNS, GuestPolicy, guest_policy_of
from ..enterprises.tables import enterprise, guest_policy
from ..people.codes import fingerprint
from ..people.email import mailbox_of
from ..sale_sessions.tables import coordination_supplier
from ..storage.database import Row, RowQuery, Time, Transaction, lock_names
from ..storage.jobs import NewJob, enqueue_all
from .tables import customer_order, guest_order, order_line
from .values import Identity, Order, SaleContext

AFTER_CUT_OFF = timedelta(minutes=10)  # for those who order at the last moment; suppliers are told after it
EXPIRE = "expire_guest_order"  # the kind of job; its handler is in `payments.unpaid_guests`
_row, _order = guest_order.c, customer_order.c
_DEADLINES = select(_row.confirm_by, _row.pay_by).where(_row.order_id == bindparam("order"))


def _open(*conditions: ColumnElement[bool]) -> RowQuery:
    """Returns a statement that counts the shop's unpaid guest orders that are not handed over, under `conditions`."""
    unpaid = and_(_order.state.in_(("Held", "Complete")), _order.payment_state == "Unpaid")
    orders = select(func.count()).select_from(guest_order).join(customer_order, _order.id == _row.order_id)
    unpaid_and_open = unpaid & (_order.fulfilment_state != "Fulfilled")
    return orders.where(_row.enterprise_id == bindparam("shop"), unpaid_and_open, *conditions)


_STAND = (
    select(
        guest_policy.c.enterprise_id.label("chosen"),
        *POLICY_COLUMNS,
        _open(_row.mailbox == bindparam("mailbox")).scalar_subquery().label("of_mailbox"),
        _open(_row.network == bindparam("network")).scalar_subquery().label("of_network"),
        select(func.min(coordination_supplier.c.closes_at, type_=Time))
        .where(coordination_supplier.c.coordination_id == bindparam("coordination"))
        .where(coordination_supplier.c.closes_at > bindparam("now", type_=Time))
        .scalar_subquery()
        .label("cut_off"),
    )
    .select_from(enterprise)
    .outerjoin(guest_policy, guest_policy.c.enterprise_id == enterprise.c.id)
    .where(enterprise.c.id == bindparam("shop"))
)
_NOTE = insert(guest_order)


@dataclass(frozen=True, kw_only=True)
class GuestTerms:
    """When a guest's order expires: at `confirm_by` unless the link in its e-mail is followed, at `pay_by` unless it is
    paid. Both in UTC; None: never."""

    confirm_by: datetime | None
    pay_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest who is about to order. `network` is "" if the order did not come over the network."""

    enterprise_id: str
    mailbox: str
    network: str
    terms: GuestTerms


def ask_to_admit(
    tx: Transaction, shop: SaleContext, *, email: str, client_address: str, total: int
) -> Callable[[], Guest]:
    """Locks a guest's mailbox and network, and asks for the shop's policy. Returns a function that checks it and
    returns the guest. `total` is in minor units of the shop's currency.

    Until the transaction ends, other guests of this mailbox or network wait. Call it before rows are locked: the
    question is sent with the statement that locks the first of them, see `Transaction.ask`.

    The function raises `Refused` if the shop serves no guests, or if the total or the number of open orders is too
    high. Then the transaction must end without a commit.
    """
    mailbox = fingerprint(mailbox_of(email))
    client_network = network(client_address) if client_address else ""
    lock_names(tx, *(f"guest {shop.enterprise_id} {name}" for name in (mailbox, client_network) if name))
    keys = {"shop": shop.enterprise_id, "mailbox": mailbox, "network": client_network}
    stand = tx.ask(_STAND, {**keys, "coordination": shop.coordination_id, "now": tx.now})

    def admit() -> Guest:
        terms = _admit(tx, dict(stand()), bool(client_network), total, shop)
        return Guest(enterprise_id=shop.enterprise_id, mailbox=mailbox, network=client_network, terms=terms)

    return admit


def _admit(tx: Transaction, row: Row, over_network: bool, total: int, shop: SaleContext) -> GuestTerms:
    of_mailbox, of_network, own_cut_off = row.pop("of_mailbox"), row.pop("of_network"), row.pop("cut_off")
    policy = GuestPolicy(**row) if row.pop("chosen") is not None else GuestPolicy()
    if policy.guests == "no":
        text = "Here you order with an account whose e-mail address is confirmed. Log in, or confirm yours first."
        raise Refused("guests_not_served", text)
    _refuse_large(policy, total, shop.currency)
    if of_mailbox >= policy.orders_of_mailbox or (over_network and of_network >= policy.orders_of_network):
        text = "Too many orders of guests wait to be paid. Pay or cancel one of yours first, or log in to order."
        raise Refused("too_many_guest_orders", text)
    cut_off = min(shop.closes_at, own_cut_off or shop.closes_at)
    confirm_by = min(tx.now + timedelta(minutes=policy.confirm_minutes), max(cut_off, tx.now + AFTER_CUT_OFF))
    pay_by = tx.now + timedelta(hours=policy.unpaid_hours) if policy.unpaid_hours else None
    return GuestTerms(confirm_by=confirm_by if policy.guests == "link" else None, pay_by=pay_by)


def note_guest(tx: Transaction, order_id: str, guest: Guest) -> Sequence[NewJob]:
    """Records that the order is a guest's, after the order itself. Returns the jobs that end it at its deadlines."""
    values = {"enterprise_id": guest.enterprise_id, "mailbox": guest.mailbox, "network": guest.network}
    deadlines = {"confirm_by": guest.terms.confirm_by, "pay_by": guest.terms.pay_by}
    tx.later(_NOTE, {"order_id": order_id, **values, **deadlines, "placed_at": tx.now, "expired_at": None})
    payload = {"order_id": order_id, "enterprise_id": guest.enterprise_id}
    return [NewJob(EXPIRE, payload, due_at) for due_at in deadlines.values() if due_at is not None]


def refuse_larger_guest_order(tx: Transaction, order: Order) -> None:
    """Checks an order that a guest has just changed. Raises `Refused` if more is unpaid than the shop allows."""
    if order.identity is Identity.BY_HUB or (order.person_id is not None and order.identity is Identity.PROVEN):
        return
    _refuse_large(guest_policy_of(tx, order.enterprise_id), order.total - order.paid_total, order.currency)


def is_unconfirmed() -> ColumnElement[bool]:
    """Whether a row of `customer_order`, joined with its `guest_order`, still waits for the link in its e-mail to be
    followed: without that, or a payment, it is cancelled."""
    waits = and_(_order.identity == Identity.TYPED, _order.paid_total == 0, _row.confirm_by.is_not(None))
    return and_(waits, _order.state.in_(("Held", "Complete")), _order.fulfilment_state != "Fulfilled")


def awaits_confirmation() -> ColumnElement[bool]:
    """As `is_unconfirmed`, for a statement that does not join `guest_order`."""
    return select(_row.order_id).where(_row.order_id == _order.id, is_unconfirmed()).correlate(customer_order).exists()


_PART = tuple_(_order.session_id, order_line.c.supplier_id)
_UNCONFIRMED = (
    select(_row.order_id, _row.enterprise_id)
    .join(customer_order, _order.id == _row.order_id)
    .join(order_line, and_(order_line.c.order_id == _order.id, order_line.c.quantity > 0))
    .where(is_unconfirmed())
    .distinct()
)


def guest_terms(tx: Transaction, order: Order) -> GuestTerms | None:
    """Returns the deadlines that a guest's order must still meet; None for other orders, and if none is left."""
    row = tx.first(_DEADLINES, {"order": order.id})
    if row is None or order.state == "Cancelled":
        return None
    confirm_by = row["confirm_by"] if order.identity is Identity.TYPED and order.paid_total == 0 else None
    pay_by = row["pay_by"] if order.payment_state == "Unpaid" else None
    return GuestTerms(confirm_by=confirm_by, pay_by=pay_by) if confirm_by or pay_by else None


def note_confirmed(tx: Transaction, order_ids: Collection[str] | Select[tuple[str]]) -> None:
    """Records that the guests of these orders have shown that the address is theirs."""
    tx.execute(update(guest_order).where(_row.order_id.in_(order_ids)).values(confirmed_at=tx.now))


def confirmed_at(tx: Transaction, order_id: str) -> datetime | None:
    """Returns when the guest of an order has shown that the address is theirs, in one statement; None for other orders,
    and for those that versions before this one have confirmed."""
    moment = select(_row.confirmed_at).where(_row.order_id == order_id)
    return cast(datetime | None, tx.value(moment))


# ------------------------------------------------------------------------------------------------ at the cut-off


def end_time_of_guests(tx: Transaction, session_ids: Collection[str], parts: Collection[tuple[str, str]]) -> int:
    """Leaves guests `AFTER_CUT_OFF` to confirm their orders, or what is left of their time if that is less. Returns how
    many have less time now.

    It concerns orders at sessions that have closed, and those with goods of `parts`: sessions and suppliers of whom
    nothing can be ordered any more.
    """
    if not session_ids and not parts:
        return 0
    latest = tx.now + AFTER_CUT_OFF
    closed = or_(_order.session_id.in_(sorted(session_ids)), _PART.in_(sorted(parts)))
    rows = tx.all(_UNCONFIRMED.where(closed, _row.confirm_by > latest))
    if not rows:
        return 0
    ids = [row["order_id"] for row in rows]
    tx.execute(update(guest_order).where(_row.order_id.in_(ids)).values(confirm_by=latest))
    enqueue_all(tx, [NewJob(EXPIRE, row, latest) for row in rows])
    return len(rows)


def guests_confirm_by(tx: Transaction, session_id: str, supplier_id: str) -> datetime | None:
    """Returns until when guests may still confirm goods of this supplier; if that has passed, their orders are about to
    be cancelled. None: no order waits for its guest."""
    waiting = _UNCONFIRMED.where(_PART.in_([(session_id, supplier_id)]))
    latest = waiting.with_only_columns(func.max(_row.confirm_by, type_=Time))
    return cast(datetime | None, tx.value(latest))


def _refuse_large(policy: GuestPolicy, unpaid: int, currency: str) -> None:
    if policy.largest_unpaid is not None and unpaid > policy.largest_unpaid:
        text = "Guests may order for {most} here. Log in to order more."
        raise Refused("guest_order_too_large", text, most=Money(policy.largest_unpaid, currency))
