"""The payment journal of an enterprise: money received and given back, in entries that never change.

French law requires it of everybody who records payments of private customers (CGI art. 286 I 3° bis): entries are
inalterable, chained, archived and exportable. The database refuses UPDATE and DELETE, `chain.py` defines the hash
chain, and `verify.py` finds changes that somebody made in the database.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Literal

from sqlalchemy import insert, select

from ..base.errors import StoreError
from ..enterprises.counters import next_number
from ..events.announce import announce
from ..hooks import specifications
from ..storage.database import Transaction
from .chain import FIRST, MEMBERS, hash_of, moment
from .tables import payment as payment_table
from .tables import payment_journal
from .values import JournalEntry, Payment

CSV_COLUMNS = (*MEMBERS, "hash")
_AT_ONCE = 500  # rows of an export in memory
_EVENTS = {"payment": specifications.payment_received, "refund": specifications.payment_refunded}


def append_entry(
    tx: Transaction,
    payment: Payment,
    *,
    kind: Literal["payment", "refund", "correction"],
    order_number: int,
    amount: int,
    person_id: str | None,
    corrects: int | None = None,
) -> JournalEntry:
    """Writes the next entry and returns it. `amount` is in minor units of the payment's currency; negative: given back.

    The enterprise's counter row is locked until the transaction commits, so the chain never forks. Raises `StoreError`
    if the previous entry is missing: a broken chain is not continued.
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
    entry = payment_journal.c
    previous_hash = select(entry.hash).where(entry.enterprise_id == enterprise_id, entry.sequence == sequence - 1)
    value: str | None = tx.value(previous_hash)
    if value is None:
        text = "The payment journal of enterprise {enterprise} lacks its entry {sequence}."
        raise StoreError(text, enterprise=enterprise_id, sequence=sequence - 1)
    return value


def journal_entry(tx: Transaction, enterprise_id: str, sequence: int) -> JournalEntry:
    """Returns one entry. Raises `NotFound`."""
    entry = payment_journal.c
    statement = select(payment_journal).where(entry.enterprise_id == enterprise_id, entry.sequence == sequence)
    return JournalEntry(**tx.one(statement))


def journal_entries(
    tx: Transaction, enterprise_id: str, *, after: int = 0, limit: int = 50
) -> tuple[JournalEntry, ...]:
    """Returns up to `limit` entries that follow the entry `after`, oldest first."""
    entry = payment_journal.c
    statement = select(payment_journal).where(entry.enterprise_id == enterprise_id, entry.sequence > after)
    return tuple(JournalEntry(**row) for row in tx.all(statement.order_by(entry.sequence).limit(limit)))


def payments_in_journal(tx: Transaction, enterprise_id: str, order_id: str) -> frozenset[str]:
    """Returns the ids of those payments and refunds of an order whose money went into the journal, corrected or not.

    One that was cancelled and is not among them was only planned: no money came or went.
    """
    entry = payment_journal.c
    statement = select(entry.payment_id).where(entry.order_id == order_id, entry.enterprise_id == enterprise_id)
    return frozenset(row["payment_id"] for row in tx.all(statement))


def journal_csv(tx: Transaction, enterprise_id: str, *, after: int = 0, limit: int | None = None) -> Iterator[str]:
    """Yields lines of CSV (RFC 4180, comma, CRLF): a header, then the entries that follow the entry `after`.

    The columns are the members that are hashed (see `chain.py`) and the hash; null becomes an empty cell. No cell can
    be taken for a formula: all texts are ids, hashes and fixed words, and only amounts begin with a minus.
    """
    journal = payment_journal.c
    statement = select(payment_journal).where(journal.enterprise_id == enterprise_id, journal.sequence > after)
    statement = statement.order_by(journal.sequence).limit(limit).execution_options(yield_per=_AT_ONCE)
    yield _csv_line(CSV_COLUMNS)
    for row in tx.execute(statement).mappings():
        values = {**row, "at": moment(row["at"])}
        yield _csv_line(values[name] for name in CSV_COLUMNS)


def _csv_line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
