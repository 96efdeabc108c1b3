"""Money given back, and mistakes of the journal taken back: never by changing an entry, always by a new one."""

from __future__ import annotations

from sqlalchemy import select, update

from ..errors import Conflict
from ..store import Transaction
from .due import held_due, move_paid
from .journal import append, journal_entry
from .payments import payment_by_id, write_once
from .tables import payment, payment_journal
from .values import Due, JournalEntry, Payment


def refund(
    tx: Transaction,
    *,
    enterprise_id: str,
    order_id: str,
    method: str,
    amount: int,
    idempotency_key: str,
    person_id: str | None,
    reference: str = "",
) -> Payment:
    """Writes down that `amount` minor units (positive) were given back by `method`, also of a cancelled order.

    The same key and content is the same refund: it is given once. Raises `Conflict` where more would be given back
    than was received in sum, decided while the order is held; and for a key that was used for something else.
    """
    order = held_due(tx, enterprise_id, order_id)
    begun = write_once(tx, order, "refund", method, amount, idempotency_key)
    if begun.state == "Done":
        return begun
    move_paid(tx, order, -amount)
    done = update(payment).where(payment.c.id == begun.id)
    tx.execute(done.values(state="Done", reference=reference, changed_at=tx.now))
    given = payment_by_id(tx, enterprise_id, begun.id)
    append(tx, given, kind="refund", order_number=order.number, amount=-amount, person_id=person_id)
    return given


def correct(tx: Transaction, enterprise_id: str, sequence: int, *, person_id: str) -> JournalEntry:
    """Takes back an entry that was a mistake, by an opposite one that refers to it; its payment is then Cancelled.

    A second call returns the same correction. Raises `NotFound`; `Conflict` for an entry that is itself a correction,
    and where refunds have already given back what the entry says was received.
    """
    wrong = journal_entry(tx, enterprise_id, sequence)
    if wrong.kind == "correction":
        raise Conflict("is_correction", "A correction is not corrected; record the payment again.")
    order = held_due(tx, enterprise_id, wrong.order_id)
    return _correction_of(tx, wrong) or _take_back(tx, order, wrong, person_id)


def _correction_of(tx: Transaction, wrong: JournalEntry) -> JournalEntry | None:
    row = payment_journal.c
    wanted = select(payment_journal).where(row.enterprise_id == wrong.enterprise_id, row.corrects == wrong.sequence)
    found = tx.first(wanted)
    return None if found is None else JournalEntry(**found)


def _take_back(tx: Transaction, order: Due, wrong: JournalEntry, person_id: str) -> JournalEntry:
    move_paid(tx, order, -wrong.amount)
    ended = update(payment).where(payment.c.id == wrong.payment_id)
    tx.execute(ended.values(state="Cancelled", changed_at=tx.now))
    taken_back = payment_by_id(tx, order.enterprise_id, wrong.payment_id)
    return append(
        tx,
        taken_back,
        kind="correction",
        order_number=order.number,
        amount=-wrong.amount,
        person_id=person_id,
        corrects=wrong.sequence,
    )
