"""Finds entries of a journal that were changed, removed, added or moved outside this software."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import select

from ..base.errors import Problem
from ..enterprises.tables import enterprise_counter
from ..storage.database import Transaction
from .chain import FIRST, hash_of
from .tables import payment_journal
from .values import JournalEntry

_AT_ONCE = 500  # rows in memory


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
