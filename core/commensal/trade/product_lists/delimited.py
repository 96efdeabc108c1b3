"""Reads CSV as spreadsheets write it: quoted as in RFC 4180; with commas, semicolons or tabs; in UTF-8, UTF-16 or
Windows-1252."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ...base.decoding import decode_text
from ...base.errors import Refused
from .columns import count_known_headers

LARGEST_FILE = 5_000_000  # bytes

# The default limit of the csv module (131,072 characters) would end the reading with an error that names no column.
# A file is never larger than this limit; `read_list` refuses a long cell, naming its row and column.
csv.field_size_limit(LARGEST_FILE)


def read_delimited(content: bytes) -> Iterator[list[str]]:
    """Yields the rows, headers first. Raises `Refused` for an unknown encoding or wrong quoting."""
    text = decode_text(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    row = 1
    try:
        for cells in reader:
            yield cells
            row += 1
    except csv.Error as error:
        raise Refused(
            "quoting",
            "Row {row} has a quotation mark that is not closed, or text after one that is. Save the list as CSV again.",
            row=row,
        ) from error


def _delimiter(text: str) -> str:
    """The delimiter with which the first row has most known headers."""
    beginning = text[:10_000]

    def known(delimiter: str) -> int:
        return count_known_headers(next(csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter), []))

    return max(",;\t", key=known)
