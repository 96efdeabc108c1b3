"""The slots of a sale, in which customers collect their orders or are visited: how pages name and sort them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from commensal import Order, OrderSummary, ShippingOption, Transaction
from commensal.orders import offered_shipping
from commensal.pages import Visit

from .desk import Desk

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
