"""Reads a statement in any supported format."""

from __future__ import annotations

from itertools import islice

from commensal import Refused

from ..settings import Settings
from .camt import read_camt
from .delimited import read_csv
from .values import Credit, with_keys

LARGEST = 10_000_000  # bytes
MOST = 20_000  # credits


def read_statement(content: bytes, settings: Settings, currency: str) -> list[Credit]:
    """Returns the credits of a statement, each with its key, without debits. `currency` is that of a CSV's amounts.

    Raises `Refused`, naming the problem and its place, for a file that is no statement of this account.
    """
    if len(content) > LARGEST:
        raise Refused("too_large", "This file is too large for a bank statement.")
    is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    parsed = read_camt(content, settings.account) if is_xml else read_csv(content, settings.csv, currency)
    credits = list(with_keys(islice(parsed, MOST + 1)))
    if len(credits) > MOST:
        raise Refused("too_many", "This statement has more than {most} entries; hand it in month by month.", most=MOST)
    return credits
