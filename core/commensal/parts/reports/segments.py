"""Describes the data of an enterprise as segments of named fields, so that plugins and presets never write SQL.

A segment is a kind of line (order lines, orders, payments …) with all its fields. Each has only the enterprise's own
data, and only orders that are placed and not cancelled; only what suppliers are owed includes cancelled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, bindparam

from ...base.errors import NotFound
from ...base.languages.catalogs import translate
from ...storage.database import local_day
from .values import Cell, CellKind, Query

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class SegmentField:
    """expression: the value; a quantity also has its `unit`, and a level of stock the `grains` of that unit
    sort:       sorts the lines before the value itself: a text without accents and capitals; None: only the value
    summed:     whether its sum is meaningful
    total:      the SQL aggregate where lines are put together
    shown:      turns the value of the database into what is shown
    described:  the same for values whose meaning depends on the instance: makes `shown` for a query
    """

    name: str
    label: str
    kind: CellKind
    expression: ColumnElement[Any]
    unit: ColumnElement[str] | None = None
    grains: ColumnElement[int] | None = None
    sort: ColumnElement[Any] | None = None
    total: ColumnElement[Any] | None = None
    shown: Callable[[str], Cell] | None = None
    described: Callable[[Query], Callable[[str], Cell]] | None = None

    @property
    def summed(self) -> bool:
        return self.total is not None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """conditions: select the rows of the enterprise, and of the sale or period of the query
    scope:      what a reader must hold at the enterprise
    dated:      whether a sale or a period selects among its rows
    """

    name: str
    label: str
    source: FromClause
    conditions: Callable[[Query], Conditions]
    scope: str = "orders:read"
    dated: bool = True
    fields: Mapping[str, SegmentField] = field(default_factory=dict)

    def field(self, name: str) -> SegmentField:
        """The field. Raises `NotFound` with its name."""
        if name not in self.fields:
            raise NotFound("no_field", "{segment} has no column {name}.", segment=self.label, name=name[:40])
        return self.fields[name]


@lru_cache(maxsize=64)
def segment(name: str, language: str) -> Segment:
    """The segment with its labels in the language. Raises `NotFound`."""
    from . import money_segments, order_segments, other_segments  # they import this module

    makers = {**order_segments.MAKERS, **other_segments.MAKERS, **money_segments.MAKERS}
    if name not in makers:
        raise NotFound("no_segment", "There is nothing called {name} to ask for.", name=name[:40])
    return makers[name](language)


SEGMENTS = (
    "order_lines",
    "orders",
    "supplies",
    "vat",
    "adjustments",
    "payments",
    "till_counts",
    "supplier_payments",
    "stock_purchases",
    "customers",
    "products",
    "stock",
)


def day_of(at: ColumnElement[datetime]) -> ColumnElement[str]:
    """The day of a moment (ISO 8601) in the time zone of the report."""
    return local_day(at, bindparam("timezone", type_=Text()))


def field_label(language: str, text: str) -> str:
    """The label of a field or a segment, translated."""
    return translate(language, text)
