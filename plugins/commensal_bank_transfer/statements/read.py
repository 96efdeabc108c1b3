"""Reads a statement in any supported format."""

from __future__ import annotations

from itertools import islice

from commensal import Refused

from ..settings import Settings
from .camt import read_camt
from .delimited import read_csv
from .values import Credit, Movement, with_keys

LARGEST = 10_000_000  # bytes
MOST = 20_000  # credits and debits


def read_statement(content: bytes, settings: Settings, currency: str) -> list[Credit]:
    """Returns the credits of a statement, without debits; otherwise like `read_movements`."""
    return [each for each in read_movements(content, settings, currency) if isinstance(each, Credit)]


def read_movements(content: bytes, settings: Settings, currency: str) -> list[Movement]:
    """Returns the credits and debits of a statement, each with its key. `currency` is that of a CSV's amounts.

    Raises `Refused`, naming the problem and its place, for a file that is not a statement of this account.
    """
    if len(content) > LARGEST:
        raise Refused("too_large", "This file is too large for a bank statement.")
    is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    parsed = read_camt(content, settings.account) if is_xml else read_csv(content, settings.csv, currency)
    movements = list(with_keys(islice(parsed, MOST + 1)))
    if len(movements) > MOST:
        raise Refused("too_many", "This statement has more than {most} entries; hand it in month by month.", most=MOST)
    return movements
