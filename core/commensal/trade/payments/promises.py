"""Jobs that payments promise: the names of their kinds, and when a provider is asked again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, update

from ...storage.database import Transaction
from ...storage.jobs import promise
from ...storage.jobs.tables import job
from .tables import payment as table
from .values import Payment

STATUS, CANCEL, REFUND, LATE = "payment_status", "cancel_payment", "refund_payment", "refund_late_payment"

# After the first minute, ever more rarely, for a bit more than a week: bank debits take that long.
_HOURS = (1, 3, 6, 12, *[24] * 7)
INTERVALS = (*(timedelta(minutes=minutes) for minutes in (1, 5, 15)), *(timedelta(hours=hours) for hours in _HOURS))


def promise_status(tx: Transaction, payment: Payment) -> None:
    """The provider will be asked for the first time what became of a payment that has just begun."""
    promise(tx, STATUS, _named(payment) | {"asked": 0}, due_at=tx.now + INTERVALS[0])


def promise_cancel(tx: Transaction, payment: Payment) -> None:
    """The provider will be told that nobody shall pay this any more."""
    promise(tx, CANCEL, _named(payment))


def still_to_call_off(tx: Transaction, payment_ids: Collection[str]) -> set[str]:
    """Those of the payments whose provider has not been told yet: their jobs wait, run, or were given up."""
    undone = select(job.c.payload).where(job.c.state.in_(("waiting", "running", "parked")), job.c.kind == CANCEL)
    return {row["payload"]["payment_id"] for row in tx.all(undone)} & set(payment_ids)


def promise_refund(tx: Transaction, refund: Payment) -> None:
    """The provider will be asked to give back the refund's amount."""
    promise(tx, REFUND, _named(refund) | {"asked": 0})


def promise_late_refund(tx: Transaction, payment: Payment) -> None:
    """What came for a cancelled order will be given back, if its provider can."""
    promise(tx, LATE, _named(payment))


def promise_again(tx: Transaction, kind: str, payment: Payment, asked: int) -> None:
    """The next question, after `asked` others, once: a job that was handed over twice does not make two of itself.

    After the last interval there is none.
    """
    counted = update(table).where(table.c.id == payment.id, table.c.asked == asked).values(asked=asked + 1)
    if asked + 1 < len(INTERVALS) and tx.execute(counted).rowcount == 1:
        promise(tx, kind, _named(payment) | {"asked": asked + 1}, due_at=tx.now + INTERVALS[asked + 1])


def _named(payment: Payment) -> dict[str, object]:
    return {"enterprise_id": payment.enterprise_id, "payment_id": payment.id}
