"""A report as a plugin describes it: its parameters, its columns, and a function that returns its lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row as DatabaseRow

from ...base.texts import refuse_unknown_word
from ...storage.database import RowQuery, Transaction

CellKind = Literal["text", "whole", "money", "quantity", "percent", "date", "moment", "tick", "box", "code"]
ParameterKind = Literal["day", "sale", "text", "whole", "flag", "choice"]
Layout = Literal["table", "labels", "receipts"]
Moment = Literal["pack", "hand out", "account"]
BATCH = 1000  # lines in memory


class Quantity(NamedTuple):
    """An amount of a DFC measure."""

    value: Decimal
    unit: str


Cell = str | int | Decimal | Quantity | date | datetime | None
Line = Sequence[Cell]  # in the order of the columns


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a report.

    label:  in the reader's language
    kind:   what its cells hold, None being an empty one of any kind: text: str; whole: int; money: int, minor units of
            the enterprise's currency; quantity: `Quantity`; percent: Decimal; date: date; moment: aware datetime;
            tick, box: None, for people to tick it or to write into it; code: str, printed as a QR code on labels
    summed: it has subtotals and a total; quantities only if of one unit
    """

    name: str
    label: str
    kind: CellKind = "text"
    summed: bool = False

    def __post_init__(self) -> None:
        refuse_unknown_word(f"kind of the column {self.name}", self.kind, CellKind)

    @property
    def numeric(self) -> bool:
        """Whether the cells are numbers, which are aligned to the right."""
        return self.kind in ("whole", "money", "quantity", "percent")


@dataclass(frozen=True)
class Choice:
    """One of the values among which a `Parameter` lets the reader choose, with its label in their language."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a report asks before it runs. Its value is in `Query.given`, under its name.

    day:    a date; the default may be "month_begins" or "month_ends" (of the month before this one) or "today"
    sale:   the id of a sale session of the enterprise; the default may be "current": the sale whose distribution comes
            next or is under way, else the latest
    text:   at most 200 characters
    whole:  an int from `least` to `most`
    flag:   a bool
    choice: one of the values of `choices`
    A default of None stays None.
    """

    name: str
    label: str
    kind: ParameterKind
    default: str | int | bool | None = None
    choices: Sequence[Choice] = ()
    least: int = 0
    most: int = 1000

    def __post_init__(self) -> None:
        refuse_unknown_word(f"kind of the parameter {self.name}", self.kind, ParameterKind)


@dataclass(frozen=True, kw_only=True)
class Query:
    """The enterprise of the report, the reader's language, the values of the parameters, and the snapshot to read.

    Reports must read everything through `tx`, which is read-only, and through `stream` if there may be many lines.
    `given` holds what the reader has chosen, by the name of the parameter; `currency` is ISO 4217, `timezone` IANA.
    `adjustment_names()` says what fees and reductions are called in `language`, by the labels that orders have.
    """

    tx: Transaction
    enterprise_id: str
    enterprise_name: str
    currency: str
    timezone: str
    language: str
    given: Mapping[str, Any]
    adjustment_names: Callable[[], Mapping[str, str]] = dict

    def stream(self, statement: RowQuery) -> Iterator[DatabaseRow[*tuple[object, ...]]]:
        """The rows, fetched by the thousand; on PostgreSQL with a server-side cursor."""
        yield from self.tx.execute(statement.execution_options(yield_per=BATCH))


@dataclass(frozen=True)
class Series:
    """One series of a chart, with a value for each of the chart's labels."""

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

    columns:        amounts stand in columns of the kind "money" and in no text: readers who may not see amounts get the
                    report without these columns
    rows:           returns the lines, already in order; called inside one snapshot of the database
    grouped_by:     names of columns, the outer first: lines with equal values form a group, with heading and subtotals
    page_per_group: each group of the first column begins a new page, so that it can be handed to its recipient; a
                    parameter `pages` decides instead if the report has one
    scope:          what the reader must hold at the enterprise besides orders:read
    layout:         "labels" prints each line onto one sticker of a sheet: the first cell large, the second in bold, the
                    others below. The report asks for the sheet with `label_parameters`. "receipts" prints each group of
                    the first column onto a strip of a receipt printer; it asks for the width with `receipt_parameters`
    optional:       columns that are left out unless a flag is set: names of parameters by names of columns
    moment:         of the week at which it is used, by which people look for it: "pack", "hand out", or "account"
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
    moment: Moment = "account"
    optional: Mapping[str, str] = field(default_factory=dict)

    def asked_for(self, values: Mapping[str, object]) -> Report:
        """The report without the optional columns whose flag is not set in `values`."""
        left_out = {name for name, flag in self.optional.items() if not values.get(flag)}
        if not left_out:
            return self
        return replace(self._without(left_out), optional={})

    def without_amounts(self) -> Report:
        """The report for readers who may not see amounts: without columns and charts of money."""
        amounts = {column.name for column in self.columns if column.kind == "money"}
        charts = None if self.charts is None else partial(_charts_without_money, self.charts)
        return replace(self._without(amounts), charts=charts)

    def _without(self, left_out: Collection[str]) -> Report:
        """The report without the columns of these names."""
        if not left_out:
            return self
        places = [place for place, column in enumerate(self.columns) if column.name not in left_out]
        columns = [self.columns[place] for place in places]

        def rows(query: Query) -> Iterator[Line]:
            for line in self.rows(query):
                yield [line[place] for place in places]

        return replace(
            self, columns=columns, rows=rows, grouped_by=[name for name in self.grouped_by if name not in left_out]
        )


def _charts_without_money(charts: Callable[[Query], Sequence[Chart]], query: Query) -> Sequence[Chart]:
    return [chart for chart in charts(query) if not chart.money]


class PrintedRow(NamedTuple):
    """One row of the output: the heading of a group, a line, the subtotal at the end of a group, or the total.

    level: of a group and its subtotal; 0 is the outermost
    cells: of a heading, only the value of its group
    """

    kind: Literal["group", "line", "subtotal", "total"]
    level: int
    cells: Line


@dataclass(frozen=True, kw_only=True)
class Printout:
    """A report that is being written: `rows` can be iterated once, inside its snapshot.

    subtitles: the sale or the days that the report is about, and other parameters, as texts
    """

    report: Report
    query: Query
    rows: Iterator[PrintedRow]
    subtitles: Sequence[str] = ()
    printed_at: datetime

    @cached_property
    def charts(self) -> Sequence[Chart]:
        """The charts of the report; only formats that show them compute them."""
        return () if self.report.charts is None else self.report.charts(self.query)

    @property
    def paged(self) -> bool:
        return bool(self.query.given.get("pages", self.report.page_per_group))
