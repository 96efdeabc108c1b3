"""Finds what was changed, removed or moved in a journal behind the software's back."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import select

from ...base.errors import Problem
from ...storage.database import Transaction
from ..enterprises.tables import enterprise_counter
from .chain import FIRST, hash_of
from .tables import payment_journal
from .values import JournalEntry

_AT_ONCE = 500  # rows in memory


def verify_journal(tx: Transaction, enterprise_id: str) -> list[Problem]:
    """Walks the whole chain; empty when it is sound, else the first entry that is not (what follows hangs on it).

    Memory stays the same however long the journal is. Whoever can write to the database could forge all entries from
    one on: that shows only against an export that was kept elsewhere.
    """
    row, counter = payment_journal.c, enterprise_counter.c
    counted = select(counter.value).where(counter.enterprise_id == enterprise_id, counter.series == "journal")
    written = tx.value(counted) or 0
    wanted = select(payment_journal).where(row.enterprise_id == enterprise_id).order_by(row.sequence)
    last, last_hash = 0, FIRST
    with closing(tx.execute(wanted.execution_options(yield_per=_AT_ONCE))) as rows:
        for values in rows.mappings():
            entry = JournalEntry(**values)
            wrong = _wrong(entry, last + 1, last_hash)
            if wrong:
                return [wrong]
            last, last_hash = entry.sequence, entry.hash
    if last > written:
        return [_bad("entry_added", "Entry {sequence} of the journal was not written by this software.", written + 1)]
    return [_bad("entry_missing", "Entry {sequence} of the journal is missing.", last + 1)] if last < written else []


def _wrong(entry: JournalEntry, sequence: int, hash_before: str) -> Problem | None:
    if entry.sequence != sequence:
        return _bad("entry_missing", "Entry {sequence} of the journal is missing.", sequence)
    if entry.hash != hash_of(entry):
        return _bad("entry_changed", "Entry {sequence} of the journal was changed after it was written.", sequence)
    if entry.previous_hash != hash_before:
        return _bad("entry_replaced", "Entry {sequence} of the journal does not follow the one before it.", sequence)
    return None


def _bad(code: str, text: str, sequence: int) -> Problem:
    return Problem(code, text, f"entry {sequence}", {"sequence": sequence})
