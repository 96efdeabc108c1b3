"""Which sale a page is about, with the slots of its orders, and what is still due for an order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from commensal import (
    NotFound,
    Order,
    OrderSummary,
    PaymentMethod,
    SaleSession,
    ShippingOption,
    Transaction,
    sale_by_id,
    sessions_of_shop,
)
from commensal.orders import offered_shipping
from commensal.pages import Visit
from commensal.payments import payment_methods_of_order

from .desk import Desk

RECENT = 20  # sales of a shop among which a page chooses
_AFTERWARDS = timedelta(days=2)  # a sale matters until its hand-out has been over for so long


def recent_sessions(tx: Transaction, enterprise_id: str) -> list[SaleSession]:
    """The shop's latest sessions that were not cancelled, by their distribution, the latest first."""
    sessions = sessions_of_shop(tx, enterprise_id, limit=RECENT)
    return sorted(
        (each for each in sessions if each.cancelled_at is None), key=lambda each: each.begins_at, reverse=True
    )


def current_session(sessions: Sequence[SaleSession], now: datetime) -> SaleSession | None:
    """The session that matters now: the next to be distributed of those that have opened, or are just over; else the
    next one to open, else the last one."""
    earliest_first = sorted(sessions, key=lambda each: each.begins_at)
    begun = [each for each in earliest_first if each.opens_at <= now < each.ends_at + _AFTERWARDS]
    coming = [each for each in earliest_first if now < each.opens_at]
    candidates = begun or coming or earliest_first[-1:]
    return candidates[0] if candidates else None


def session_of_page(
    tx: Transaction, visit: Visit, enterprise_id: str, sessions: Sequence[SaleSession]
) -> SaleSession | None:
    """The session that the query names (``?sale=``), or the one of `sessions` that matters now. Raises `NotFound`."""
    named = visit.query.get("sale", "")
    return chosen_session(tx, enterprise_id, named) if named else current_session(sessions, tx.now)


def session_before(sessions: Sequence[SaleSession], session: SaleSession) -> SaleSession | None:
    """The session that was distributed before this one, of the same name if there is one: a shop may have several kinds
    of sale, or name each one."""
    earlier = [each for each in sessions if each.begins_at < session.begins_at]
    of_its_kind = [each for each in earlier if each.name == session.name]
    return max(of_its_kind or earlier, key=lambda each: each.begins_at, default=None)


def session_after(sessions: Sequence[SaleSession], session: SaleSession) -> SaleSession | None:
    """The next sale of the same name that opens after this one: a shop may have several kinds of sale."""
    later = [each for each in sessions if each.opens_at > session.opens_at and each.name == session.name]
    return min(later, key=lambda each: each.opens_at, default=None)


def chosen_session(tx: Transaction, enterprise_id: str, session_id: str) -> SaleSession:
    """The shop's session with this id. Raises `NotFound` for an unknown one, and for that of another shop."""
    session = sale_by_id(tx, session_id).session
    if session.enterprise_id != enterprise_id:
        raise NotFound
    return session


# The slots of a sale, in which customers collect their orders or are visited: how pages name and sort them.

Offered = Mapping[str, ShippingOption]  # by "plugin:id"


def slots_of_sale(tx: Transaction, visit: Visit, desk: Desk, session_id: str) -> dict[str, ShippingOption]:
    """The ways to receive an order of the sale, by "plugin:option", in the reader's language; an order has its own in
    the hub's."""
    return offered_shipping(tx, visit.instance.hooks, desk.enterprise.id, session_id, visit.language)


def by_slot(orders: Sequence[OrderSummary]) -> dict[str, list[OrderSummary]]:
    """The orders by the slot in which they are collected or delivered."""
    slots: dict[str, list[OrderSummary]] = {}
    for order in orders:
        slots.setdefault(order.shipping, []).append(order)
    return slots


def slot_label(order: OrderSummary | Order, offered: Offered) -> str:
    """The name of an order's slot as it is offered today, in the reader's language; else as the order has it."""
    option = offered.get(order.shipping)
    return option.label if option is not None else order.shipping_label


def slot_order(order: OrderSummary, offered: Offered) -> tuple[object, ...]:
    """A key that sorts slots by time, those that begin together by name, and those that nobody offers any more last."""
    option = offered.get(order.shipping)
    return option is None, option.begins_at if option else order.placed_at, natural_order(slot_label(order, offered))


def natural_order(text: str) -> list[tuple[int, str]]:
    """A key that sorts the numbers in a text by their value: 9:00 before 16:45."""
    return [(int(part), "") if part.isdecimal() else (0, part.casefold()) for part in re.split(r"(\d+)", text)]


# What an order still costs its customer, and the ways to pay it that people record.


def due_of(order: Order) -> int:
    """What the customer still pays, in minor units; negative: they get it back."""
    return (0 if order.state == "Cancelled" else order.total) - order.paid_total


def by_hand(methods: Iterable[PaymentMethod]) -> list[PaymentMethod]:
    """Those of the ways to pay that people record."""
    return [method for method in methods if method.by_hand]


def cash_first(methods: Iterable[PaymentMethod]) -> list[PaymentMethod]:
    """The ways to pay as the table at the hand-out lists them."""
    return sorted(methods, key=lambda method: not method.id.startswith("cash:"))


def methods_by_hand(visit: Visit, order: Order) -> list[PaymentMethod]:
    """The ways to pay this order that people record, cash first."""
    return cash_first(by_hand(payment_methods_of_order(visit.instance, order, visit.language)))
