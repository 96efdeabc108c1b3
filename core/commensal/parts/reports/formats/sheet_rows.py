"""Writes the rows of a spreadsheet as XML (ECMA-376, part 1, 18.3.1).

The XML of recent values is cached, since values repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape
from itertools import islice
from typing import Any

from ....base.errors import Refused
from ..values import Cell, Printout
from .cells import PlainColumn, Word, label_sum

MAX_ROWS = 1_048_576  # the limit of the format
_MAX_TEXT = 32_767  # characters of a cell
_BATCH = 200  # rows
_CACHED_VALUES = 1000  # values of a column
_FIRST_DAY = date(1899, 12, 30)  # day 0 of spreadsheets
_DAY = timedelta(days=1)
# Characters that XML cannot hold, and texts that look like their escape sequence (22.9.2.19).
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

# How to write a column: its index in a line, the letters of its cells, and a function for the rest of a cell.
_Column = tuple[int, str, Callable[[Any], str]]


class TooManyRows(Refused):
    """The report has more rows than a spreadsheet can have."""

    def __init__(self) -> None:
        text = "A spreadsheet has at most {most} rows, and this report has more. Take it as CSV, or for a shorter time."
        super().__init__("too_many_rows", text, most=MAX_ROWS)


def sheet_rows(
    printout: Printout, columns: Sequence[PlainColumn], lines: Sequence[str], sums: Sequence[str]
) -> Iterator[bytes]:
    """Lines and sums from the second row on; `lines` and `sums` are the styles of their cells. Raises `TooManyRows`."""
    rows = _rows(printout, _columns(columns, lines), _columns(columns, sums))
    while part := "".join(islice(rows, _BATCH)):
        yield part.encode()


def _rows(printout: Printout, line: Sequence[_Column], sums: Sequence[_Column]) -> Iterator[str]:
    number = 1
    for row in printout.rows:
        if row.kind == "group":
            continue
        number += 1
        if number > MAX_ROWS:
            raise TooManyRows
        if row.kind == "line":
            yield _row(number, row.cells, line)
        else:
            yield _row(number, label_sum(row, printout.report, printout.query.language).cells, sums)


def _row(number: int, cells: Sequence[Cell], columns: Sequence[_Column]) -> str:
    cell_elements = [f'<c r="{letters}{number}"{write_cell(cells[place])}' for place, letters, write_cell in columns]
    return f'<row r="{number}">{"".join(cell_elements)}</row>'


def _columns(columns: Sequence[PlainColumn], styles: Sequence[str]) -> list[_Column]:
    return [
        (column.place, _letters(number), _cell_writer(column, style))
        for number, (column, style) in enumerate(zip(columns, styles, strict=True))
    ]


def _letters(number: int) -> str:
    """A column's name: A to Z, then AA, AB, …"""
    prefix, last = divmod(number, 26)
    return (_letters(prefix - 1) if prefix else "") + chr(ord("A") + last)


def _cell_writer(column: PlainColumn, style: str) -> Callable[[object], str]:
    @lru_cache(_CACHED_VALUES)
    def write_cell(cell: object) -> str:
        value = cell if cell is None or isinstance(cell, Word) else column.make(cell)
        if value is None or value == "":
            return f' s="{style}"/>'
        if isinstance(value, str):
            return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{_escape_text(value)}</t></is></c>'
        return f' s="{style}"><v>{_day_number(value) if isinstance(value, date) else value}</v></c>'

    return write_cell


def _escape_text(value: str) -> str:
    return escape(_ODD.sub(lambda odd: f"_x{ord(odd[0]):04X}_", value[:_MAX_TEXT]), quote=False)


def _day_number(value: date) -> float:
    """Days since `_FIRST_DAY`; of a datetime, with their fraction."""
    if isinstance(value, datetime):
        return (value - datetime.combine(_FIRST_DAY, datetime.min.time())) / _DAY
    return (value - _FIRST_DAY).days
