"""What people may order who have not proved who they are, by the policy of the shop: see `enterprises.guest_policy`.

Their open orders are counted while the shop's counter of order numbers is held, so that two that come at once are both
counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, insert, select

from ...base.errors import Refused
from ...base.money import Money
from ...base.networks import network
from ...storage.database import Transaction
from ...storage.jobs import Promise
from ..enterprises.guest_policy import POLICY_COLUMNS, GuestPolicy, guest_policy_of
from ..enterprises.tables import enterprise, guest_policy
from ..people.fingerprint import fingerprint
from ..people.mailboxes import mailbox_of
from .identity import Identity
from .tables import customer_order, guest_order
from .values import Order

EXPIRE = "expire_guest_order"  # the kind of job; its handler is in `payments.unpaid_guests`
_row, _order = guest_order.c, customer_order.c


def _open(*whose: object) -> Select[Any]:
    """How many unpaid orders of guests the shop has that are still to be handed over."""
    waits = and_(_order.state.in_(("Held", "Complete")), _order.payment_state == "Unpaid")
    orders = select(func.count()).select_from(guest_order).join(customer_order, _order.id == _row.order_id)
    still = waits & (_order.fulfilment_state != "Fulfilled")
    return orders.where(_row.enterprise_id == bindparam("shop"), still, *whose)  # type: ignore[arg-type]


_STAND = (
    select(
        guest_policy.c.enterprise_id.label("chosen"),
        *POLICY_COLUMNS,
        _open(_row.mailbox == bindparam("mailbox")).scalar_subquery().label("of_mailbox"),
        _open(_row.network == bindparam("network")).scalar_subquery().label("of_network"),
    )
    .select_from(enterprise)
    .outerjoin(guest_policy, guest_policy.c.enterprise_id == enterprise.c.id)
    .where(enterprise.c.id == bindparam("shop"))
)
_NOTE = insert(guest_order)


@dataclass(frozen=True, kw_only=True)
class GuestTerms:
    """Until when an order of a guest stands: `confirm_by` unless its mailed link is followed, `pay_by` unless it is
    paid. UTC; None: for good."""

    confirm_by: datetime | None
    pay_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest who is about to order. `network` is "" where the order did not come over the network."""

    enterprise_id: str
    mailbox: str
    network: str
    terms: GuestTerms


def admit_guest(
    tx: Transaction, enterprise_id: str, *, email: str, client_address: str, total: int, currency: str
) -> Guest:
    """Whoever orders without a proved address, if the shop serves them. `total` is in minor units of `currency`.

    Raises `Refused` where it does not, or not so much, or not so many orders at a time.
    """
    mailbox = fingerprint(mailbox_of(email))
    where = network(client_address) if client_address else ""
    row = dict(tx.one(_STAND, {"shop": enterprise_id, "mailbox": mailbox, "network": where}))
    of_mailbox, of_network = row.pop("of_mailbox"), row.pop("of_network")
    policy = GuestPolicy(**row) if row.pop("chosen") is not None else GuestPolicy()
    if policy.guests == "no":
        text = "Here you order with an account whose e-mail address is confirmed. Log in, or confirm yours first."
        raise Refused("guests_not_served", text)
    _refuse_large(policy, total, currency)
    if of_mailbox >= policy.orders_of_mailbox or (where and of_network >= policy.orders_of_network):
        text = "Too many orders of guests wait to be paid. Pay or cancel one of yours first, or log in to order."
        raise Refused("too_many_guest_orders", text)
    confirm = tx.now + timedelta(minutes=policy.confirm_minutes) if policy.guests == "link" else None
    pay = tx.now + timedelta(hours=policy.unpaid_hours) if policy.unpaid_hours else None
    terms = GuestTerms(confirm_by=confirm, pay_by=pay)
    return Guest(enterprise_id=enterprise_id, mailbox=mailbox, network=where, terms=terms)


def note_guest(tx: Transaction, order_id: str, guest: Guest) -> Sequence[Promise]:
    """Writes the guest's order down, after the order itself. Returns the jobs that end it where its time is over."""
    values = {"enterprise_id": guest.enterprise_id, "mailbox": guest.mailbox, "network": guest.network}
    until = {"confirm_by": guest.terms.confirm_by, "pay_by": guest.terms.pay_by}
    tx.later(_NOTE, {"order_id": order_id, **values, **until, "placed_at": tx.now, "expired_at": None})
    said = {"order_id": order_id, "enterprise_id": guest.enterprise_id}
    return [Promise(EXPIRE, said, due_at) for due_at in until.values() if due_at is not None]


def refuse_larger_guest_order(tx: Transaction, order: Order) -> None:
    """For an order that a guest has just changed. Raises `Refused` where it leaves more unpaid than the shop allows."""
    if order.identity is Identity.BY_HUB or (order.person_id is not None and order.identity is Identity.PROVEN):
        return
    _refuse_large(guest_policy_of(tx, order.enterprise_id), order.total - order.paid_total, order.currency)


def guest_terms(tx: Transaction, order: Order) -> GuestTerms | None:
    """What an order of a guest still needs to stand; None for any other, and where it needs nothing more."""
    row = tx.first(select(_row.confirm_by, _row.pay_by).where(_row.order_id == order.id))
    if row is None or order.state == "Cancelled":
        return None
    confirm = row["confirm_by"] if order.identity is Identity.TYPED and order.paid_total == 0 else None
    pay = row["pay_by"] if order.payment_state == "Unpaid" else None
    return GuestTerms(confirm_by=confirm, pay_by=pay) if confirm or pay else None


def _refuse_large(policy: GuestPolicy, unpaid: int, currency: str) -> None:
    if policy.largest_unpaid is not None and unpaid > policy.largest_unpaid:
        text = "Guests may order for {most} here. Log in to order more."
        raise Refused("guest_order_too_large", text, most=Money(policy.largest_unpaid, currency))
