"""Presets as reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commensal import Line, Query, Report, Transaction, a_period, columns_of, hookimpl, look, segment

from .presets import Preset, filters_of, presets_of


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
