"""Presets as reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commensal import Line, Query, Report, Transaction, a_period, columns_of, hookimpl, look, segment

from .presets import Preset, filters_of, presets_of


@hookimpl
def reports(tx: Transaction, enterprise_id: str, language: str) -> Sequence[Report]:
    return [_report(one, language) for one in presets_of(tx, enterprise_id)]


def _report(preset: Preset, language: str) -> Report:
    known = segment(preset.segment, language)
    filters = filters_of(preset, known)
    order = [*preset.grouped_by, *(one for one in preset.ordered_by if one.removeprefix("-") not in preset.grouped_by)]

    def lines(query: Query) -> Iterator[Line]:
        return look(
            query, preset.segment, *preset.columns, put_together=preset.put_together, where=filters, order=order
        )

    summed = [name for name in preset.columns if known.field(name).summed and known.field(name).kind != "moment"]
    return Report(
        id=preset.id,
        label=preset.name,
        description=preset.description,
        columns=columns_of(preset.segment, language, *preset.columns, summed=summed),
        rows=lines,
        parameters=a_period(language) if known.dated else (),
        grouped_by=preset.grouped_by,
        scope=known.scope,
    )
