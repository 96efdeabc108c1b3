"""The journal of an enterprise: what was received and given back, entry after entry, never changed.

French law asks it of whoever records payments of private customers (CGI art. 286 I 3° bis): entries are inalterable,
chained, kept and exportable. The database refuses UPDATE and DELETE, `chain.py` says how entries hang together, and
`verify.py` finds what somebody changed underneath.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Literal

from sqlalchemy import insert, select

from ...base.errors import StoreError
from ...hooks import specifications
from ...storage.database import Transaction
from ..enterprises.counters import next_number
from ..events.announce import announce
from .chain import FIRST, hash_of
from .tables import payment as payment_table
from .tables import payment_journal
from .values import JournalEntry, Payment

_EVENTS = {"payment": specifications.payment_received, "refund": specifications.payment_refunded}


def append(
    tx: Transaction,
    payment: Payment,
    *,
    kind: Literal["payment", "refund", "correction"],
    order_number: int,
    amount: int,
    person_id: str | None,
    corrects: int | None = None,
) -> JournalEntry:
    """Writes the next entry. `amount` is in minor units of the payment's currency; negative: given back.

    Entries of one enterprise wait for each other at the row of its counter until they commit, so a chain never forks.
    Raises `StoreError` where the entry before is gone: a broken chain is not built upon.
    """
    sequence = next_number(tx, payment.enterprise_id, "journal")
    entry = JournalEntry(
        enterprise_id=payment.enterprise_id,
        sequence=sequence,
        at=tx.now,
        kind=kind,
        payment_id=payment.id,
        order_id=payment.order_id,
        order_number=order_number,
        method=payment.method,
        amount=amount,
        currency=payment.currency,
        person_id=person_id,
        corrects=corrects,
        previous_hash=_hash_before(tx, payment.enterprise_id, sequence),
        hash="",
    )
    entry = replace(entry, hash=hash_of(entry))
    tx.execute(insert(payment_journal).values(**asdict(entry)))
    if kind in _EVENTS:
        announce(tx, _EVENTS[kind], payment_table, payment_table.c.id == payment.id)
    return entry


def _hash_before(tx: Transaction, enterprise_id: str, sequence: int) -> str:
    if sequence == 1:
        return FIRST
    row = payment_journal.c
    before = select(row.hash).where(row.enterprise_id == enterprise_id, row.sequence == sequence - 1)
    found: str | None = tx.value(before)
    if found is None:
        text = "The payment journal of enterprise {enterprise} lacks its entry {sequence}."
        raise StoreError(text, enterprise=enterprise_id, sequence=sequence - 1)
    return found


def journal_entry(tx: Transaction, enterprise_id: str, sequence: int) -> JournalEntry:
    """One entry. Raises `NotFound`."""
    row = payment_journal.c
    wanted = select(payment_journal).where(row.enterprise_id == enterprise_id, row.sequence == sequence)
    return JournalEntry(**tx.one(wanted))


def journal_entries(
    tx: Transaction, enterprise_id: str, *, after: int = 0, limit: int = 50
) -> tuple[JournalEntry, ...]:
    """Up to `limit` entries that follow the entry `after`, oldest first."""
    row = payment_journal.c
    wanted = select(payment_journal).where(row.enterprise_id == enterprise_id, row.sequence > after)
    return tuple(JournalEntry(**one) for one in tx.all(wanted.order_by(row.sequence).limit(limit)))
