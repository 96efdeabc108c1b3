"""CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark; in French with semicolons and decimal commas.

Money is in the currency's major unit, without its symbol. A text that a spreadsheet would take for a formula gets an
apostrophe (OWASP, CSV injection). Groups have no headings here, since every line has the columns of its group.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from ....base.money import digits
from ...formats.spreadsheets import csv_writer, decimal_mark, harmless
from ..values import BATCH, Printout
from . import Format
from .cells import PlainColumn, Word, label_sum, plain_columns


def _write(printout: Printout) -> Iterator[bytes]:
    query = printout.query
    columns = plain_columns(query, printout.report.columns)
    texts = [
        (column.place, _cell_writer(column, digits(query.currency), decimal_mark(query.language))) for column in columns
    ]
    buffer = io.StringIO(newline="")
    writer = csv_writer(buffer, query.language)
    buffer.write("\ufeff")
    writer.writerow([harmless(column.label) for column in columns])
    buffered = 0
    for row in printout.rows:
        if row.kind == "group":
            continue
        cells = row.cells if row.kind == "line" else label_sum(row, printout.report, query.language).cells
        writer.writerow([text(cells[place]) for place, text in texts])
        buffered += 1
        if buffered == BATCH:
            yield _take_content(buffer)
            buffered = 0
    yield _take_content(buffer)


def _take_content(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode("utf-8")
    buffer.seek(0)
    buffer.truncate()
    return content


def _cell_writer(column: PlainColumn, places: int, comma: str) -> Callable[[object], str]:
    make, kind = column.make, column.kind

    def money(cell: Any) -> str:
        if cell is None or isinstance(cell, Word):
            return cell or ""
        if not places:
            return str(cell)
        whole = f"{abs(cell):0{places + 1}d}"
        return f"{'-' if cell < 0 else ''}{whole[:-places]}{comma}{whole[-places:]}"

    def text(cell: object) -> str:
        if cell is None or isinstance(cell, Word):
            return cell or ""
        return harmless(make(cell))

    def other(cell: object) -> str:
        if cell is None or isinstance(cell, Word):
            return cell or ""
        value = make(cell)
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M}"
        if isinstance(value, date):
            return value.isoformat()
        return f"{value:f}".replace(".", comma) if kind in ("quantity", "percent") else str(value)

    return {"money": money, "text": text}.get(kind, other)


FORMAT = Format(media_type="text/csv; charset=utf-8", write=_write)
