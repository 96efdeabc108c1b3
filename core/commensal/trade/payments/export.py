"""The journal as CSV, complete enough to be verified without this software."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from sqlalchemy import select

from ...storage.database import Transaction
from .chain import MEMBERS, moment
from .tables import payment_journal

COLUMNS = (*MEMBERS, "hash")
_AT_ONCE = 500  # rows in memory


def journal_csv(tx: Transaction, enterprise_id: str, *, after: int = 0, limit: int | None = None) -> Iterator[str]:
    """Lines of CSV (RFC 4180, comma, CRLF), a header first, then the entries that follow the entry `after`.

    The columns are the members that are hashed (see `chain.py`) and the hash; what is null there is empty here. No
    cell can be taken for a formula: all texts are ids, hashes and fixed words, and only amounts begin with a minus.
    """
    row = payment_journal.c
    wanted = select(payment_journal).where(row.enterprise_id == enterprise_id, row.sequence > after)
    wanted = wanted.order_by(row.sequence).limit(limit).execution_options(yield_per=_AT_ONCE)
    yield _line(COLUMNS)
    for entry in tx.execute(wanted).mappings():
        values = {**entry, "at": moment(entry["at"])}
        yield _line(values[name] for name in COLUMNS)


def _line(values: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)  # type: ignore[arg-type]
    return line.getvalue()
