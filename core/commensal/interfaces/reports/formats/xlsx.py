"""XLSX with real numbers, days and moments, so that a spreadsheet reckons on: written row by row into a file on disk,
so that memory does not grow with it.

The library makes a frame: the workbook with its styles and headers, and one row for each look. The report's rows stand
where those stood, as `sheet_rows.py` writes them; asked for each cell, the library took five times as long in all.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from ....base.money import digits
from ..values import Kind, Printout
from . import Format
from .cells import PlainColumn, plain_columns
from .sheet_rows import sheet_rows

_WIDTHS: dict[Kind, int] = {"text": 26, "moment": 17, "date": 12}  # in characters
_PART = 256 * 1024  # bytes
_EFFORT = 4  # of the compression: 6 makes a file that is a twentieth smaller, in twice the time
_SHEET = "xl/worksheets/sheet1.xml"
_LOOKS = re.compile(r'<row r="2".*(?=</sheetData>)', re.DOTALL)
_STYLE = re.compile(r'<c r="[A-Z]+(\d+)" s="(\d+)"/>')
_DIMENSION = re.compile(r"<dimension [^>]*>")


def _write(printout: Printout) -> Iterator[bytes]:
    columns = plain_columns(printout.query, printout.report.columns)
    with tempfile.TemporaryDirectory(prefix="commensal-report-") as folder:
        frame, file = Path(folder) / "frame.xlsx", Path(folder) / "report.xlsx"
        _write_frame(frame, printout, columns)
        with ZipFile(frame) as given, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_EFFORT) as whole:
            for part in given.infolist():
                with whole.open(part.filename, "w") as out:
                    for content in [given.read(part)] if part.filename != _SHEET else _sheet(given, printout, columns):
                        out.write(content)
        with file.open("rb") as source:
            while content := source.read(_PART):
                yield content


def _write_frame(file: Path, printout: Printout, columns: Sequence[PlainColumn]) -> None:
    """The headers in the first row, a line's look in the second, that of sums in the third."""
    import xlsxwriter  # type: ignore[import-untyped]  # it takes long to load, and few spreadsheets are written

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
            kind = {"num_format": numbers[column.kind]} if column.kind in numbers else {}
            sheet.write_blank(1, place, None, workbook.add_format(kind))
            sheet.write_blank(2, place, None, workbook.add_format({"bold": True, "top": 1, **kind}))


def _sheet(frame: ZipFile, printout: Printout, columns: Sequence[PlainColumn]) -> Iterator[bytes]:
    """The sheet of the frame, with the report's rows instead of those that only show how they look."""
    sheet = _DIMENSION.sub("", frame.read(_SHEET).decode(), count=1)  # how many rows there will be, nobody knows yet
    looks = _LOOKS.search(sheet)
    if looks is None:  # a report without a column that a spreadsheet could show
        yield sheet.encode()
        return
    lines, sums = ([style for row, style in _STYLE.findall(looks[0]) if row == number] for number in ("2", "3"))
    yield sheet[: looks.start()].encode()
    yield from sheet_rows(printout, columns, lines, sums)
    yield sheet[looks.end() :].encode()


_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMAT = Format(media_type=_TYPE, write=_write)
