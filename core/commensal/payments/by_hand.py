"""Payments that a member of the shop records by hand: cash, bank transfers, refunds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from sqlalchemy import select

from ..base.errors import Conflict, Invalid, Problem
from ..base.money import Money
from ..instance import Instance
from ..orders.tables import customer_order
from ..storage.database import Transaction
from .due import locked_due, refuse_beyond_closed_books
from .methods import payment_methods
from .payments import payment_by_key, receive_payment
from .refunds import correct_payment, refund
from .tables import payment, payment_journal
from .values import JournalEntry, Payment


def methods_by_hand(instance: Instance, tx: Transaction, enterprise_id: str, order_id: str) -> frozenset[str]:
    """Returns the payment methods ("plugin:method") that a person may record for the order's customer.

    Asks plugins: call it outside of a transaction that writes.
    """
    conditions = (customer_order.c.id == order_id, customer_order.c.enterprise_id == enterprise_id)
    person_id = tx.value(select(customer_order.c.person_id).where(*conditions))
    methods = payment_methods(instance, enterprise_id, instance.settings.language, person_id=person_id)
    return frozenset(method.id for method in methods if method.by_hand)


def refuse_not_by_hand(method: str, allowed: Collection[str]) -> None:
    """Raises `Invalid`, naming the allowed methods, for one that may not be recorded by hand."""
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
    key: str = "",
) -> Payment:
    """Records that the person received `amount` minor units for a placed order by `method`.

    With a `key`, the caller's name for this payment, the same payment is recorded once, however often it comes.
    Raises `NotFound`; `Invalid` if the method is not among the `allowed`; `Conflict` if the amount is more than is due,
    unless it is to be recorded `anyway` and the books of the sale are open.
    """
    refuse_not_by_hand(method, allowed)
    order = locked_due(tx, enterprise_id, order_id)
    recorded = payment_by_key(tx, enterprise_id, key) if key else None
    is_again = recorded is not None and recorded.state == "Done"  # whether the content is the same is checked below
    if amount > max(0, order.balance) and not is_again:
        if not anyway:
            text = "Only {due} is due for this order; say that more is meant to be recorded, if it is."
            raise Conflict("more_than_due", text, due=Money(max(0, order.balance), order.currency))
        refuse_beyond_closed_books(tx, order_id)
    return receive_payment(
        tx,
        enterprise_id=enterprise_id,
        order_id=order_id,
        method=method,
        amount=amount,
        idempotency_key=key or tx.new_id(),
        person_id=person_id,
        reference=reference,
    )


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
    key: str = "",
) -> Payment:
    """Records that the person gave `amount` minor units back by `method`; with a `key`, once however often it comes.

    Raises `NotFound`; `Invalid` if the method is not among the `allowed`; `Conflict` if the amount is more than is
    owed, or with `anyway`, more than was received, or the books of the sale are closed.
    """
    refuse_not_by_hand(method, allowed)
    return refund(
        tx,
        enterprise_id=enterprise_id,
        order_id=order_id,
        method=method,
        amount=amount,
        idempotency_key=key or tx.new_id(),
        person_id=person_id,
        reference=reference,
        anyway=anyway,
    )


def refunds_of_amount(
    tx: Transaction, enterprise_id: str, method: str, amount: int, *, limit: int = 20
) -> list[Payment]:
    """Returns the shop's latest refunds by `method` of just this amount in minor units, the newest first. Not those
    that are under way, that a provider has sent, or that were taken back. One statement."""
    statement = select(*(payment.c[field.name] for field in fields(Payment))).where(
        payment.c.enterprise_id == enterprise_id,
        payment.c.kind == "refund",
        payment.c.method == method,
        payment.c.amount == amount,
        payment.c.state == "Done",
        payment.c.refunds.is_(None),
    )
    return [Payment(**row) for row in tx.all(statement.order_by(payment.c.id.desc()).limit(limit))]


def recorded_by_hand(tx: Transaction, enterprise_id: str, order_id: str) -> frozenset[str]:
    """Returns the ids of an order's payments and refunds that a person has recorded and may take back.

    Not those that a plugin has recorded for something of its own, like a line of a bank statement: it is taken back
    there. Their keys begin with the plugin's name. One statement.
    """
    journal = payment_journal.c
    statement = (
        select(payment.c.id, payment.c.method, payment.c.idempotency_key)
        .join_from(payment, payment_journal, journal.payment_id == payment.c.id)
        .where(payment.c.enterprise_id == enterprise_id, payment.c.order_id == order_id, payment.c.state == "Done")
        .where(payment.c.refunds.is_(None), journal.kind != "correction", journal.person_id.is_not(None))
    )
    return frozenset(
        row["id"]
        for row in tx.all(statement)
        if not row["idempotency_key"].startswith(f"{row['method'].partition(':')[0]}:")
    )


def take_back(tx: Transaction, enterprise_id: str, order_id: str, payment_id: str, *, person_id: str) -> JournalEntry:
    """Takes back by an opposite entry what a person has recorded by mistake: a payment, or money given back.

    Raises `Conflict` for what is not in `recorded_by_hand`, as after it was taken back; and for a payment whose money
    was given back since.
    """
    locked_due(tx, enterprise_id, order_id)
    if payment_id not in recorded_by_hand(tx, enterprise_id, order_id):
        raise Conflict("not_by_hand", "This entry cannot be taken back here, or somebody has taken it back already.")
    return correct_payment(tx, enterprise_id, payment_id, person_id=person_id)
