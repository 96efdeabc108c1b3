"""Reads a product list from the bytes of a CSV or XLSX file into rows of text, one for each product.

An unreadable file is refused at once; a mistake in a single cell is noted with its row and column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...base.errors import Invalid, Problem, Refused
from ...base.file_readers.reading import FileReader
from ...base.plugin_fields import NO_PLUGIN_FIELDS, PluginFields
from ..formats.spreadsheets import FORMULA_SIGNS, decode_text
from .columns import COLUMNS, Headers, columns_with, count_known_headers, read_headers
from .findings import Findings
from .spreadsheet import read_spreadsheet

LARGEST_FILE = 5_000_000  # bytes
MOST_ROWS = 20_000  # below the headers
MOST_COLUMNS = 60
LONGEST_CELL = 20_000  # characters

Row = tuple[int, list[str]]  # its number in the file, where the headers are row 1, and its cells
_FEWER_CELLS = 1000  # of a row: more than any program writes
_READER = FileReader(
    place=f"{__name__}:read_rows",
    answer=list[Row],
    advice=Problem("advice", "Copy the list alone into a new file, or save it as CSV."),
)
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMULA = re.compile(r"[=@]|[+-](?!\s)")
_NUMBER = re.compile(r"[+-][\d\s.,]+[%€]?")
_GUARDED = re.compile(rf"'+[{re.escape(FORMULA_SIGNS)}]")
# The default limit of the csv module (131,072 characters) would end the reading with an error that names no column.
# A file is never larger than this limit; `read_list` refuses a long cell, naming its row and column.
csv.field_size_limit(LARGEST_FILE)


@dataclass(frozen=True)
class ListRow:
    """`number` is the row's number in the file, where the headers are row 1. `cells` are texts by column key."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class ProductList:
    """The rows of a readable file. `findings` may hold mistakes in single cells."""

    headers: Headers
    rows: list[ListRow] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


def read_list(content: bytes, declared: PluginFields = NO_PLUGIN_FIELDS) -> ProductList:
    """Reads the rows of a file; `declared` are the fields of plugins, which have columns too.

    A long file, and a spreadsheet, is read by a process of its own; in a request, ask before the first change. Raises
    `Refused` for an unreadable file, `Invalid` for wrong headers, `Busy` and `TooMany` if too many files wait.
    """
    if len(content) > LARGEST_FILE:
        raise Refused("too_large", "The file is larger than {limit} MB.", limit=LARGEST_FILE // 1_000_000)
    rows = _READER.read(content)
    header_cells = rows[0][1] if rows and rows[0][0] == 1 else []
    if any("\x00" in cell for cell in header_cells):
        raise Refused("encoding", "This file is not text. Save it again as “CSV UTF-8” or as XLSX.")
    if any(cell.strip() for cell in header_cells[MOST_COLUMNS:]):
        raise Refused("too_many_columns", "The file has more than {limit} columns.", limit=MOST_COLUMNS)
    headers, problems = read_headers(header_cells, columns_with(declared))
    if problems:
        raise Invalid(problems)
    product_list = ProductList(headers)
    for number, cells in rows[1:]:
        product_list.rows.append(_row(number, cells, product_list))
    if not product_list.rows:
        raise Refused("empty", "There is no product in this file.")
    return product_list


def read_rows(content: bytes) -> list[Row]:
    """The headers, and all rows that are not empty. Raises `Refused`, also for too many rows, or cells in a row."""
    filled_rows: list[Row] = []
    for number, cells in enumerate(_rows(content), start=1):
        if number > 1 and not any(cell.strip() for cell in cells):
            continue
        if number > MOST_ROWS + 1:
            raise Refused("too_many_rows", "The file has more than {limit} rows. Split it.", limit=MOST_ROWS)
        if number > 1 and any(cell.strip() for cell in cells[MOST_COLUMNS:]):
            text = "Row {row} has more than {limit} cells. Is it the right separator between them?"
            raise Refused("too_many_cells", text, row=number, limit=MOST_COLUMNS)
        filled_rows.append((number, cells[:_FEWER_CELLS]))
    return filled_rows


def list_from_cells(rows: Iterable[Mapping[str, str]]) -> ProductList:
    """Makes a list from rows that do not come from a file: cells by column key, words in English.

    The first row gets number 2. The list has each column that any row has; a cell that a row lacks is empty. Raises
    `Refused` for too many rows.
    """
    cell_rows = list(rows)
    if len(cell_rows) > MOST_ROWS:
        raise Refused("too_many_rows", "The file has more than {limit} rows. Split it.", limit=MOST_ROWS)
    keys = [column.key for column in COLUMNS if column.required or any(column.key in row for row in cell_rows)]
    headers = Headers({key: position for position, key in enumerate(keys)}, {key: key for key in keys})
    product_list = ProductList(headers)
    for number, row in enumerate(cell_rows, start=2):
        product_list.rows.append(ListRow(number, {key: as_cell(row.get(key, "")) for key in keys}))
    return product_list


def _rows(content: bytes) -> Iterator[list[str]]:
    if content.startswith(_ZIP):
        return read_spreadsheet(content, most_rows=MOST_ROWS + 1, most_columns=MOST_COLUMNS)
    if content.startswith(_OLD_OFFICE):
        raise Refused("old_format", "This is an old or locked Excel file. Save it as XLSX or CSV without a password.")
    return _delimited(content)


def _row(number: int, cells: list[str], product_list: ProductList) -> ListRow:
    headers, findings = product_list.headers, product_list.findings
    row = ListRow(number, {})
    for key, position in headers.position.items():
        raw = cells[position] if position < len(cells) else ""
        row.cells[key] = _cell(raw, number, headers.spelling[key], findings)
    header_positions = set(headers.position.values())
    for position, raw in enumerate(cells):
        if position not in header_positions and raw.strip():
            text = "Column {letters} has no header, so what stands in it has no meaning."
            findings.add(number, "", Problem("no_header", text, values={"letters": _letters(position)}))
    return row


def _cell(raw: str, row: int, header: str, findings: Findings) -> str:
    """The cell's text, without the apostrophe that the export puts before a text that looks like a formula."""
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
    """A text as export and import have it in a cell: no longer than a cell, with � for characters no cell may hold."""
    return tidy(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))[: LONGEST_CELL - 1].rstrip()


def tidy(text: str) -> str:
    """The text without space around it, with ``\\n`` as its only line end."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")


def guard_formula(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula, or if it has one already."""
    return f"'{text}" if text.startswith(tuple(FORMULA_SIGNS)) or _GUARDED.match(text) else text


def _letters(position: int) -> str:
    """The name of a column in a spreadsheet: A for position 0, AA for 26."""
    letters = ""
    number = position + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _delimited(content: bytes) -> Iterator[list[str]]:
    """Yields the rows of CSV as spreadsheets write it, headers first: quoted as in RFC 4180; with commas, semicolons or
    tabs; in UTF-8, UTF-16 or Windows-1252. Raises `Refused` for an unknown encoding or wrong quoting."""
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
