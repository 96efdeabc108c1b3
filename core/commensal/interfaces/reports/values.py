"""A report, as a plugin describes it: what it asks, what its columns are, and a function that gives its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row as DatabaseRow
from sqlalchemy import Select

from ...storage.database import Transaction

Kind = Literal["text", "whole", "money", "quantity", "percent", "date", "moment", "tick", "box"]
ParameterKind = Literal["day", "sale", "text", "whole", "flag", "choice"]
Layout = Literal["table", "labels"]
AT_ONCE = 1000  # lines in memory


class Quantity(NamedTuple):
    """So much of a DFC measure."""

    value: Decimal
    unit: str


# What stands in a cell, by the kind of its column. None is an empty cell of any kind.
#   text: str   whole: int   money: int, minor units of the enterprise's currency   quantity: `Quantity`
#   percent: Decimal   date: date   moment: aware datetime   tick, box: nothing; somebody ticks it or writes into it
Cell = str | int | Decimal | Quantity | date | datetime | None
Line = Sequence[Cell]  # in the order of the columns


@dataclass(frozen=True, kw_only=True)
class Column:
    """`label` is in the reader's language. What is `summed` has subtotals and a total; quantities only of one unit."""

    name: str
    label: str
    kind: Kind = "text"
    summed: bool = False

    @property
    def numeric(self) -> bool:
        """Numbers stand at the right."""
        return self.kind in ("whole", "money", "quantity", "percent")


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a report asks before it runs; it arrives in `Query.given` by its name.

    day:    a date; the default may be "month_begins" or "month_ends" (of the month before this one) or "today"
    sale:   the id of a sale session of the enterprise; the default may be "current": the sale whose distribution comes
            next or is under way, else the latest
    text:   at most 200 characters
    whole:  an int from `least` to `most`
    flag:   a bool
    choice: one of the values of `choices`
    A default of None is given as None.
    """

    name: str
    label: str
    kind: ParameterKind
    default: str | int | bool | None = None
    choices: Sequence[Choice] = ()
    least: int = 0
    most: int = 1000


@dataclass(frozen=True, kw_only=True)
class Query:
    """Whose report is run, how its reader counts, what they gave, and the snapshot that it reads.

    Everything must be read through `tx`, which only reads, and through `stream` where the lines may be many.
    """

    tx: Transaction
    enterprise_id: str
    enterprise_name: str
    currency: str  # ISO 4217
    timezone: str  # IANA
    language: str
    given: Mapping[str, Any]

    def stream(self, statement: Select[Any]) -> Iterator[DatabaseRow[Any]]:
        """The rows, a thousand at a time: by a cursor of the server, on PostgreSQL."""
        yield from self.tx.execute(statement.execution_options(yield_per=AT_ONCE))


@dataclass(frozen=True)
class Series:
    """`values` are as many as the chart's labels."""

    label: str
    values: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars side by side or stacked, or a line; `money`: values are minor units of the enterprise's currency."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Literal["bars", "stacked", "line"] = "bars"
    money: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """`id` is unique within its plugin; the core calls it "plugin:id".

    rows:           gives the lines, already in order; called inside a snapshot that stays the same to the end
    grouped_by:     names of columns, outer first: lines that agree in them stand under one heading, with subtotals
    page_per_group: each group of the first column begins a new page, so that it can be handed to whoever it is for; a
                    parameter `pages` decides it where the report asks for one
    scope:          what the reader must hold at the enterprise besides orders:read
    layout:         "labels" prints each line onto one sticker of a sheet: the first cell large, the others below it;
                    it asks with `label_parameters` for the sheet
    """

    id: str
    label: str
    description: str
    columns: Sequence[Column]
    rows: Callable[[Query], Iterable[Line]]
    parameters: Sequence[Parameter] = ()
    grouped_by: Sequence[str] = ()
    page_per_group: bool = False
    charts: Callable[[Query], Sequence[Chart]] | None = None
    scope: str = "orders:read"
    layout: Layout = "table"


class Row(NamedTuple):
    """What is printed: a heading of a group, a line, the subtotal that ends a group, or the total.

    level: of a group and its subtotal: 0 is the outermost. The cell of a heading is the only one
    """

    kind: Literal["group", "line", "subtotal", "total"]
    level: int
    cells: Line


@dataclass(frozen=True, kw_only=True)
class Printout:
    """A report that is being written: `rows` can be gone through once, inside its snapshot.

    told: what it is of, in words: the sale, the days
    """

    report: Report
    query: Query
    rows: Iterator[Row]
    told: Sequence[str] = ()
    printed_at: datetime

    @cached_property
    def charts(self) -> Sequence[Chart]:
        """Only asked for by formats that show them."""
        return () if self.report.charts is None else self.report.charts(self.query)

    @property
    def paged(self) -> bool:
        return bool(self.query.given.get("pages", self.report.page_per_group))
