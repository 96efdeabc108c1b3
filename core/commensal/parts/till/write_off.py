"""Cents that nobody will pay, or fetch: written off by an entry of the payment journal, with the reason."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import case, func, select

from ...base.errors import Conflict, Invalid, Problem
from ...base.money import Money
from ...base.texts import read_text
from ...payments.due import locked_due
from ...payments.methods import WRITTEN_OFF
from ...payments.payments import payments_of, receive_payment
from ...payments.refunds import correct_payment, refund
from ...payments.tables import payment
from ...payments.values import Payment
from ...storage.database import Transaction

MOST_WRITTEN_OFF = 100  # minor units of one order, in however many steps


def may_write_off(tx: Transaction, enterprise_id: str, order_id: str, due: int) -> bool:
    """Whether so many minor units (negative: owed to the customer) can be written off beside what was before."""
    row = payment.c
    signed = case((row.kind == "payment", row.amount), else_=-row.amount)
    written = select(func.coalesce(func.sum(signed), 0)).where(
        row.enterprise_id == enterprise_id, row.order_id == order_id, row.method == WRITTEN_OFF, row.state == "Done"
    )
    return abs(int(tx.value(written)) + due) <= MOST_WRITTEN_OFF


def write_cents_off(
    tx: Transaction, enterprise_id: str, order_id: str, *, due: int, reason: str, person_id: str
) -> None:
    """Settles an order of which `due` minor units are open (negative: owed to the customer), in all at
    most `MOST_WRITTEN_OFF`, also with closed books. It stands in the journal under the way to pay `WRITTEN_OFF`, which
    no till holds; `take_back` corrects a mistake, as with every entry that a person has made. Where cents are owed to
    the customer only because some were written off before, those entries are taken back first.

    Raises `NotFound`, `Conflict` if the order was settled meanwhile or another amount is due, `Invalid` for more than
    `MOST_WRITTEN_OFF` or without a reason.
    """
    order = locked_due(tx, enterprise_id, order_id)
    problems: list[Problem] = []
    reason = read_text(reason, "/reason", problems, least=3, most=200)
    if not may_write_off(tx, enterprise_id, order_id, due):
        text = "At most {most} of an order is written off here."
        problems.append(Problem("too_much", text, "", {"most": Money(MOST_WRITTEN_OFF, order.currency)}))
    if problems:
        raise Invalid(problems)
    if not due or order.balance != due:
        text = "{amount} is due for this order now. Look again before you write it off."
        raise Conflict("due_changed", text, amount=Money(order.balance, order.currency))
    left = due + (take_back_written_off(tx, enterprise_id, order_id, person_id=person_id) if due < 0 else 0)
    if left:
        record = receive_payment if left > 0 else refund
        record(
            tx,
            enterprise_id=enterprise_id,
            order_id=order_id,
            method=WRITTEN_OFF,
            amount=abs(left),
            idempotency_key=tx.new_id(),
            person_id=person_id,
            reference=reason,
        )


def written_off_payments(payments: Iterable[Payment]) -> list[Payment]:
    """Those that stand for money of a customer who will not pay it: nobody has received it."""
    return [each for each in payments if (each.kind, each.state, each.method) == ("payment", "Done", WRITTEN_OFF)]


def take_back_written_off(tx: Transaction, enterprise_id: str, order_id: str, *, person_id: str) -> int:
    """Takes back by opposite entries what was written off of what the customer was to pay, as when the order costs less
    since. Returns how much, in minor units."""
    written_off = written_off_payments(payments_of(tx, enterprise_id, order_id))
    for each in written_off:
        correct_payment(tx, enterprise_id, each.id, person_id=person_id)
    return sum(each.amount for each in written_off)
