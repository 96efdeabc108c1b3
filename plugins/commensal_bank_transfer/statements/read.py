"""Reads a statement in any supported format, long ones in a process of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from commensal import FileReader, Problem, Refused, convert

from ..settings import CsvColumns, Settings
from .camt import read_camt
from .delimited import read_csv
from .values import Credit, Debit, Movement, with_keys

LARGEST = 10_000_000  # bytes
MOST = 20_000  # credits and debits


@dataclass(frozen=True, kw_only=True)
class Movements:
    """The credits and debits of a statement, each with its key."""

    credits: list[Credit]
    debits: list[Debit]


def read_statement(content: bytes, settings: Settings, currency: str) -> list[Credit]:
    """Returns the credits of a statement, without debits; otherwise like `read_movements`."""
    return [each for each in read_movements(content, settings, currency) if isinstance(each, Credit)]


def read_movements(content: bytes, settings: Settings, currency: str) -> list[Movement]:
    """Returns the credits of a statement, then its debits, each with its key. `currency` is that of a CSV's amounts.

    In a request, ask before the first change: see `FileReader`. Raises `Refused`, naming the problem and its place, for
    a file that is not a statement of this account; `Busy` and `TooMany` if too many files wait to be read.
    """
    if len(content) > LARGEST:
        raise Refused("too_large", "This file is too large for a bank statement.")
    columns = {name: getattr(settings.csv, name) for name in CsvColumns.__dataclass_fields__}
    movements = _READER.read(content, account=settings.account, columns=columns, currency=currency)
    return [*movements.credits, *movements.debits]


def parse(content: bytes, *, account: str, columns: dict[str, Any], currency: str) -> Movements:
    """Parses a statement in this process, as `read_movements` says."""
    is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    parsed = read_camt(content, account) if is_xml else read_csv(content, convert(columns, CsvColumns), currency)
    movements = list(with_keys(islice(parsed, MOST + 1)))
    if len(movements) > MOST:
        raise Refused("too_many", "This statement has more than {most} entries; hand it in month by month.", most=MOST)
    return Movements(
        credits=[each for each in movements if isinstance(each, Credit)],
        debits=[each for each in movements if isinstance(each, Debit)],
    )


_READER = FileReader(
    place=f"{__name__}:parse", answer=Movements, advice=Problem("advice", "Hand the statement in month by month.")
)
