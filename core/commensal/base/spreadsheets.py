"""CSV (RFC 4180) as spreadsheets of the reader's language open it: in French with semicolons and decimal commas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Writer

# What begins a formula: Excel takes the full-width forms for the plain ones where a Chinese, Japanese or Korean locale
# is set, and the small forms are read alike by converters that normalise text (NFKC).
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠﹦﹢﹣﹫−]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def csv_bytes(rows: Iterable[Sequence[object]], language: str) -> bytes:
    """A small table; UTF-8 with the mark without which Excel takes it for Windows-1252. Texts are made `harmless`."""
    text = io.StringIO(newline="")
    writer = csv_writer(text, language)
    for cells in rows:
        writer.writerow([_cell(one, language) for one in cells])
    return text.getvalue().encode("utf-8-sig")


def csv_writer(out: io.StringIO, language: str) -> Writer:
    """Writes rows as they are handed over."""
    return csv.writer(out, delimiter=";" if language == "fr" else ",", lineterminator="\r\n")


def decimal_mark(language: str) -> str:
    """What stands between a number's whole and its fraction."""
    return "," if language == "fr" else "."


def harmless(text: str) -> str:
    """The text without control characters, and with an apostrophe before it where it may be taken for a formula (OWASP,
    CSV injection)."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{text}" if _FORMULA.match(text) else text


def _cell(value: object, language: str) -> str:
    if isinstance(value, Decimal):
        return str(value).replace(".", decimal_mark(language))
    return harmless(value) if isinstance(value, str) else str(value)
