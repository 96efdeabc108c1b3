"""Reads a product list from the bytes of a CSV or XLSX file into rows of text, one for each product.

What makes the whole file unreadable is refused at once; what is wrong with one cell is noted by its row and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...base.errors import Invalid, Problem, Refused
from .columns import COLUMNS, Headers, read_headers
from .delimited import LARGEST_FILE, read_delimited
from .findings import Findings
from .spreadsheet import read_spreadsheet

MOST_ROWS = 20_000  # below the headers
MOST_COLUMNS = 60
LONGEST_CELL = 20_000  # characters

_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMULA = re.compile(r"[=@]|[+-](?!\s)")
_NUMBER = re.compile(r"[+-][\d\s.,]+[%€]?")
_GUARDED = re.compile(r"'+[=+\-@]")


@dataclass(frozen=True)
class Row:
    """`number` is the row's in the file, where the headers are row 1. `cells` has the columns that the file has."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class ProductList:
    """A file that was understood. `findings` may hold mistakes of single cells."""

    headers: Headers
    rows: list[Row] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


def read_list(content: bytes) -> ProductList:
    """The rows of a file. Raises `Refused` for a file that is not readable, `Invalid` for its headers."""
    if len(content) > LARGEST_FILE:
        raise Refused("too_large", "The file is larger than {limit} MB.", limit=LARGEST_FILE // 1_000_000)
    rows = _rows(content)
    first = next(rows, [])
    if any("\x00" in cell for cell in first):
        raise Refused("encoding", "This file is not text. Save it again as “CSV UTF-8” or as XLSX.")
    if any(cell.strip() for cell in first[MOST_COLUMNS:]):
        raise Refused("too_many_columns", "The file has more than {limit} columns.", limit=MOST_COLUMNS)
    headers, problems = read_headers(first)
    if problems:
        raise Invalid(problems)
    listed = ProductList(headers)
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if number > MOST_ROWS + 1:
            raise Refused("too_many_rows", "The file has more than {limit} rows. Split it.", limit=MOST_ROWS)
        listed.rows.append(_row(number, cells, listed))
    if not listed.rows:
        raise Refused("empty", "There is no product in this file.")
    return listed


def list_from_cells(rows: Iterable[Mapping[str, str]]) -> ProductList:
    """A list that comes from elsewhere than a file: cells by the keys of their columns, in English; row 2 first.

    A column is there where one row has it; a cell that a row leaves out is empty. Raises `Refused` for too many rows.
    """
    given = list(rows)
    if len(given) > MOST_ROWS:
        raise Refused("too_many_rows", "The file has more than {limit} rows. Split it.", limit=MOST_ROWS)
    keys = [column.key for column in COLUMNS if column.required or any(column.key in row for row in given)]
    headers = Headers({key: place for place, key in enumerate(keys)}, {key: key for key in keys})
    listed = ProductList(headers)
    for number, row in enumerate(given, start=2):
        listed.rows.append(Row(number, {key: as_cell(row.get(key, "")) for key in keys}))
    return listed


def _rows(content: bytes) -> Iterator[list[str]]:
    if content.startswith(_ZIP):
        return read_spreadsheet(content, most_rows=MOST_ROWS + 1, most_columns=MOST_COLUMNS)
    if content.startswith(_OLD_OFFICE):
        raise Refused("old_format", "This is an old or locked Excel file. Save it as XLSX or CSV without a password.")
    return read_delimited(content)


def _row(number: int, cells: list[str], listed: ProductList) -> Row:
    headers, findings = listed.headers, listed.findings
    row = Row(number, {})
    for key, position in headers.position.items():
        raw = cells[position] if position < len(cells) else ""
        row.cells[key] = _cell(raw, number, headers.spelling[key], findings)
    known = set(headers.position.values())
    for position, raw in enumerate(cells):
        if position not in known and raw.strip():
            text = "Column {letters} has no header, so what stands in it has no meaning."
            findings.add(number, "", Problem("no_header", text, values={"letters": _letters(position)}))
    return row


def _cell(raw: str, row: int, header: str, findings: Findings) -> str:
    """The cell's text. An apostrophe that the export put before a text like a formula is taken off again."""
    if len(raw) > LONGEST_CELL:
        text = "This cell has {length} characters; {limit} are allowed."
        findings.add(row, header, Problem("too_long", text, values={"length": len(raw), "limit": LONGEST_CELL}))
        return ""
    if _CONTROL.search(raw):
        text = "This cell has characters that are not text. Type it again."
        findings.add(row, header, Problem("control_character", text))
        return ""
    cell = tidy(raw)
    if _GUARDED.match(cell):
        return cell[1:]
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        text = "{cell} looks like a formula. Put an apostrophe (') before it if it is meant as text."
        findings.add(row, header, Problem("formula", text, values={"cell": cell[:40]}))
        return ""
    return cell


def as_cell(text: str) -> str:
    """A text as the export writes it, and as the import knows it again: no longer than a cell, and without what no cell
    may hold, for which � stands."""
    return tidy(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))[: LONGEST_CELL - 1].rstrip()


def tidy(text: str) -> str:
    """No space around it, and one kind of line end."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")


def guard(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula (or for a guarded one)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) or _GUARDED.match(text) else text


def _letters(position: int) -> str:
    """How a spreadsheet names the column: 0 is A, 26 is AA."""
    letters = ""
    number = position + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
