"""Problems with payments that only a person can settle: stored once, listed for the shop and by ``commensal check``."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update

from ..base.errors import Conflict
from ..storage.database import Transaction, insert_once
from .tables import payment_problem
from .values import Payment, PaymentProblem

_row = payment_problem.c


def keep_problem(
    tx: Transaction, payment: Payment, code: str, *, amount: int | None = None, currency: str = "", reference: str = ""
) -> None:
    """Stores a problem with a payment, each only once. `amount` and `currency` default to those of the payment.

    See `PaymentProblem` for the codes.
    """
    row = {
        "id": tx.new_id(),
        "enterprise_id": payment.enterprise_id,
        "plugin": payment.plugin,
        "code": code,
        "payment_id": payment.id,
        "order_id": payment.order_id,
        "amount": payment.amount if amount is None else amount,
        "currency": currency or payment.currency,
        "reference": reference or payment.reference,
        "created_at": tx.now,
    }
    insert_once(tx, payment_problem, row)


def keep_unknown_payment(
    tx: Transaction, enterprise_id: str, plugin: str, payment_id: str, *, amount: int, currency: str, reference: str
) -> None:
    """Stores a message about a payment that the enterprise does not have with this plugin."""
    row = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "plugin": plugin,
        "code": "unknown_payment",
        "payment_id": payment_id[:100],
        "amount": amount,
        "currency": currency[:10],
        "reference": reference[:200],
        "created_at": tx.now,
    }
    insert_once(tx, payment_problem, row)


def problems_of(
    tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50, without: Collection[str] = ()
) -> tuple[PaymentProblem, ...]:
    """Returns open problems of the enterprise, oldest first, except those with a code in `without`; `after` is the last
    id of the page before."""
    statement = select(payment_problem).where(_open(), _row.enterprise_id == enterprise_id, _row.id > after)
    if without:
        statement = statement.where(_row.code.not_in(without))
    return tuple(PaymentProblem(**row) for row in tx.all(statement.order_by(_row.id).limit(limit)))


def open_problems(tx: Transaction, *, limit: int = 100) -> tuple[PaymentProblem, ...]:
    """Returns open problems of the whole instance, oldest first."""
    statement = select(payment_problem).where(_open()).order_by(_row.id).limit(limit)
    return tuple(PaymentProblem(**row) for row in tx.all(statement))


def settle_problem(tx: Transaction, enterprise_id: str, problem_id: str, *, person_id: str) -> PaymentProblem:
    """Marks a problem as settled by a person. Raises `NotFound`; `Conflict` if it was settled before."""
    conditions = (_row.id == problem_id, _row.enterprise_id == enterprise_id)
    settle = update(payment_problem).where(*conditions, _open()).values(settled_at=tx.now, settled_by=person_id)
    was_open = tx.execute(settle).rowcount == 1
    problem = PaymentProblem(**tx.one(select(payment_problem).where(*conditions)))
    if not was_open:
        raise Conflict("settled_before", "This was settled before.")
    return problem


def settle_owed(tx: Transaction, order_id: str) -> None:
    """Settles the problems "owed" of an order: nothing is owed to its customer any more."""
    settle = update(payment_problem).where(_row.order_id == order_id, _row.code == "owed", _open())
    tx.execute(settle.values(settled_at=tx.now))


def settle_unclear(tx: Transaction, refund_id: str) -> None:
    """Settles the problem "refund_unclear" of a refund: the provider has answered."""
    settle = update(payment_problem).where(_row.payment_id == refund_id, _row.code == "refund_unclear", _open())
    tx.execute(settle.values(settled_at=tx.now))


def _open() -> ColumnElement[bool]:
    return _row.settled_at.is_(None)
