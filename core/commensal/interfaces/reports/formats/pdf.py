"""PDF by typst: A4, numbered pages, heads of tables on every page. Needs the extra `pdf`.

The template is always the same file; what people wrote travels beside it as JSON, so that no text can be taken for
markup. A PDF is set in memory, as a whole, and its length is limited.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from ....base.errors import Refused
from ....base.languages.catalogs import translate
from ....base.languages.formats import format_moment
from ..charts import draw
from ..labels import SHEETS, sheet_of
from ..values import Printout, Row
from . import Format
from .cells import Word, colon_of, labelled, reader
from .html import WIDE, sticker_texts

MOST_ROWS = 5000
_WIDEST = 40  # letters in a line, beyond which a text takes another line rather than more of the paper
_TEMPLATE = Path(__file__).with_name("report.typ")


class NoTypesetter(Refused):
    """The extra is not installed."""

    status = 501

    def __init__(self) -> None:
        text = "This instance does not make PDF files. Its operator can add that: pip install 'commensal[pdf]'."
        super().__init__("no_pdf", text)


class TooLong(Refused):
    """More than anybody prints."""

    def __init__(self) -> None:
        text = "This report has more than {most} rows; take it as HTML, CSV or XLSX, or for a shorter time."
        super().__init__("too_long", text, most=MOST_ROWS)


def _write(printout: Printout) -> Iterator[bytes]:
    yield typeset(printout, "pdf")


def typeset(printout: Printout, kind: Literal["pdf", "png"]) -> bytes:
    """The document as "pdf", or its only page as "png". Raises `NoTypesetter`, `TooLong`."""
    try:
        import typst
    except ModuleNotFoundError:
        raise NoTypesetter from None
    said = _stickers(printout) if printout.report.layout == "labels" else _tables(printout)
    files = {
        "main.typ": _TEMPLATE.read_bytes(),
        "data.json": msgspec.json.encode({**_frame(printout), **said}),
    }
    query = printout.query
    for number, chart in enumerate(printout.charts):
        files[f"chart{number}.svg"] = draw(chart, currency=query.currency, language=query.language).encode()
    compiled: Any = typst.compile  # its types do not know that it takes several files
    content: bytes = compiled(files, format=kind)
    return content


def _frame(printout: Printout) -> dict[str, Any]:
    query = printout.query
    when = format_moment(printout.printed_at, query.timezone, query.language)
    return {
        "title": printout.report.label,
        "enterprise": query.enterprise_name,
        "told": list(printout.told),
        "printed": translate(query.language, "Printed {when}").format(when=when),
        "nothing": translate(query.language, "There is nothing to show."),
        "language": query.language,
        "charts": [{"file": f"chart{number}.svg", "title": one.title} for number, one in enumerate(printout.charts)],
    }


def _tables(printout: Printout) -> dict[str, Any]:
    """Sections, one for each outermost group, with rows of texts."""
    report, query = printout.report, printout.query
    shown = [place for place, one in enumerate(report.columns) if one.name not in report.grouped_by]
    hidden = [place for place in range(len(report.columns)) if place not in shown]
    say = {one.name: reader(one, query) for one in report.columns}
    sections: list[dict[str, Any]] = []
    for number, row in enumerate(printout.rows):
        if number > MOST_ROWS:
            raise TooLong
        if row.kind == "group" and row.level == 0:
            sections.append({"heading": say[report.grouped_by[0]](row.cells[0]) or "–", "rows": []})
            continue
        if not sections:
            sections.append({"heading": "", "rows": []})
        if row.kind == "group":
            texts = [say[report.grouped_by[row.level]](row.cells[0]) or "–"]
        else:
            texts = _texts(labelled(row, report, query.language, without=hidden), report.columns, shown, say)
        sections[-1]["rows"].append({"kind": row.kind, "cells": texts})
    columns = [report.columns[place] for place in shown]
    lines = [row["cells"] for section in sections for row in section["rows"] if row["kind"] == "line"]
    wide = [min(max((len(line[place]) for line in lines), default=0), _WIDEST) for place in range(len(columns))]
    return {
        "layout": "table",
        "columns": [
            {"label": one.label, "right": one.numeric, "kind": one.kind, "share": max(letters, 6)}
            for one, letters in zip(columns, wide, strict=True)
        ],
        "sections": sections,
        "wide": len(shown) >= WIDE,
        "paged": printout.paged,
    }


def _texts(row: Row, columns: Any, shown: list[int], say: dict[str, Any]) -> list[str]:
    cells = [(columns[place].name, row.cells[place]) for place in shown]
    return [str(cell) if isinstance(cell, Word) else say[name](cell) for name, cell in cells]


def _stickers(printout: Printout) -> dict[str, Any]:
    name, skip = sheet_of(printout.query)
    columns = printout.report.columns
    say = [reader(one, printout.query) for one in columns]
    colon = colon_of(printout.query.language)
    stickers: list[list[str]] = [[""]] * skip
    for row in printout.rows:
        if row.kind == "line":
            stickers.append(list(sticker_texts(columns, say, row, colon)))
        if len(stickers) > MOST_ROWS:
            raise TooLong
    return {"layout": "labels", "sheet": SHEETS[name]._asdict(), "stickers": stickers}


FORMAT = Format(media_type="application/pdf", write=_write, shown=True)
