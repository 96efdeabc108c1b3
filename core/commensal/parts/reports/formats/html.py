"""HTML that prints well: A4, table headers on every page, groups on pages of their own, no external resources."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from pathlib import Path

import segno

from ....base.languages.catalogs import translate
from ....base.languages.formats import format_moment
from ..charts import draw
from ..labels import SHEETS, sheet_of
from ..values import Column, PrintedRow, Printout
from . import Format
from .cells import FormatCell, Word, cell_formatter, colon_of, label_sum

MIN_LANDSCAPE_COLUMNS = 9  # with so many columns, the paper is turned
MAX_UNBROKEN_ROWS = 18  # a group of up to so many rows is kept on one page
_STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PART = 64 * 1024  # characters


def _write(printout: Printout) -> Iterator[bytes]:
    pieces, size = [], 0
    for piece in _page(printout):
        pieces.append(piece)
        size += len(piece)
        if size >= _PART:
            yield "".join(pieces).encode()
            pieces, size = [], 0
    yield "".join(pieces).encode()


def _page(printout: Printout) -> Iterator[str]:
    report, query = printout.report, printout.query
    title = escape(f"{report.label} · {query.enterprise_name}")
    yield f'<!DOCTYPE html>\n<html lang="{escape(query.language)}"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style></head>\n<body>"
    if report.layout == "labels":
        yield from _stickers(printout)
    else:
        yield from _list(printout)
    yield "</body></html>\n"


def _list(printout: Printout) -> Iterator[str]:
    report, query = printout.report, printout.query
    visible = [place for place, column in enumerate(report.columns) if column.name not in report.grouped_by]
    names = ["paged"] if printout.paged else []
    yield f'<main class="{" ".join([*names, *(["wide"] if len(visible) >= MIN_LANDSCAPE_COLUMNS else [])])}">'
    yield f"<header><div><h1>{escape(report.label)}</h1>"
    yield from (f"<p>{escape(subtitle)}</p>" for subtitle in printout.subtitles)
    text = translate(query.language, "Printed {when}")
    when = format_moment(printout.printed_at, query.timezone, query.language)
    yield f'</div><div class="of"><p>{escape(query.enterprise_name)}</p>'
    yield f"<p>{escape(text.format(when=when))}</p></div></header>"
    for chart in printout.charts:
        yield f"<figure>{draw(chart, currency=query.currency, language=query.language)}</figure>"
    yield from _Tables(printout, visible).render()
    yield "</main>"


class _Tables:
    """One table, so that all columns are aligned; or a table for each group, if each group begins a new page."""

    def __init__(self, printout: Printout, visible: list[int]) -> None:
        self._printout, self._shown = printout, visible
        self._columns = printout.report.columns
        self._hidden = [place for place in range(len(self._columns)) if place not in visible]
        self._formatters = [cell_formatter(column, printout.query) for column in self._columns]
        self._groups = [self._formatter_of(name) for name in printout.report.grouped_by]
        self._open = False

    def render(self) -> Iterator[str]:
        for rows, unbroken in _group_rows(self._printout.rows):
            if not self._open or (rows[0].kind == "group" and rows[0].level == 0 and self._printout.paged):
                yield from self._end()
                yield from self._begin()
            yield '<tbody class="whole">\n' if unbroken else "<tbody>\n"
            yield from (self._heading(row) if row.kind == "group" else self._line(row) for row in rows)
            yield "</tbody>"
        if not self._open:
            nothing = translate(self._printout.query.language, "There is nothing to show.")
            yield f'<p class="nothing">{escape(nothing)}</p>'
        yield from self._end()

    def _formatter_of(self, name: str) -> FormatCell:
        return next(
            format_cell
            for column, format_cell in zip(self._columns, self._formatters, strict=True)
            if column.name == name
        )

    def _begin(self) -> Iterator[str]:
        self._open = True
        heads = (
            f'<th scope="col"{_class(self._columns[place], "head")}>{escape(self._columns[place].label)}</th>'
            for place in self._shown
        )
        yield f"<table><thead><tr>{''.join(heads)}</tr></thead>"

    def _end(self) -> Iterator[str]:
        if self._open:
            self._open = False
            yield "</table>\n"

    def _heading(self, row: PrintedRow) -> str:
        first, *notes = escape(self._groups[row.level](row.cells[0])).split("\n")
        text = (first or "–") + "".join(f'<p class="written">{note}</p>' for note in notes)
        return f'<tr class="g{row.level}"><th scope="rowgroup" colspan="{len(self._shown)}">{text}</th></tr>\n'

    def _line(self, row: PrintedRow) -> str:
        row = label_sum(row, self._printout.report, self._printout.query.language, without=self._hidden)
        cells = "".join(
            f"<td{_class(column, row.kind)}>{escape(_cell_text(format_cell, cell))}</td>"
            for column, format_cell, cell in (
                (self._columns[place], self._formatters[place], row.cells[place]) for place in self._shown
            )
        )
        name = "" if row.kind == "line" else f' class="{row.kind}"'
        return f"<tr{name}>{cells}</tr>\n"


def _group_rows(rows: Iterator[PrintedRow]) -> Iterator[tuple[list[PrintedRow], bool]]:
    """The rows in batches of one group; True for a short group, which is kept on one page."""
    group_rows: list[PrintedRow] = []
    is_continued = False  # whether a batch of this group was returned already
    for row in rows:
        ends_group = row.level == 0 and row.kind in ("group", "total")
        if group_rows and (ends_group or len(group_rows) == MAX_UNBROKEN_ROWS):
            yield group_rows, ends_group and not is_continued and group_rows[0].kind == "group"
            group_rows, is_continued = [], not ends_group
        group_rows.append(row)
    if group_rows:
        yield group_rows, not is_continued and group_rows[0].kind in ("group", "total")


def _cell_text(format_cell: FormatCell, cell: object) -> str:
    return cell if isinstance(cell, Word) else format_cell(cell)


def _class(column: Column, kind: str = "line") -> str:
    if column.kind in ("tick", "box"):
        return f' class="{column.kind}"' if kind == "line" else ""
    if column.numeric:
        return ' class="n"'
    return ' class="d"' if column.kind in ("date", "moment") else ""


def _stickers(printout: Printout) -> Iterator[str]:
    name, skip = sheet_of(printout.query)
    stickers_per_sheet = SHEETS[name].across * SHEETS[name].down
    stickers = (
        sticker for part in (['<div class="sticker"></div>'] * skip, _each_sticker(printout)) for sticker in part
    )
    while sheet := list(islice(stickers, stickers_per_sheet)):
        yield f'<main class="sheet s{name}">'
        yield from sheet
        yield "</main>\n"


def _each_sticker(printout: Printout) -> Iterator[str]:
    columns = printout.report.columns
    formatters = [cell_formatter(column, printout.query) for column in columns]
    for row in printout.rows:
        if row.kind == "line":
            first, *other_texts = sticker_texts(columns, formatters, row, colon_of(printout.query.language))
            second, *lines = [escape(text) for text in other_texts] or [""]
            heading = f"{code_of(columns, row)}<strong>{escape(first)}</strong>"
            below = "".join(f"<span>{line}</span>" for line in lines)
            yield f'<div class="sticker">{heading}<b>{second}</b>{below}</div>'


def code_of(columns: Sequence[Column], row: PrintedRow) -> str:
    """The QR code of a sticker as an SVG element; "" without a column of the kind "code"."""
    contents = (cell for column, cell in zip(columns, row.cells, strict=True) if column.kind == "code" and cell)
    content = next(contents, None)
    if content is None:
        return ""
    return segno.make_qr(str(content)).svg_inline(border=0, omitsize=True, svgclass="code")


def sticker_texts(
    columns: Sequence[Column], formatters: list[FormatCell], row: PrintedRow, colon: str
) -> Iterator[str]:
    """The lines of a sticker: numbers with their label, texts alone, and nothing for empty cells and codes."""
    for place, (column, format_cell, cell) in enumerate(zip(columns, formatters, row.cells, strict=True)):
        if column.kind == "code":
            continue
        text = format_cell(cell)
        if place == 0 or (text and not column.numeric):
            yield text
        elif text:
            yield f"{column.label}{colon}{text}"


FORMAT = Format(
    media_type="text/html; charset=utf-8", write=_write, headers=(("Content-Security-Policy", _POLICY),), shown=True
)
