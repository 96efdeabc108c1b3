"""A page that prints well: A4, heads of tables on every page, groups on pages of their own, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from pathlib import Path

from ....base.languages.catalogs import translate
from ....base.languages.formats import format_moment
from ..charts import draw
from ..labels import SHEETS, sheet_of
from ..values import Column, Printout, Row
from . import Format
from .cells import Say, Word, colon_of, labelled, reader

WIDE = 9  # columns from which on the paper is turned
TOGETHER = 18  # rows of a group that a page does not divide
_STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PART = 64 * 1024  # characters


def _write(printout: Printout) -> Iterator[bytes]:
    waiting, size = [], 0
    for piece in _page(printout):
        waiting.append(piece)
        size += len(piece)
        if size >= _PART:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()


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
    shown = [place for place, one in enumerate(report.columns) if one.name not in report.grouped_by]
    names = ["paged"] if printout.paged else []
    yield f'<main class="{" ".join([*names, *(["wide"] if len(shown) >= WIDE else [])])}">'
    yield f"<header><div><h1>{escape(report.label)}</h1>"
    yield from (f"<p>{escape(one)}</p>" for one in printout.told)
    printed = translate(query.language, "Printed {when}")
    when = format_moment(printout.printed_at, query.timezone, query.language)
    yield f'</div><div class="of"><p>{escape(query.enterprise_name)}</p>'
    yield f"<p>{escape(printed.format(when=when))}</p></div></header>"
    for chart in printout.charts:
        yield f"<figure>{draw(chart, currency=query.currency, language=query.language)}</figure>"
    yield from _Tables(printout, shown).written()
    yield "</main>"


class _Tables:
    """One table, whose columns stand straight below each other; where each group has pages of its own, one for each."""

    def __init__(self, printout: Printout, shown: list[int]) -> None:
        self._printout, self._shown = printout, shown
        self._columns = printout.report.columns
        self._hidden = [place for place in range(len(self._columns)) if place not in shown]
        self._say = [reader(one, printout.query) for one in self._columns]
        self._groups = [self._reader_of(name) for name in printout.report.grouped_by]
        self._open = False

    def written(self) -> Iterator[str]:
        for rows, whole in _bodies(self._printout.rows):
            if not self._open or (rows[0].kind == "group" and rows[0].level == 0 and self._printout.paged):
                yield from self._end()
                yield from self._begin()
            yield '<tbody class="whole">\n' if whole else "<tbody>\n"
            yield from (self._heading(row) if row.kind == "group" else self._line(row) for row in rows)
            yield "</tbody>"
        if not self._open:
            nothing = translate(self._printout.query.language, "There is nothing to show.")
            yield f'<p class="nothing">{escape(nothing)}</p>'
        yield from self._end()

    def _reader_of(self, name: str) -> Say:
        return next(say for one, say in zip(self._columns, self._say, strict=True) if one.name == name)

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

    def _heading(self, row: Row) -> str:
        text = escape(self._groups[row.level](row.cells[0])) or "–"
        return f'<tr class="g{row.level}"><th scope="rowgroup" colspan="{len(self._shown)}">{text}</th></tr>\n'

    def _line(self, row: Row) -> str:
        row = labelled(row, self._printout.report, self._printout.query.language, without=self._hidden)
        cells = "".join(
            f"<td{_class(self._columns[place], row.kind)}>{escape(_said(self._say[place], row.cells[place]))}</td>"
            for place in self._shown
        )
        name = "" if row.kind == "line" else f' class="{row.kind}"'
        return f"<tr{name}>{cells}</tr>\n"


def _bodies(rows: Iterator[Row]) -> Iterator[tuple[list[Row], bool]]:
    """Rows that belong together, so many at a time; True for a short group, which a page shall not divide."""
    waiting: list[Row] = []
    begun = False  # with parts of this group
    for row in rows:
        ends = row.level == 0 and row.kind in ("group", "total")
        if waiting and (ends or len(waiting) == TOGETHER):
            yield waiting, ends and not begun and waiting[0].kind == "group"
            waiting, begun = [], not ends
        waiting.append(row)
    if waiting:
        yield waiting, not begun and waiting[0].kind in ("group", "total")


def _said(say: Say, cell: object) -> str:
    return cell if isinstance(cell, Word) else say(cell)


def _class(column: Column, kind: str = "line") -> str:
    if column.kind in ("tick", "box"):
        return f' class="{column.kind}"' if kind == "line" else ""
    if column.numeric:
        return ' class="n"'
    return ' class="d"' if column.kind in ("date", "moment") else ""


def _stickers(printout: Printout) -> Iterator[str]:
    name, skip = sheet_of(printout.query)
    each = SHEETS[name].across * SHEETS[name].down
    stickers = (one for part in (['<div class="sticker"></div>'] * skip, _each_sticker(printout)) for one in part)
    while sheet := list(islice(stickers, each)):
        yield f'<main class="sheet s{name}">'
        yield from sheet
        yield "</main>\n"


def _each_sticker(printout: Printout) -> Iterator[str]:
    columns = printout.report.columns
    say = [reader(one, printout.query) for one in columns]
    for row in printout.rows:
        if row.kind == "line":
            first, *others = sticker_texts(columns, say, row, colon_of(printout.query.language))
            lines = "<br>".join(escape(one) for one in others)
            yield f'<div class="sticker"><strong>{escape(first)}</strong>{lines}</div>'


def sticker_texts(columns: Sequence[Column], say: list[Say], row: Row, colon: str) -> Iterator[str]:
    """What stands on a sticker, line by line: numbers with their label, texts alone, nothing for what is empty."""
    for place, (one, words, cell) in enumerate(zip(columns, say, row.cells, strict=True)):
        text = words(cell)
        if place == 0 or (text and not one.numeric):
            yield text
        elif text:
            yield f"{one.label}{colon}{text}"


FORMAT = Format(
    media_type="text/html; charset=utf-8",
    write=_write,
    headers=(("Content-Security-Policy", _POLICY),),
    shown=True,
)
