"""JSON API for presets, and for the segments and columns from which they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from commensal import SEGMENTS, Body, Call, Endpoint, Routes, changes, hookimpl, segment

from .presets import Preset, add_preset, change_preset, presets_of, remove_preset

_routes = Routes("custom reports")
_PRESETS = "/enterprises/{enterprise}/presets"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=41)]
Names = Annotated[list[Word], msgspec.Meta(max_length=40)]
Operator = Literal["is", "is_not", "contains", "least", "most"]


class PresetFilter(Body, frozen=True, kw_only=True):
    """`value` is a text, a day like 2026-06-04, a whole number (money in minor units), or a rate in percent."""

    field: Word
    operator: Operator
    value: Annotated[str, msgspec.Meta(max_length=200)]


Filters = Annotated[list[PresetFilter], msgspec.Meta(max_length=20)]


class NewPreset(Body, frozen=True, kw_only=True):
    """`columns` are names of fields of the segment. `put_together` adds up lines that agree in all other columns."""

    name: Name
    segment: Word
    columns: Names
    description: Annotated[str, msgspec.Meta(max_length=500)] = ""
    filters: Filters = msgspec.field(default_factory=list)
    ordered_by: Names = msgspec.field(default_factory=list)
    grouped_by: Annotated[list[Word], msgspec.Meta(max_length=3)] = msgspec.field(default_factory=list)
    put_together: bool = False


class PresetEdit(Body, frozen=True, kw_only=True):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    segment: Word | msgspec.UnsetType = msgspec.UNSET
    columns: Names | msgspec.UnsetType = msgspec.UNSET
    description: Annotated[str, msgspec.Meta(max_length=500)] | msgspec.UnsetType = msgspec.UNSET
    filters: Filters | msgspec.UnsetType = msgspec.UNSET
    ordered_by: Names | msgspec.UnsetType = msgspec.UNSET
    grouped_by: Annotated[list[Word], msgspec.Meta(max_length=3)] | msgspec.UnsetType = msgspec.UNSET
    put_together: bool | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, kw_only=True)
class FieldShown:
    name: str
    label: str
    kind: str
    summed: bool


@dataclass(frozen=True, kw_only=True)
class SegmentShown:
    """`dated`: a sale or a period chooses among its lines. `scope`: what who runs it must hold."""

    name: str
    label: str
    scope: str
    dated: bool
    fields: Sequence[FieldShown]


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/segments", scope="self")
def report_segments(call: Call) -> Sequence[SegmentShown]:
    """What can be asked for, with all columns."""
    segments = [segment(name, call.language) for name in SEGMENTS]
    return [
        SegmentShown(
            name=entry.name,
            label=entry.label,
            scope=entry.scope,
            dated=entry.dated,
            fields=[
                FieldShown(name=field.name, label=field.label, kind=field.kind, summed=field.summed)
                for field in entry.fields.values()
            ],
        )
        for entry in segments
    ]


@_routes.get(_PRESETS, scope="orders:read")
def custom_reports(call: Call, enterprise: str) -> Sequence[Preset]:
    """The enterprise's custom reports."""
    return presets_of(call.tx, enterprise)


@_routes.post(_PRESETS, scope="plugins:write", status=201)
def add_custom_report(call: Call, enterprise: str, body: NewPreset) -> Preset:
    """Adds a custom report; it is listed among the reports as "custom_report:<id>"."""
    return add_preset(call.tx, enterprise, call.language, **msgspec.to_builtins(body))


@_routes.patch(f"{_PRESETS}/{{preset}}", scope="plugins:write", edits=True)
def change_custom_report(call: Call, enterprise: str, preset: str, body: PresetEdit) -> Preset:
    """Changes a custom report."""
    values = msgspec.to_builtins(changes(body))
    return change_preset(call.tx, enterprise, preset, call.version, call.language, **values)


@_routes.delete(f"{_PRESETS}/{{preset}}", scope="plugins:write", edits=True)
def remove_custom_report(call: Call, enterprise: str, preset: str) -> None:
    """Removes a custom report."""
    remove_preset(call.tx, enterprise, preset, call.version)
