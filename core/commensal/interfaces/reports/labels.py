"""Sheets of stickers, as they are sold for A4: how many stand on one, and how to begin on one that is used in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...base.languages.catalogs import translate
from .values import Choice, Parameter, Query


class Sheet(NamedTuple):
    """Stickers across and down; their size, the margins of the sheet and the gap between columns in millimetres."""

    across: int
    down: int
    width: float
    height: float
    left: float
    top: float
    gap: float


SHEETS = {
    "3x8": Sheet(3, 8, 70, 37, 0, 0.5, 0),
    "2x7": Sheet(2, 7, 99.1, 38.1, 4.65, 15.15, 2.5),
    "2x4": Sheet(2, 4, 105, 74, 0, 0.5, 0),
}


def label_parameters(language: str) -> Sequence[Parameter]:
    """The sheet of stickers, and how many of the first sheet are gone already."""
    choices = [Choice(name, f"{one.width:g} × {one.height:g} mm") for name, one in SHEETS.items()]
    sheet = Parameter(name="sheet", label=translate(language, "Labels"), kind="choice", default="3x8", choices=choices)
    skip = Parameter(name="skip", label=translate(language, "Used already"), kind="whole", default=0, most=23)
    return [sheet, skip]


def sheet_of(query: Query) -> tuple[str, int]:
    """The name of the sheet that was chosen, and how many of its stickers are gone."""
    name = query.given.get("sheet", "3x8")
    sheet = SHEETS[name]
    return name, query.given.get("skip", 0) % (sheet.across * sheet.down)
