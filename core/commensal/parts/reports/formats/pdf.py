"""PDF, made with typst: A4, numbered pages, table headers on every page. Needs the extra `pdf`.

The template is always the same file; the texts of people are passed as JSON, so that none can be read as markup. A PDF
is made in memory as a whole, so its length is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from ....base.errors import Refused
from ....base.languages.catalogs import translate
from ....base.languages.formats import format_moment
from ..charts import draw
from ..labels import SHEETS, sheet_of
from ..values import PrintedRow, Printout
from . import Format
from .cells import Word, cell_formatter, colon_of, label_sum
from .html import MIN_LANDSCAPE_COLUMNS, code_of, sticker_texts

MAX_ROWS = 5000
_MOST_LARGE_COLUMNS = 8  # with more, the type is smaller than what is read at arm's length
_WIDEST = 40  # letters; a longer text wraps instead of widening its column
_FITTING = 12  # letters; a column of wider texts shares what room is left, and wraps
_TELEPHONE = re.compile(r"\+?\d[\d ().-]{5,24}")  # read aloud or typed, so it stands in one line
_TEMPLATE = Path(__file__).with_name("report.typ")


class NoTypesetter(Refused):
    """The extra `pdf` is not installed."""

    status = 501

    def __init__(self) -> None:
        text = "This instance does not make PDF files. Its operator can add that: pip install 'commensal[pdf]'."
        super().__init__("no_pdf", text)


class TooLong(Refused):
    """The report has more than `MAX_ROWS` rows."""

    def __init__(self) -> None:
        text = "This report has more than {most} rows; take it as HTML, CSV or XLSX, or for a shorter time."
        super().__init__("too_long", text, most=MAX_ROWS)


def _write(printout: Printout) -> Iterator[bytes]:
    yield typeset(printout, "pdf")


def typeset(printout: Printout, kind: Literal["pdf", "png"]) -> bytes:
    """The document as "pdf", or its only page as "png". Raises `NoTypesetter`, `TooLong`."""
    try:
        import typst
    except ModuleNotFoundError:
        raise NoTypesetter from None
    body = _stickers(printout) if printout.report.layout == "labels" else _tables(printout)
    body["layout"] = printout.report.layout
    body["paper"] = int(printout.query.given.get("paper", 80))
    files = {"main.typ": _TEMPLATE.read_bytes(), "data.json": msgspec.json.encode({**_frame(printout), **body})}
    query = printout.query
    for number, chart in enumerate(printout.charts):
        files[f"chart{number}.svg"] = draw(chart, currency=query.currency, language=query.language).encode()
    compile_files: Any = typst.compile  # its type hints lack the dict of files
    content: bytes = compile_files(files, format=kind)
    return content


def _frame(printout: Printout) -> dict[str, object]:
    query = printout.query
    when = format_moment(printout.printed_at, query.timezone, query.language)
    return {
        "title": printout.report.label,
        "enterprise": query.enterprise_name,
        "subtitles": list(printout.subtitles),
        "printed": translate(query.language, "Printed {when}").format(when=when),
        "nothing": translate(query.language, "There is nothing to show."),
        "language": query.language,
        "charts": [
            {"file": f"chart{number}.svg", "title": chart.title} for number, chart in enumerate(printout.charts)
        ],
    }


def _tables(printout: Printout) -> dict[str, object]:
    """The data of the template for a table: sections, one for each outermost group, with rows of texts."""
    report, query = printout.report, printout.query
    visible = [place for place, column in enumerate(report.columns) if column.name not in report.grouped_by]
    hidden = [place for place in range(len(report.columns)) if place not in visible]
    formatters = {column.name: cell_formatter(column, query) for column in report.columns}
    sections: list[dict[str, Any]] = []
    for number, row in enumerate(printout.rows):
        if number > MAX_ROWS:
            raise TooLong
        if row.kind == "group" and row.level == 0:
            sections.append({"heading": formatters[report.grouped_by[0]](row.cells[0]) or "–", "rows": []})
            continue
        if not sections:
            sections.append({"heading": "", "rows": []})
        if row.kind == "group":
            texts = [formatters[report.grouped_by[row.level]](row.cells[0]) or "–"]
        else:
            texts = _texts(label_sum(row, report, query.language, without=hidden), report.columns, visible, formatters)
        sections[-1]["rows"].append({"kind": row.kind, "cells": texts})
    columns = [report.columns[place] for place in visible]
    lines = [row["cells"] for section in sections for row in section["rows"] if row["kind"] == "line"]
    wide = [_letters([line[place] for line in lines]) for place in range(len(columns))]
    return {
        "columns": [
            {
                "label": column.label,
                "right": column.numeric,
                "kind": column.kind,
                "share": max(letters, _longest_word(column.label), 6),
            }
            for column, letters in zip(columns, wide, strict=True)
        ],
        "sections": sections,
        "large": len(visible) <= _MOST_LARGE_COLUMNS,
        "wide": len(visible) >= MIN_LANDSCAPE_COLUMNS,
        "paged": printout.paged,
    }


def _letters(texts: Sequence[str]) -> int:
    """How much room a column gets for these texts; one of telephone numbers gets what it needs."""
    written = [text for text in texts if text]
    if written and all(map(_TELEPHONE.fullmatch, written)):
        return _FITTING
    return min(max(map(len, texts), default=0), _WIDEST)


def _longest_word(label: str) -> int:
    return max(map(len, label.split()), default=0)


def _texts(row: PrintedRow, columns: Any, visible: list[int], formatters: dict[str, Any]) -> list[str]:
    cells = [(columns[place].name, row.cells[place]) for place in visible]
    return [str(cell) if isinstance(cell, Word) else formatters[name](cell) for name, cell in cells]


def _stickers(printout: Printout) -> dict[str, object]:
    name, skip = sheet_of(printout.query)
    columns = printout.report.columns
    formatters = [cell_formatter(column, printout.query) for column in columns]
    colon = colon_of(printout.query.language)
    stickers: list[dict[str, object]] = [{"texts": [""], "code": ""}] * skip
    for row in printout.rows:
        if row.kind == "line":
            texts = list(sticker_texts(columns, formatters, row, colon))
            stickers.append({"texts": texts, "code": code_of(columns, row)})
        if len(stickers) > MAX_ROWS:
            raise TooLong
    return {"sheet": SHEETS[name]._asdict(), "stickers": stickers}


FORMAT = Format(media_type="application/pdf", write=_write, shown=True)
