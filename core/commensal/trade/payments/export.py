"""Exports the journal as CSV, complete enough to be verified without this software."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from sqlalchemy import select

from ...storage.database import Transaction
from .chain import MEMBERS, moment
from .tables import payment_journal

COLUMNS = (*MEMBERS, "hash")
_AT_ONCE = 500  # rows in memory


def journal_csv(tx: Transaction, enterprise_id: str, *, after: int = 0, limit: int | None = None) -> Iterator[str]:
    """Yields lines of CSV (RFC 4180, comma, CRLF): a header, then the entries that follow the entry `after`.

    The columns are the members that are hashed (see `chain.py`) and the hash; null becomes an empty cell. No cell can
    be taken for a formula: all texts are ids, hashes and fixed words, and only amounts begin with a minus.
    """
    journal = payment_journal.c
    statement = select(payment_journal).where(journal.enterprise_id == enterprise_id, journal.sequence > after)
    statement = statement.order_by(journal.sequence).limit(limit).execution_options(yield_per=_AT_ONCE)
    yield _line(COLUMNS)
    for row in tx.execute(statement).mappings():
        values = {**row, "at": moment(row["at"])}
        yield _line(values[name] for name in COLUMNS)


def _line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
