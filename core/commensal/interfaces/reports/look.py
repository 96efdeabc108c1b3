"""Asks a segment for some of its fields: one statement, whatever the number of lines, that streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Double, UnaryExpression, cast, func, literal_column, select

from ...base.errors import Refused
from ...base.search import contains_text
from .segments import Field, Segment, segment
from .values import Cell, Column, Quantity, Query

Operator = Literal["is", "is_not", "contains", "least", "most"]


@dataclass(frozen=True)
class Filter:
    """`value` is what the database has: an int for whole numbers and money, a Decimal for rates, else text."""

    field: str
    operator: Operator
    value: str | int | Decimal


def columns_of(segment_name: str, language: str, *names: str, summed: Sequence[str] = ()) -> list[Column]:
    """Columns for these fields, with their labels and kinds; `summed` names those with subtotals and a total."""
    known = segment(segment_name, language)
    fields = [known.field(name) for name in names]
    return [Column(name=one.name, label=one.label, kind=one.kind, summed=one.name in summed) for one in fields]


def look(
    query: Query,
    segment_name: str,
    *names: str,
    put_together: bool = False,
    where: Sequence[Filter] = (),
    order: Sequence[str] = (),
) -> Iterator[list[Any]]:
    """Lines of cells with these fields, of the enterprise, for the sale or the period that the query is about.

    put_together: lines that agree in all fields but the summed ones become one, with their sums
    order:        names of fields; a minus before one turns it around. Fields have their own alphabetical order
    Raises `NotFound` for what is no field, `Refused` for an order by a field that is not asked for.
    """
    known = segment(segment_name, query.language)
    fields = [known.field(name) for name in names]
    starts: dict[str, int] = {}
    parts: list[ColumnElement[Any]] = []
    for one in fields:
        starts[one.name] = len(parts)
        parts += [one.total] if put_together and one.total is not None else _parts(one)
    statement = select(*(part.label(_name(place)) for place, part in enumerate(parts)))
    statement = statement.select_from(known.source).where(*known.conditions(query))
    statement = statement.where(*(_condition(known, one) for one in where))
    if put_together:
        kept = [starts[one.name] + more for one in fields if not one.summed for more in range(len(_parts(one)))]
        statement = statement.group_by(*(_name(place) for place in kept))
    for name in order:
        statement = statement.order_by(*_order(known, starts, name, put_together))
    makers = [(starts[one.name], _maker(one)) for one in fields]
    for row in query.stream(statement.params(timezone=query.timezone)):
        yield [row[start] if make is None else make(row, start) for start, make in makers]


def _name(place: int) -> str:
    """Of a part of a row. Grouping goes by names: an expression with parameters is not the same twice to PostgreSQL."""
    return f"c{place}"


def _parts(one: Field) -> list[ColumnElement[Any]]:
    return [part for part in (one.expression, one.unit, one.grains) if part is not None]


def _condition(known: Segment, one: Filter) -> ColumnElement[bool]:
    found = known.field(one.field).expression
    if one.operator == "contains":
        return contains_text(found, str(one.value))
    if isinstance(one.value, Decimal):  # a rate is kept digit by digit, as a text, and compared as a number
        return _compared(cast(found, Double), one.operator, float(one.value))
    return _compared(found, one.operator, one.value)


def _compared(found: ColumnElement[Any], operator: Operator, value: str | float) -> ColumnElement[bool]:
    if operator == "is_not":
        return found != value
    if operator == "is":
        return found == value
    return found >= value if operator == "least" else found <= value


def _order(
    known: Segment, starts: Mapping[str, int], name: str, put_together: bool
) -> Iterator[ColumnElement[Any] | UnaryExpression[Any]]:
    one = known.field(name.removeprefix("-"))
    if one.name not in starts:
        raise Refused("order", "Lines have no order by {name}, which is not among their columns.", name=one.name)
    parts: list[ColumnElement[Any]] = [literal_column(_name(starts[one.name]))]
    if one.sort is not None:
        parts.insert(0, func.min(one.sort) if put_together else one.sort)
    for part in parts:
        yield part.desc() if name.startswith("-") else part


def _maker(one: Field) -> Callable[[Any, int], Cell] | None:
    """What makes a cell of a row's parts; None: the first part is the cell."""
    if one.grains is not None:
        return lambda row, at: Quantity(Decimal(row[at]) / row[at + 2], row[at + 1])
    if one.kind == "quantity":
        return lambda row, at: None if row[at] is None else Quantity(row[at], row[at + 1])
    if one.kind == "date":
        return lambda row, at: None if row[at] is None else date.fromisoformat(row[at])
    if one.shown is not None:
        shown = one.shown
        return lambda row, at: shown(row[at])
    return None
