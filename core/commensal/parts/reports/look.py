"""Queries some fields of a segment: in one statement, however many lines there are, whose result is streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Double, UnaryExpression, cast, func, literal_column, select

from ...base.errors import Refused
from ...base.search import contains_text
from .segments import Segment, SegmentField, segment
from .values import Cell, Column, Quantity, Query

Operator = Literal["is", "is_not", "contains", "least", "most"]


@dataclass(frozen=True)
class Filter:
    """A condition on the lines of a segment.

    operator: is, is_not; contains: a part of a text; least, most: a number or amount is at least, or at most, so much
    value:    of the type of the column: an int for whole numbers and money, a Decimal for rates, else text
    """

    field: str
    operator: Operator
    value: str | int | Decimal


def columns_of(segment_name: str, language: str, *names: str, summed: Sequence[str] = ()) -> list[Column]:
    """Columns for the fields `names`, with labels and kinds; `summed` names those with subtotals and a total."""
    asked_segment = segment(segment_name, language)
    fields = [asked_segment.field(name) for name in names]
    return [
        Column(name=field.name, label=field.label, kind=field.kind, summed=field.name in summed) for field in fields
    ]


def look(
    query: Query,
    segment_name: str,
    *names: str,
    put_together: bool = False,
    where: Sequence[Filter] = (),
    order: Sequence[str] = (),
) -> Iterator[list[Any]]:
    """Lines with the cells of the fields `names`, for the enterprise and the sale or period of the query.

    put_together: lines with equal values in all fields but the summed ones become one line, with their sums
    order:        names of fields; a minus before a name sorts in descending order. Texts are sorted without accents
    Raises `NotFound` for an unknown field, `Refused` for an order by a field that is not among `names`.
    """
    asked_segment = segment(segment_name, query.language)
    fields = [asked_segment.field(name) for name in names]
    starts: dict[str, int] = {}
    parts: list[ColumnElement[object]] = []
    for field in fields:
        starts[field.name] = len(parts)
        parts += [field.total] if put_together and field.total is not None else _parts(field)
    statement = select(*(part.label(_part_name(place)) for place, part in enumerate(parts)))
    statement = statement.select_from(asked_segment.source).where(*asked_segment.conditions(query))
    statement = statement.where(*(_condition(asked_segment, condition) for condition in where))
    if put_together:
        grouped_parts = [
            starts[field.name] + offset for field in fields if not field.summed for offset in range(len(_parts(field)))
        ]
        statement = statement.group_by(*(_part_name(place) for place in grouped_parts))
    for name in order:
        statement = statement.order_by(*_order_by(asked_segment, starts, name, put_together))
    makers = [(starts[field.name], _cell_maker(field, query)) for field in fields]
    for row in query.stream(statement.params(timezone=query.timezone)):
        yield [row[start] if make is None else make(row, start) for start, make in makers]


def _part_name(place: int) -> str:
    """The name of a part of a row. Statements group by names, since PostgreSQL does not recognise an expression with
    parameters as the same one."""
    return f"c{place}"


def _parts(field: SegmentField) -> list[ColumnElement[Any]]:
    return [part for part in (field.expression, field.unit, field.grains) if part is not None]


def _condition(asked_segment: Segment, condition: Filter) -> ColumnElement[bool]:
    expression = asked_segment.field(condition.field).expression
    if condition.operator == "contains":
        return contains_text(expression, str(condition.value))
    if isinstance(condition.value, Decimal):  # a rate is stored as text, so that no digit is lost
        return _compare(cast(expression, Double), condition.operator, float(condition.value))
    return _compare(expression, condition.operator, condition.value)


def _compare(expression: ColumnElement[object], operator: Operator, value: str | float) -> ColumnElement[bool]:
    if operator == "is_not":
        return expression != value
    if operator == "is":
        return expression == value
    return expression >= value if operator == "least" else expression <= value


def _order_by(
    asked_segment: Segment, starts: Mapping[str, int], name: str, put_together: bool
) -> Iterator[ColumnElement[object] | UnaryExpression[object]]:
    field = asked_segment.field(name.removeprefix("-"))
    if field.name not in starts:
        raise Refused("order", "Lines have no order by {name}, which is not among their columns.", name=field.name)
    parts: list[ColumnElement[object]] = [literal_column(_part_name(starts[field.name]))]
    if field.sort is not None:
        parts.insert(0, func.min(field.sort) if put_together else field.sort)
    for part in parts:
        yield part.desc() if name.startswith("-") else part


def _cell_maker(field: SegmentField, query: Query) -> Callable[[Any, int], Cell] | None:
    """A function that makes a cell from the parts of a row; None if the first part is the cell."""
    if field.grains is not None:
        return lambda row, at: Quantity(Decimal(row[at]) / row[at + 2], row[at + 1])
    if field.kind == "quantity":
        return lambda row, at: None if row[at] is None else Quantity(row[at], row[at + 1])
    if field.kind == "date":
        return lambda row, at: None if row[at] is None else date.fromisoformat(row[at])
    shown = field.shown if field.described is None else field.described(query)
    if shown is not None:
        return lambda row, at: shown(row[at])
    return None
