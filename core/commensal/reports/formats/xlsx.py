"""XLSX with real numbers, days and moments, so that a spreadsheet reckons on: written row by row into a file on disk,
so that memory does not grow with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ...errors import Refused
from ...money import digits
from ..values import Kind, Printout, Row
from . import Format
from .cells import PlainColumn, Word, labelled, plain_columns

MOST_ROWS = 1_048_576  # that the format has
_LONGEST = 32_767  # characters of a cell
_WIDTHS: dict[Kind, int] = {"text": 26, "moment": 17, "date": 12}  # in characters
_PART = 256 * 1024  # bytes


class TooManyRows(Refused):
    """A sheet has no room for them."""

    def __init__(self) -> None:
        text = "A spreadsheet has at most {most} rows, and this report has more. Take it as CSV, or for a shorter time."
        super().__init__("too_many_rows", text, most=MOST_ROWS)


def _write(printout: Printout) -> Iterator[bytes]:
    import xlsxwriter  # type: ignore[import-untyped]  # it takes long to load, and few spreadsheets are written

    with tempfile.TemporaryDirectory(prefix="commensal-report-") as folder:
        file = Path(folder) / "report.xlsx"
        options = {"constant_memory": True, "tmpdir": folder, "default_date_format": "yyyy-mm-dd"}
        with xlsxwriter.Workbook(str(file), options) as workbook:
            workbook.set_properties(
                {"title": printout.report.label, "created": printout.printed_at.replace(tzinfo=None)}
            )
            _Sheet(workbook, printout).fill()
        with file.open("rb") as source:
            while part := source.read(_PART):
                yield part


class _Sheet:
    def __init__(self, workbook: Any, printout: Printout) -> None:
        self._printout, self._language = printout, printout.query.language
        self._sheet = workbook.add_worksheet()
        self._columns = plain_columns(printout.query, printout.report.columns)
        self._head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        numbers = {"money": f"#,##0.{'0' * digits(printout.query.currency)}".rstrip("."), "date": "yyyy-mm-dd"}
        numbers |= {"moment": "yyyy-mm-dd hh:mm"}
        self._formats, self._bold = [
            [
                workbook.add_format({**look, **({"num_format": numbers[one.kind]} if one.kind in numbers else {})})
                for one in self._columns
            ]
            for look in ({}, {"bold": True, "top": 1})
        ]

    def fill(self) -> None:
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, _WIDTHS.get(column.kind, 11))
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column.label, self._head)
        number = 0
        for row in self._printout.rows:
            if row.kind != "group":
                number += 1
                if number >= MOST_ROWS:
                    raise TooManyRows
                self._write(number, row)

    def _write(self, number: int, row: Row) -> None:
        line = row.kind == "line"
        cells = row.cells if line else labelled(row, self._printout.report, self._language).cells
        looks = self._formats if line else self._bold
        for place, (column, look) in enumerate(zip(self._columns, looks, strict=True)):
            cell = cells[column.place]
            if cell is not None:
                self._cell(number, place, column, cell, look)
            elif not line:
                self._sheet.write_blank(number, place, None, look)

    def _cell(self, number: int, place: int, column: PlainColumn, cell: Any, look: Any) -> None:
        value = cell if isinstance(cell, Word) else column.make(cell)
        if isinstance(value, str):
            if value:
                self._sheet.write_string(number, place, value[:_LONGEST], look)
        elif isinstance(value, datetime | date):
            self._sheet.write_datetime(number, place, value, look)
        else:
            self._sheet.write_number(number, place, float(value), look)


_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMAT = Format(media_type=_TYPE, write=_write)
