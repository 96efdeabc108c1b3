"""The payment journal of an enterprise: money received and given back, in entries that never change.

French law requires it of everybody who records payments of private customers (CGI art. 286 I 3° bis): entries are
inalterable, chained, archived and exportable. The database refuses UPDATE and DELETE, `journal.py` defines the hash
chain, and `journal.py` finds changes that somebody made in the database.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import insert, select

from ..base.errors import Problem, StoreError
from ..enterprises.counters import next_number
from ..enterprises.tables import enterprise_counter
from ..events.announce import announce
from ..hooks import specifications
from ..storage.database import Transaction
from .tables import payment as payment_table
from .tables import payment_journal
from .values import JournalEntry, Payment

# The hash chain of a journal, defined to the byte, so that anybody can check an export with a short script.
#
# The hash of an entry is the SHA-256, in lower-case hexadecimal, of a JSON object in UTF-8 with exactly the members
# of `MEMBERS`, in that (alphabetical) order and without white space, as in RFC 8785:
#
# {"amount":1250,"at":"2026-06-04T10:00:00.000000Z","corrects":null,"currency":"EUR","enterprise_id":"…",
# "kind":"payment","method":"cash:cash","order_id":"…","order_number":12,"payment_id":"…","person_id":"…",
# "previous_hash":"…","sequence":7}
#
# (here broken into three lines). Numbers are integers, moments are UTC with six decimals, absent values are null. The
# `previous_hash` of the first entry is sixty-four zeros.

FIRST = "0" * 64
MEMBERS = (
    "amount",
    "at",
    "corrects",
    "currency",
    "enterprise_id",
    "kind",
    "method",
    "order_id",
    "order_number",
    "payment_id",
    "person_id",
    "previous_hash",
    "sequence",
)


def hash_of(entry: JournalEntry) -> str:
    """Returns the hash that the entry must have; its own `hash` is ignored."""
    members = {name: getattr(entry, name) for name in MEMBERS} | {"at": moment(entry.at)}
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """Returns a moment as entries write it: UTC, six decimals, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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

    The columns are the members that are hashed (see `journal.py`) and the hash; null becomes an empty cell. No cell can
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


# Finds entries of a journal that were changed, removed, added or moved outside this software.


def verify_journal(tx: Transaction, enterprise_id: str) -> list[Problem]:
    """Walks the whole chain. Returns no problem if it is intact, else the first one (later ones follow from it).

    Memory use does not grow with the journal. Somebody who can write to the database could forge all entries from one
    on: only a comparison with an export kept elsewhere reveals that.
    """
    journal, counter = payment_journal.c, enterprise_counter.c
    counter_value = select(counter.value).where(counter.enterprise_id == enterprise_id, counter.series == "journal")
    entries_written = tx.value(counter_value) or 0
    statement = select(payment_journal).where(journal.enterprise_id == enterprise_id).order_by(journal.sequence)
    last, last_hash = 0, FIRST
    with closing(tx.execute(statement.execution_options(yield_per=_AT_ONCE))) as rows:
        for row in rows.mappings():
            entry = JournalEntry(**row)
            problem = _entry_problem(entry, last + 1, last_hash)
            if problem:
                return [problem]
            last, last_hash = entry.sequence, entry.hash
    if last > entries_written:
        return [
            _problem(
                "entry_added", "Entry {sequence} of the journal was not written by this software.", entries_written + 1
            )
        ]
    return (
        [_problem("entry_missing", "Entry {sequence} of the journal is missing.", last + 1)]
        if last < entries_written
        else []
    )


def _entry_problem(entry: JournalEntry, sequence: int, hash_before: str) -> Problem | None:
    if entry.sequence != sequence:
        return _problem("entry_missing", "Entry {sequence} of the journal is missing.", sequence)
    if entry.hash != hash_of(entry):
        return _problem("entry_changed", "Entry {sequence} of the journal was changed after it was written.", sequence)
    if entry.previous_hash != hash_before:
        return _problem(
            "entry_replaced", "Entry {sequence} of the journal does not follow the one before it.", sequence
        )
    return None


def _problem(code: str, text: str, sequence: int) -> Problem:
    return Problem(code, text, f"entry {sequence}", {"sequence": sequence})
