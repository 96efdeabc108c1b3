"""Formats cells: as texts for people, and as plain values for spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from ....base.languages.catalogs import translate
from ....base.languages.formats import format_money, format_percent, format_quantity
from ....base.money import digits
from ....base.units.measures import MEASURES
from ..values import Cell, CellKind, Column, PrintedRow, Query, Report

FormatCell = Callable[[Any], str]


def cell_formatter(column: Column, query: Query) -> FormatCell:
    """A function that formats the column's cells in the reader's language and the enterprise's time zone."""
    language, zone = query.language, ZoneInfo(query.timezone)
    by_kind: dict[CellKind, FormatCell] = {
        "text": str,
        "whole": str,
        "money": lambda cell: format_money(cell, query.currency, language),
        "quantity": lambda cell: format_quantity(cell.value, cell.unit, language),
        "percent": lambda cell: format_percent(cell, language),
        "date": lambda cell: f"{cell:%d/%m/%Y}",
        "moment": lambda cell: f"{cell.astimezone(zone):%d/%m/%Y %H:%M}",
        "tick": lambda cell: "",
        "box": lambda cell: "",
        "code": str,
    }
    format_cell = by_kind[column.kind]
    if column.kind not in ("text", "whole"):
        format_cell = lru_cache(maxsize=4096)(format_cell)  # localised formatting is slow, and values repeat
    return lambda cell: "" if cell is None else format_cell(cell)


def colon_of(language: str) -> str:
    """The colon between a label and its value, with the spaces of the language."""
    return f"{translate(language, ':')} "


@dataclass(frozen=True)
class PlainColumn:
    """A column of a spreadsheet. `make` returns the plain value of the cell at the index `place` of a line: text, int,
    Decimal (money in the currency's major unit), date, or a naive local datetime."""

    place: int
    label: str
    kind: CellKind
    make: Callable[[Any], Any]


def plain_columns(query: Query, columns: Sequence[Column]) -> list[PlainColumn]:
    """The columns of a spreadsheet: a quantity takes two, for number and unit; boxes take none."""
    places, zone, language = digits(query.currency), ZoneInfo(query.timezone), query.language
    plain: list[PlainColumn] = []
    for place, column in enumerate(columns):
        if column.kind == "quantity":
            unit = f"{column.label} ({translate(language, 'unit')})"
            plain.append(PlainColumn(place, column.label, "quantity", lambda cell: cell.value))
            plain.append(PlainColumn(place, unit, "text", lambda cell: _unit_text(cell.unit, language)))
        elif column.kind == "money":
            label = f"{column.label} ({query.currency})"
            plain.append(PlainColumn(place, label, "money", lambda cell: Decimal(cell).scaleb(-places)))
        elif column.kind == "percent":
            plain.append(PlainColumn(place, f"{column.label} (%)", "percent", _unchanged))
        elif column.kind == "moment":
            plain.append(PlainColumn(place, column.label, "moment", lambda cell: _to_local(cell, zone)))
        elif column.kind not in ("tick", "box"):
            plain.append(PlainColumn(place, column.label, column.kind, _unchanged))
    return plain


def label_sum(row: PrintedRow, report: Report, language: str, *, without: Sequence[int] = ()) -> PrintedRow:
    """Puts "Total" or "Subtotal" into the first empty cell of a row of sums: of a text column, or else of any column
    that is not summed. Skips the columns `without`. Returns other rows unchanged."""
    if row.kind not in ("subtotal", "total"):
        return row
    word = translate(language, "Total" if row.kind == "total" else "Subtotal")
    cells = list(row.cells)
    free = [
        place
        for place, column in enumerate(report.columns)
        if place not in without and cells[place] is None and not column.summed and column.kind not in ("tick", "box")
    ]
    texts = [place for place in free if report.columns[place].kind == "text"]
    for place in (texts or free)[:1]:
        cells[place] = Word(word)
    return row._replace(cells=cells)


class Word(str):
    """A text that is shown as it is, whatever the kind of its column."""


def _unchanged(cell: Cell) -> object:
    return cell


def _unit_text(term: str, language: str) -> str:
    measure = MEASURES.get(term)
    return term if measure is None else measure.symbol or measure.label(language)


def _to_local(cell: datetime, zone: ZoneInfo) -> datetime:
    return cell.astimezone(zone).replace(tzinfo=None)
