"""What a provider said and only a person can settle: kept once, listed for the shop, told by ``commensal check``."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update

from ...base.errors import Conflict
from ...storage.database import Transaction, insert_once
from .tables import payment_problem
from .values import Payment, PaymentProblem

_row = payment_problem.c


def keep_problem(
    tx: Transaction, payment: Payment, code: str, *, amount: int | None = None, currency: str = "", reference: str = ""
) -> None:
    """Keeps what is odd about a payment; the same once. `amount` and `currency` are the payment's unless they differ.

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


def keep_unknown(
    tx: Transaction, enterprise_id: str, plugin: str, payment_id: str, *, amount: int, currency: str, reference: str
) -> None:
    """Keeps what was said of a payment that the enterprise does not have by this plugin."""
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


def problems_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> tuple[PaymentProblem, ...]:
    """Open problems of the enterprise, oldest first; `after` is the last id of the page before."""
    wanted = select(payment_problem).where(_open(), _row.enterprise_id == enterprise_id, _row.id > after)
    return tuple(PaymentProblem(**row) for row in tx.all(wanted.order_by(_row.id).limit(limit)))


def open_problems(tx: Transaction, *, limit: int = 100) -> tuple[PaymentProblem, ...]:
    """Open problems of the whole instance, oldest first."""
    wanted = select(payment_problem).where(_open()).order_by(_row.id).limit(limit)
    return tuple(PaymentProblem(**row) for row in tx.all(wanted))


def settle_problem(tx: Transaction, enterprise_id: str, problem_id: str, *, person_id: str) -> PaymentProblem:
    """A person has seen to it. Raises `NotFound`, and `Conflict` where it was settled before."""
    mine = (_row.id == problem_id, _row.enterprise_id == enterprise_id)
    settled = update(payment_problem).where(*mine, _open()).values(settled_at=tx.now, settled_by=person_id)
    done = tx.execute(settled).rowcount == 1
    found = PaymentProblem(**tx.one(select(payment_problem).where(*mine)))
    if not done:
        raise Conflict("settled_before", "This was settled before.")
    return found


def settle_owed(tx: Transaction, order_id: str) -> None:
    """Nothing is owed to the customer of this order any more."""
    owed = update(payment_problem).where(_row.order_id == order_id, _row.code == "owed", _open())
    tx.execute(owed.values(settled_at=tx.now))


def settle_unclear(tx: Transaction, refund_id: str) -> None:
    """The provider has said at last what became of this refund."""
    unclear = update(payment_problem).where(_row.payment_id == refund_id, _row.code == "refund_unclear", _open())
    tx.execute(unclear.values(settled_at=tx.now))


def _open() -> ColumnElement[bool]:
    return _row.settled_at.is_(None)
