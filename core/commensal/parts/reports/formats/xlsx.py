"""XLSX with real numbers, dates and times, so that a spreadsheet can calculate with them. It is written row by row into
a file on disk, so that memory does not grow with the report.

The library writes a template: the workbook with its styles and headers, and an empty row for each style. Then
`xlsx.py` writes the rows of the report in their place, which the library takes five times as long to do.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from ....base.errors import Refused
from ....base.money import digits
from ..values import Cell, CellKind, Printout
from . import Format
from .cells import PlainColumn, Word, label_sum, plain_columns

# Writes the rows of a spreadsheet as XML (ECMA-376, part 1, 18.3.1).
#
# The XML of recent values is cached, since values repeat.

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


_WIDTHS: dict[CellKind, int] = {"text": 26, "moment": 17, "date": 12}  # in characters
_PART = 256 * 1024  # bytes
_EFFORT = 4  # level of compression: 6 saves five per cent and takes twice as long
_SHEET = "xl/worksheets/sheet1.xml"
_STYLE_ROWS = re.compile(r'<row r="2".*(?=</sheetData>)', re.DOTALL)
_STYLE = re.compile(r'<c r="[A-Z]+(\d+)" s="(\d+)"/>')
_DIMENSION = re.compile(r"<dimension [^>]*>")


def _write(printout: Printout) -> Iterator[bytes]:
    columns = plain_columns(printout.query, printout.report.columns)
    with tempfile.TemporaryDirectory(prefix="commensal-report-") as folder:
        frame, file = Path(folder) / "frame.xlsx", Path(folder) / "report.xlsx"
        _write_frame(frame, printout, columns)
        with ZipFile(frame) as template, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_EFFORT) as archive:
            for part in template.infolist():
                with archive.open(part.filename, "w") as out:
                    for content in (
                        [template.read(part)] if part.filename != _SHEET else _sheet(template, printout, columns)
                    ):
                        out.write(content)
        with file.open("rb") as source:
            while content := source.read(_PART):
                yield content


def _write_frame(file: Path, printout: Printout, columns: Sequence[PlainColumn]) -> None:
    """Writes the template: headers in the first row, the styles of lines in the second, those of sums in the third."""
    import xlsxwriter  # slow to import, and rarely needed

    numbers = {"money": f"#,##0.{'0' * digits(printout.query.currency)}".rstrip("."), "date": "yyyy-mm-dd"}
    numbers |= {"moment": "yyyy-mm-dd hh:mm"}
    with xlsxwriter.Workbook(str(file)) as workbook:
        workbook.set_properties({"title": printout.report.label, "created": printout.printed_at.replace(tzinfo=None)})
        sheet = workbook.add_worksheet()
        sheet.freeze_panes(1, 0)
        head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _WIDTHS.get(column.kind, 11))
            sheet.write_string(0, place, column.label, head)
            look = {"num_format": numbers[column.kind]} if column.kind in numbers else {}
            sheet.write_blank(1, place, None, workbook.add_format(look))
            sheet.write_blank(2, place, None, workbook.add_format({"bold": True, "top": 1, **look}))


def _sheet(frame: ZipFile, printout: Printout, columns: Sequence[PlainColumn]) -> Iterator[bytes]:
    """The sheet of the template, with the report's rows in place of the rows of styles."""
    sheet = _DIMENSION.sub("", frame.read(_SHEET).decode(), count=1)  # the number of rows is not known yet
    style_rows = _STYLE_ROWS.search(sheet)
    if style_rows is None:  # a report without a column that a spreadsheet could show
        yield sheet.encode()
        return
    lines, sums = ([style for row, style in _STYLE.findall(style_rows[0]) if row == number] for number in ("2", "3"))
    yield sheet[: style_rows.start()].encode()
    yield from sheet_rows(printout, columns, lines, sums)
    yield sheet[style_rows.end() :].encode()


_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMAT = Format(media_type=_TYPE, write=_write)
