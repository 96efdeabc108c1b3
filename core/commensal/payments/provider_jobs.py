"""Enqueues the jobs of payments: the names of their kinds, and when a provider is asked again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, update

from ..storage.database import Transaction
from ..storage.jobs import enqueue
from ..storage.jobs.tables import job
from .tables import payment as table
from .values import Payment

STATUS, CANCEL, REFUND, LATE = "payment_status", "cancel_payment", "refund_payment", "refund_late_payment"

# After one minute, then less and less often, for a little more than a week: bank debits take that long.
_HOURS = (1, 3, 6, 12, *[24] * 7)
INTERVALS = (*(timedelta(minutes=minutes) for minutes in (1, 5, 15)), *(timedelta(hours=hours) for hours in _HOURS))


def enqueue_status(tx: Transaction, payment: Payment) -> None:
    """Enqueues the first question to the provider about the state of a payment that has just begun."""
    enqueue(tx, STATUS, _payload(payment) | {"asked": 0}, due_at=tx.now + INTERVALS[0])


def enqueue_cancel(tx: Transaction, payment: Payment) -> None:
    """Enqueues the cancellation of a payment at its provider."""
    enqueue(tx, CANCEL, _payload(payment))


def uncancelled_at_provider(tx: Transaction, payment_ids: Collection[str]) -> set[str]:
    """Returns the payments not yet cancelled at their provider: their jobs wait, run, or were given up."""
    unfinished = select(job.c.payload).where(job.c.state.in_(("waiting", "running", "parked")), job.c.kind == CANCEL)
    return {row["payload"]["payment_id"] for row in tx.all(unfinished)} & set(payment_ids)


def enqueue_refund(tx: Transaction, refund: Payment) -> None:
    """Enqueues the request to the provider for this refund."""
    enqueue(tx, REFUND, _payload(refund) | {"asked": 0})


def enqueue_late_refund(tx: Transaction, payment: Payment) -> None:
    """Enqueues the refund of a payment that was received for a cancelled order."""
    enqueue(tx, LATE, _payload(payment))


def enqueue_again(tx: Transaction, kind: str, payment: Payment, queries: int) -> None:
    """Enqueues the next query, after `queries` earlier ones, once: a job that runs twice does not enqueue two.

    After the last interval there is no further query.
    """
    count_up = update(table).where(table.c.id == payment.id, table.c.asked == queries).values(asked=queries + 1)
    if queries + 1 < len(INTERVALS) and tx.execute(count_up).rowcount == 1:
        enqueue(tx, kind, _payload(payment) | {"asked": queries + 1}, due_at=tx.now + INTERVALS[queries + 1])


def _payload(payment: Payment) -> dict[str, object]:
    return {"enterprise_id": payment.enterprise_id, "payment_id": payment.id}
