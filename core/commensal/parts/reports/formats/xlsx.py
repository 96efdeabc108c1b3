"""XLSX with real numbers, dates and times, so that a spreadsheet can calculate with them. It is written row by row into
a file on disk, so that memory does not grow with the report.

The library writes a template: the workbook with its styles and headers, and an empty row for each style. Then
`sheet_rows.py` writes the rows of the report in their place, which the library takes five times as long to do.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from ....base.money import digits
from ..values import CellKind, Printout
from . import Format
from .cells import PlainColumn, plain_columns
from .sheet_rows import sheet_rows

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
