"""What an order still costs its customer, and the ways to pay it that people record."""

from __future__ import annotations

from collections.abc import Iterable

from commensal import Order, PaymentMethod
from commensal.pages import Visit
from commensal.payments import payment_methods_of_order


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
