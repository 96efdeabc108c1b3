"""Presets: the custom reports of an enterprise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, delete, func, insert, select

from commensal import (
    SEGMENTS,
    Conflict,
    Filter,
    Invalid,
    Line,
    NotFound,
    Operator,
    Problem,
    Query,
    Report,
    Segment,
    Stale,
    Transaction,
    a_period,
    columns_of,
    edit_row,
    hookimpl,
    look,
    read_decimal,
    segment,
)

from .tables import custom_report_preset

MOST = 100  # presets of one enterprise
# Operators of filters by the kind of the column.
_OPERATORS: dict[str, Collection[Operator]] = {
    "text": ("is", "is_not", "contains"),
    "whole": ("is", "is_not", "least", "most"),
    "money": ("is", "is_not", "least", "most"),
    "date": ("is", "is_not", "least", "most"),
    "percent": ("is", "is_not", "least", "most"),
}


@dataclass(frozen=True, kw_only=True)
class Preset:
    """`put_together`: lines that agree in all columns but the summed ones become one."""

    id: str
    enterprise_id: str
    name: str
    description: str
    segment: str
    columns: Sequence[str]
    filters: Sequence[dict[str, str]]
    ordered_by: Sequence[str]
    grouped_by: Sequence[str]
    put_together: bool
    created_at: datetime
    version: int


class PresetChanges(TypedDict, total=False):
    name: str
    description: str
    segment: str
    columns: Sequence[str]
    filters: Sequence[dict[str, str]]
    ordered_by: Sequence[str]
    grouped_by: Sequence[str]
    put_together: bool


def add_preset(tx: Transaction, enterprise_id: str, language: str, **values: Unpack[PresetChanges]) -> Preset:
    """Adds a preset. Raises `Invalid` with every mistake, `Conflict` if its name is taken or there are too many."""
    empty: dict[str, object] = {"description": "", "filters": [], "ordered_by": [], "grouped_by": []}
    complete: dict[str, Any] = {**empty, "put_together": False, **values}
    preset = Preset(id=tx.new_id(), enterprise_id=enterprise_id, created_at=tx.now, version=1, **complete)
    _refuse_mistakes(preset, language)
    row = custom_report_preset.c
    if tx.value(select(func.count()).where(row.enterprise_id == enterprise_id)) >= MOST:
        raise Conflict("too_many_presets", "An enterprise has at most {most} custom reports.", most=MOST)
    _refuse_name(tx, preset)
    tx.execute(insert(custom_report_preset).values(asdict(preset)))
    return preset


def change_preset(
    tx: Transaction, enterprise_id: str, preset_id: str, version: int, language: str, **changes: Unpack[PresetChanges]
) -> Preset:
    """Changes a preset. Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` if the new name is taken."""
    new = replace(preset_by_id(tx, enterprise_id, preset_id), **changes)
    _refuse_mistakes(new, language)
    _refuse_name(tx, new)
    row = edit_row(tx, custom_report_preset, *_is_own(enterprise_id, preset_id), version=version, values=dict(changes))
    return Preset(**row)


def remove_preset(tx: Transaction, enterprise_id: str, preset_id: str, version: int) -> None:
    """Removes a preset. Raises `NotFound`, `Stale`."""
    statement = delete(custom_report_preset).where(
        *_is_own(enterprise_id, preset_id), custom_report_preset.c.version == version
    )
    if tx.execute(statement).rowcount != 1:
        preset_by_id(tx, enterprise_id, preset_id)
        raise Stale


def preset_by_id(tx: Transaction, enterprise_id: str, preset_id: str) -> Preset:
    """The enterprise's preset with this id. Raises `NotFound`, also for a preset of another enterprise."""
    return Preset(**tx.one(select(custom_report_preset).where(*_is_own(enterprise_id, preset_id))))


def presets_of(tx: Transaction, enterprise_id: str) -> list[Preset]:
    """All presets of the enterprise, ordered by name; at most `MOST`."""
    columns = custom_report_preset.c
    query = select(custom_report_preset).where(columns.enterprise_id == enterprise_id).order_by(columns.name)
    return [Preset(**row) for row in tx.all(query)]


def filters_of(preset: Preset, preset_segment: Segment) -> list[Filter]:
    """The filters of a preset with values of their columns' types. Raises `NotFound`, ValueError."""
    return [_filter(condition, preset_segment) for condition in preset.filters]


def _filter(condition: dict[str, str], preset_segment: Segment) -> Filter:
    kind, text = preset_segment.field(condition["field"]).kind, condition["value"]
    operator = next((known for known in _OPERATORS.get(kind, ()) if known == condition["operator"]), None)
    if operator is None:
        raise ValueError(condition["field"])
    if kind in ("whole", "money"):
        return Filter(condition["field"], operator, _whole(text))
    if kind == "percent":
        return Filter(condition["field"], operator, _rate(text))
    return Filter(condition["field"], operator, text)


def _whole(text: str) -> int:
    value = int(text)
    if abs(value) > 10**15:
        raise ValueError(text)
    return value


def _rate(text: str) -> Decimal:
    try:
        value = read_decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite() or not 0 <= value <= 100:
        raise ValueError(text)
    return value


def _refuse_mistakes(preset: Preset, language: str) -> None:
    problems = list(_problems(preset, language))
    if problems:
        raise Invalid(problems)


def _problems(preset: Preset, language: str) -> Iterator[Problem]:
    if preset.segment not in SEGMENTS:
        yield Problem("segment", "Choose one of: {values}.", "/segment", {"values": ", ".join(SEGMENTS)})
        return
    preset_segment = segment(preset.segment, language)
    for index, name in enumerate(preset.columns):
        if name not in preset_segment.fields:
            yield Problem("column", "There is no column {name}.", f"/columns/{index}", {"name": name})
    if not preset.columns or len(set(preset.columns)) < len(preset.columns):
        yield Problem("columns", "Choose columns, each once.", "/columns")
    for index, name in enumerate(preset.ordered_by):
        if name.removeprefix("-") not in preset.columns:
            yield Problem("order", "{name} is not among the columns.", f"/ordered_by/{index}", {"name": name})
    for index, name in enumerate(preset.grouped_by):
        if name not in preset.columns or (name in preset_segment.fields and preset_segment.field(name).summed):
            text = "{name} is not among the columns, or is a sum."
            yield Problem("group", text, f"/grouped_by/{index}", {"name": name})
    for index, condition in enumerate(preset.filters):
        try:
            _filter(condition, preset_segment)
        except (ValueError, NotFound):
            text = "{field} cannot be compared so with {value}."
            yield Problem(
                "filter", text, f"/filters/{index}", {"field": condition["field"], "value": condition["value"][:60]}
            )


def _refuse_name(tx: Transaction, preset: Preset) -> None:
    row = custom_report_preset.c
    query = select(row.id).where(row.enterprise_id == preset.enterprise_id, row.name == preset.name)
    if tx.value(query.where(row.id != preset.id)) is not None:
        raise Conflict("name_taken", "There is a custom report {name} already.", name=preset.name)


def _is_own(enterprise_id: str, preset_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    row = custom_report_preset.c
    return row.id == preset_id, row.enterprise_id == enterprise_id


# Presets as reports.


@hookimpl
def reports(tx: Transaction, enterprise_id: str, language: str) -> Sequence[Report]:
    return [_report(preset, language) for preset in presets_of(tx, enterprise_id)]


def _report(preset: Preset, language: str) -> Report:
    preset_segment = segment(preset.segment, language)
    filters = filters_of(preset, preset_segment)
    order = [
        *preset.grouped_by,
        *(name for name in preset.ordered_by if name.removeprefix("-") not in preset.grouped_by),
    ]

    def lines(query: Query) -> Iterator[Line]:
        return look(
            query, preset.segment, *preset.columns, put_together=preset.put_together, where=filters, order=order
        )

    summed = [
        name
        for name in preset.columns
        if preset_segment.field(name).summed and preset_segment.field(name).kind != "moment"
    ]
    return Report(
        id=preset.id,
        label=preset.name,
        description=preset.description,
        columns=columns_of(preset.segment, language, *preset.columns, summed=summed),
        rows=lines,
        parameters=a_period(language) if preset_segment.dated else (),
        grouped_by=preset.grouped_by,
        scope=preset_segment.scope,
    )
