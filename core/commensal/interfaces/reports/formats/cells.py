"""What a cell says: to people, and to spreadsheets."""

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
from ..values import Cell, Column, Kind, Query, Report, Row

Say = Callable[[Any], str]


def reader(column: Column, query: Query) -> Say:
    """How the column's cells are said to people, in their language and the enterprise's time zone."""
    language, zone = query.language, ZoneInfo(query.timezone)
    said: dict[Kind, Say] = {
        "text": str,
        "whole": str,
        "money": lambda cell: format_money(cell, query.currency, language),
        "quantity": lambda cell: format_quantity(cell.value, cell.unit, language),
        "percent": lambda cell: format_percent(cell, language),
        "date": lambda cell: f"{cell:%d/%m/%Y}",
        "moment": lambda cell: f"{cell.astimezone(zone):%d/%m/%Y %H:%M}",
        "tick": lambda cell: "",
        "box": lambda cell: "",
    }
    say = said[column.kind]
    if column.kind not in ("text", "whole"):
        say = lru_cache(maxsize=4096)(say)  # to write in a language is slow, and the same values come again and again
    return lambda cell: "" if cell is None else say(cell)


def colon_of(language: str) -> str:
    """What stands between a label and its value: in French with a space before it."""
    return "\N{NARROW NO-BREAK SPACE}: " if language == "fr" else ": "


@dataclass(frozen=True)
class PlainColumn:
    """A column of a spreadsheet. `make` gives the plain value of the cell that stands at `place` of a line: text, int,
    Decimal (money in the currency's major unit), date, or a naive local datetime."""

    place: int
    label: str
    kind: Kind
    make: Callable[[Any], Any]


def plain_columns(query: Query, columns: Sequence[Column]) -> list[PlainColumn]:
    """A quantity takes two columns, its number and its unit; boxes to write into take none."""
    places, zone, language = digits(query.currency), ZoneInfo(query.timezone), query.language
    found: list[PlainColumn] = []
    for place, one in enumerate(columns):
        if one.kind == "quantity":
            unit = f"{one.label} ({translate(language, 'unit')})"
            found.append(PlainColumn(place, one.label, "quantity", lambda cell: cell.value))
            found.append(PlainColumn(place, unit, "text", lambda cell: _unit(cell.unit, language)))
        elif one.kind == "money":
            label = f"{one.label} ({query.currency})"
            found.append(PlainColumn(place, label, "money", lambda cell: Decimal(cell).scaleb(-places)))
        elif one.kind == "percent":
            found.append(PlainColumn(place, f"{one.label} (%)", "percent", _same))
        elif one.kind == "moment":
            found.append(PlainColumn(place, one.label, "moment", lambda cell: _local(cell, zone)))
        elif one.kind not in ("tick", "box"):
            found.append(PlainColumn(place, one.label, one.kind, _same))
    return found


def labelled(row: Row, report: Report, language: str, *, without: Sequence[int] = ()) -> Row:
    """Sums with the word for them in the first cell of a text that is free, or else in any, but for those `without`."""
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
    """A text that stands as it is, whatever the kind of its column."""


def _same(cell: Cell) -> Any:
    return cell


def _unit(term: str, language: str) -> str:
    measure = MEASURES.get(term)
    return term if measure is None else measure.symbol or measure.label(language)


def _local(cell: datetime, zone: ZoneInfo) -> datetime:
    return cell.astimezone(zone).replace(tzinfo=None)
