"""Usual A4 sheets of stickers: how many each has, and how to begin on a sheet that is partly used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...base.languages.catalogs import translate
from .values import Choice, Parameter, Query


class Sheet(NamedTuple):
    """The number of stickers across and down; their size, the margins and the gap between columns in millimetres."""

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
    """Parameters for the sheet, and for the number of stickers of the first sheet that are used already."""
    choices = [Choice(name, f"{sheet_size.width:g} × {sheet_size.height:g} mm") for name, sheet_size in SHEETS.items()]
    sheet = Parameter(
        name="sheet", label=translate(language, "Sheet of labels"), kind="choice", default="3x8", choices=choices
    )
    skip = Parameter(name="skip", label=translate(language, "Used already"), kind="whole", default=0, most=23)
    return [sheet, skip]


def receipt_parameters(language: str) -> Sequence[Parameter]:
    """A parameter for the width of the paper of a receipt printer."""
    choices = [Choice(str(width), f"{width} mm") for width in (80, 58)]
    label = translate(language, "Width of the paper")
    return [Parameter(name="paper", label=label, kind="choice", default="80", choices=choices)]


def sheet_of(query: Query) -> tuple[str, int]:
    """The name of the chosen sheet, and how many of its stickers are used already."""
    name = query.given.get("sheet", "3x8")
    sheet = SHEETS[name]
    return name, query.given.get("skip", 0) % (sheet.across * sheet.down)
