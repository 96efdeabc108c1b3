"""What can be asked of an enterprise's data, as lists of named fields: plugins and presets name fields, never SQL.

A segment is a kind of line (order lines, orders, payments …) with all that stands beside it. Every one of them holds
the enterprise's own data only, and only orders that are placed and not cancelled, but for what it owes suppliers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from ...base.errors import NotFound
from ...base.languages.catalogs import translate
from .values import Cell, Kind, Query

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class Field:
    """expression: what is asked; for quantities with the `unit` beside it, and in `grains` of it where it is a stock's
    sort:       what lines are ordered by before the text itself: without accents and capitals; None: nothing else
    summed:     its sum means something
    total:      how the database sums it up, where the lines are put together
    shown:      what is shown for what the database says
    """

    name: str
    label: str
    kind: Kind
    expression: ColumnElement[Any]
    unit: ColumnElement[str] | None = None
    grains: ColumnElement[int] | None = None
    sort: ColumnElement[Any] | None = None
    total: ColumnElement[Any] | None = None
    shown: Callable[[str], Cell] | None = None

    @property
    def summed(self) -> bool:
        return self.total is not None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """conditions: what makes a row the enterprise's, and of the sale or the period that the query is about
    scope:      what a reader must hold at the enterprise
    dated:      whether a sale or a period chooses among its rows
    """

    name: str
    label: str
    source: FromClause
    conditions: Callable[[Query], Conditions]
    scope: str = "orders:read"
    dated: bool = True
    fields: Mapping[str, Field] = field(default_factory=dict)

    def field(self, name: str) -> Field:
        """Raises `NotFound` that names it."""
        if name not in self.fields:
            raise NotFound("no_field", "{segment} has no column {name}.", segment=self.label, name=name[:40])
        return self.fields[name]


@lru_cache(maxsize=64)
def segment(name: str, language: str) -> Segment:
    """The segment with its labels in the language. Raises `NotFound`."""
    from . import order_segments, other_segments  # they are made of what stands above

    makers = {**order_segments.MAKERS, **other_segments.MAKERS}
    if name not in makers:
        raise NotFound("no_segment", "There is nothing called {name} to ask for.", name=name[:40])
    return makers[name](language)


SEGMENTS = ("order_lines", "orders", "supplies", "vat", "adjustments", "payments", "customers", "products", "stock")


def said(language: str, text: str) -> str:
    """A label of a field or a segment, in the language."""
    return translate(language, text)
