"""Rows of a spreadsheet as XML (ECMA-376, part 1, 18.3.1).

What is written of a value is remembered for a while, since the same values come again and again.
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
from .cells import PlainColumn, Word, labelled

MOST_ROWS = 1_048_576  # that the format has
_LONGEST = 32_767  # characters of a cell
_AT_ONCE = 200  # rows
_REMEMBERED = 1000  # values of a column
_FIRST_DAY = date(1899, 12, 30)  # from which spreadsheets count
_DAY = timedelta(days=1)
# What XML cannot hold, and what would be taken for its spelling (22.9.2.19).
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

# A cell of a column: its place in the report's line, the letters of its reference, and what follows after that.
_Column = tuple[int, str, Callable[[Any], str]]


class TooManyRows(Refused):
    """A sheet has no room for them."""

    def __init__(self) -> None:
        text = "A spreadsheet has at most {most} rows, and this report has more. Take it as CSV, or for a shorter time."
        super().__init__("too_many_rows", text, most=MOST_ROWS)


def sheet_rows(
    printout: Printout, columns: Sequence[PlainColumn], lines: Sequence[str], sums: Sequence[str]
) -> Iterator[bytes]:
    """Lines and sums from the second row on; `lines` and `sums` are the styles of their cells. Raises `TooManyRows`."""
    rows = _rows(printout, _columns(columns, lines), _columns(columns, sums))
    while part := "".join(islice(rows, _AT_ONCE)):
        yield part.encode()


def _rows(printout: Printout, line: Sequence[_Column], sums: Sequence[_Column]) -> Iterator[str]:
    number = 1
    for row in printout.rows:
        if row.kind == "group":
            continue
        number += 1
        if number > MOST_ROWS:
            raise TooManyRows
        if row.kind == "line":
            yield _row(number, row.cells, line)
        else:
            yield _row(number, labelled(row, printout.report, printout.query.language).cells, sums)


def _row(number: int, cells: Sequence[Cell], columns: Sequence[_Column]) -> str:
    written = [f'<c r="{letters}{number}"{say(cells[place])}' for place, letters, say in columns]
    return f'<row r="{number}">{"".join(written)}</row>'


def _columns(columns: Sequence[PlainColumn], styles: Sequence[str]) -> list[_Column]:
    return [
        (one.place, _letters(number), _reader(one, style))
        for number, (one, style) in enumerate(zip(columns, styles, strict=True))
    ]


def _letters(number: int) -> str:
    """A column's name: A to Z, then AA, AB, …"""
    before, last = divmod(number, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def _reader(column: PlainColumn, style: str) -> Callable[[Any], str]:
    @lru_cache(_REMEMBERED)
    def say(cell: Any) -> str:
        value = cell if cell is None or isinstance(cell, Word) else column.make(cell)
        if value is None or value == "":
            return f' s="{style}"/>'
        if isinstance(value, str):
            return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{_text(value)}</t></is></c>'
        return f' s="{style}"><v>{_days(value) if isinstance(value, date) else value}</v></c>'

    return say


def _text(value: str) -> str:
    return escape(_ODD.sub(lambda odd: f"_x{ord(odd[0]):04X}_", value[:_LONGEST]), quote=False)


def _days(value: date) -> float:
    """Days since the first one, of a moment with their fraction."""
    if isinstance(value, datetime):
        return (value - datetime.combine(_FIRST_DAY, datetime.min.time())) / _DAY
    return (value - _FIRST_DAY).days
