"""Reads the first visible sheet of an XLSX file, after checking that it is no larger than a product list may be.

An XLSX file is a zip of XML, and a small file can demand much memory: a few bytes that unpack to gigabytes, or a cell
in row 1,048,576 for which the reader allocates all rows before it. So each part is unpacked up to a limit and parsed
once as XML; the parts that pass are packed into a copy, and only the copy is opened.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from ...base.errors import Refused

LARGEST_UNPACKED = 60_000_000  # bytes, all parts together: twenty thousand full rows are about half of it
MOST_PARTS = 300
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def read_spreadsheet(content: bytes, *, most_rows: int, most_columns: int) -> Iterator[list[str]]:
    """Yields all rows, empty ones included; cells with a formula have its value.

    Raises `Refused` for a file that is damaged, locked with a password, or too large.
    """
    copy = _checked_copy(content, most_rows, most_columns)
    try:
        with CalamineWorkbook.from_filelike(copy) as workbook:
            sheets = [
                sheet.name
                for sheet in workbook.sheets_metadata
                if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
            ]
            if not sheets:
                raise Refused("no_sheet", "This file has no sheet that can be seen.")
            rows = workbook.get_sheet_by_name(sheets[0]).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged() from error
    for cells in rows:
        yield [as_text(value) for value in cells]


def as_text(value: object) -> str:
    """A cell's value as a person would type it. Numbers have the 15 digits that a spreadsheet shows."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(format(value, ".15g")), "f")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _checked_copy(content: bytes, most_rows: int, most_columns: int) -> io.BytesIO:
    """A zip without compression of the XML parts, each unpacked and parsed within the limits."""
    copy, remaining = io.BytesIO(), LARGEST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(copy, "w") as checked:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise _too_large()
            if len({part.filename for part in parts}) < len(parts):
                raise _damaged()
            for part in parts:
                if not part.filename.endswith((".xml", ".rels")):
                    continue
                data = _unpack(packed, part, remaining)
                remaining -= len(data)
                _measure(data, most_rows, most_columns)
                checked.writestr(part.filename, data)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError, expat.ExpatError) as error:
        raise _damaged() from error
    copy.seek(0)
    return copy


def _unpack(packed: zipfile.ZipFile, part: zipfile.ZipInfo, limit: int) -> bytes:
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged()  # no spreadsheet program writes others, and the file decides how much memory they take
    with packed.open(part) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise _too_large()
    return data


def _measure(data: bytes, most_rows: int, most_columns: int) -> None:
    """Parses a part as XML. Refuses a document type declaration, and values in cells beyond the limits.

    A cell stands where its reference says, or else after the cell before it. Cells without a value do not count:
    LibreOffice may format the very last row.
    """
    row = column = 0  # by counting
    position = (0, 0)  # of the current cell, by counting or by its reference, whichever is farther

    def doctype(*declared: object) -> None:
        raise _damaged()

    def element(prefixed: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, position
        name = prefixed.rpartition(":")[2]
        if name == "row":
            row, column = int(attributes.get("r", row + 1)), 0
        elif name == "c":
            named_column, named_row = _place(attributes["r"]) if "r" in attributes else (0, 0)
            column = max(column + 1, named_column)
            position = (column, max(row, named_row))
        elif name in ("v", "is") and (position[0] > most_columns or position[1] > most_rows):
            raise _too_large()

    parser = expat.ParserCreate("utf-8")  # whatever the part claims: calamine reads UTF-8 alone
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    parser.Parse(data, True)


def _place(reference: str) -> tuple[int, int]:
    """Column and row of a reference like AB12, counted from 1."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise _damaged()
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(match[2])


def _too_large() -> Refused:
    return Refused(
        "too_large", "This spreadsheet is larger than a product list may be. Copy the list alone into a new file."
    )


def _damaged() -> Refused:
    return Refused("damaged", "This file is not a spreadsheet that can be read. Save it again as XLSX or as CSV.")
