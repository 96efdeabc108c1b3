"""Money that a member of the shop writes down: what was handed over, seen on the account, or given back."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from ...base.errors import Conflict, Invalid, Problem
from ...base.money import Money
from ...instance import Instance
from ...storage.database import Transaction
from ..orders.tables import customer_order
from .due import held_due
from .methods import payment_methods
from .payments import receive_payment
from .refunds import refund
from .values import Payment


def methods_by_hand(instance: Instance, tx: Transaction, enterprise_id: str, order_id: str) -> frozenset[str]:
    """The shop's ways to pay ("plugin:method") whose plugins let a person record them, for the order's customer.

    Asks plugins: call it outside of a transaction that writes.
    """
    mine = (customer_order.c.id == order_id, customer_order.c.enterprise_id == enterprise_id)
    person_id = tx.value(select(customer_order.c.person_id).where(*mine))
    offered = payment_methods(instance, enterprise_id, instance.settings.language, person_id=person_id)
    return frozenset(one.id for one in offered if one.by_hand)


def refuse_not_by_hand(method: str, allowed: Collection[str]) -> None:
    """Raises `Invalid` for a way to pay that is not among those that may be recorded by hand, naming them."""
    if method not in allowed:
        text = "{method} cannot be recorded by hand; what can is: {methods}."
        values = {"method": method[:81], "methods": ", ".join(sorted(allowed)) or "–"}
        raise Invalid([Problem("not_by_hand", text, "/method", values)])


def record_received(
    tx: Transaction,
    *,
    enterprise_id: str,
    order_id: str,
    method: str,
    amount: int,
    person_id: str,
    allowed: Collection[str],
    reference: str = "",
    anyway: bool = False,
) -> Payment:
    """Writes down that the person received `amount` minor units for a placed order by `method`.

    Raises `NotFound`; `Invalid` where the method is not among the `allowed`; `Conflict` where more came than is due,
    unless it is to be recorded `anyway`.
    """
    refuse_not_by_hand(method, allowed)
    order = held_due(tx, enterprise_id, order_id)
    due = max(0, order.balance)
    if amount > due and not anyway:
        text = "Only {due} is due for this order; say that more is meant to be recorded, if it is."
        raise Conflict("more_than_due", text, due=Money(due, order.currency))
    return receive_payment(
        tx, enterprise_id=enterprise_id, order_id=order_id, method=method, amount=amount,
        idempotency_key=tx.new_id(), person_id=person_id, reference=reference,
    )  # fmt: skip


def record_given_back(
    tx: Transaction,
    *,
    enterprise_id: str,
    order_id: str,
    method: str,
    amount: int,
    person_id: str,
    allowed: Collection[str],
    reference: str = "",
    anyway: bool = False,
) -> Payment:
    """Writes down that the person gave `amount` minor units back by `method`: no more than is owed, or, `anyway`, than
    was received. Raises `NotFound`, `Invalid` where the method is not among the `allowed`, `Conflict`.
    """
    refuse_not_by_hand(method, allowed)
    return refund(
        tx, enterprise_id=enterprise_id, order_id=order_id, method=method, amount=amount,
        idempotency_key=tx.new_id(), person_id=person_id, reference=reference, anyway=anyway,
    )  # fmt: skip
