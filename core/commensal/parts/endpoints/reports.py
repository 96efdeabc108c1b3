"""Reports over the API: lists those that the caller may run, and runs one in a chosen format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ...api.endpoint import Body, Call, File, OpenQuery, Routes, Stream
from ...base.languages.catalogs import LANGUAGES
from ...enterprises.access import demand, held_at, sees_amounts
from ...enterprises.enterprises import enterprise_by_id
from ..reports.formats import FORMATS, find_format
from ..reports.parameters import default_text, read_parameters
from ..reports.replica import store_for_reports
from ..reports.run import find_report, papers_of, print_papers, print_report, reports_of
from ..reports.values import CellKind, Choice, ParameterKind, Report

routes = Routes("reports")

Language = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(LANGUAGES)}|)$")]


class ReportsQuery(Body, frozen=True, kw_only=True):
    """`language` of labels and words; the reader's where it is left out."""

    language: Language = ""


class ReportQuery(OpenQuery, frozen=True, kw_only=True):
    """`others` are the report's own parameters, each by its name. `flat` leaves out headings and sums."""

    format: Literal["csv", "xlsx", "html", "pdf", "jsonl"] = "csv"
    language: Language = ""
    flat: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportParameter:
    """A parameter, with the text that stands in it when nothing is given."""

    name: str
    label: str
    kind: ParameterKind
    default: str
    choices: Sequence[Choice]


@dataclass(frozen=True, kw_only=True)
class ReportColumn:
    name: str
    label: str
    kind: CellKind
    summed: bool


@dataclass(frozen=True, kw_only=True)
class ReportShown:
    """A report that the caller may run; `id` is "plugin:report"."""

    id: str
    label: str
    description: str
    scope: str
    parameters: Sequence[ReportParameter]
    columns: Sequence[ReportColumn]
    formats: Sequence[str]


@routes.get("/enterprises/{enterprise}/reports", scope="orders:read")
def list_reports(call: Call, enterprise: str, query: ReportsQuery) -> Sequence[ReportShown]:
    """Reports that the caller may run, with their parameters and columns."""
    language = query.language or call.language
    shop = enterprise_by_id(call.tx, enterprise)
    held_scopes = held_at(call.tx, call.actor, enterprise)
    reports = _shown_reports(call, enterprise, language)
    return [
        ReportShown(
            id=name,
            label=report.label,
            description=report.description,
            scope=report.scope,
            parameters=[
                ReportParameter(
                    name=parameter.name,
                    label=parameter.label,
                    kind=parameter.kind,
                    default=default_text(call.tx, shop, parameter),
                    choices=parameter.choices,
                )
                for parameter in report.parameters
            ],
            columns=[
                ReportColumn(name=column.name, label=column.label, kind=column.kind, summed=column.summed)
                for column in report.columns
            ],
            formats=FORMATS,
        )
        for name, report in reports.items()
        if report.scope in held_scopes
    ]


def _shown_reports(call: Call, enterprise: str, language: str) -> Mapping[str, Report]:
    """The enterprise's reports; without amounts for callers who may not see them."""
    reports = reports_of(call.tx, call.instance.hooks, enterprise, language)
    if sees_amounts(call.tx, call.actor, enterprise):
        return reports
    return {name: report.without_amounts() for name, report in reports.items()}


class PapersQuery(Body, frozen=True, kw_only=True):
    """`moment` of the week; `sale` is the id of a sale session, the current one where it is left out. `since` and
    `until` ask for the reports of these days instead, both included: like 2026-06-04."""

    moment: Literal["pack", "hand out", "account"] = "pack"
    sale: Annotated[str, msgspec.Meta(max_length=64)] = ""
    since: Annotated[str, msgspec.Meta(max_length=10)] = ""
    until: Annotated[str, msgspec.Meta(max_length=10)] = ""
    language: Language = ""


@routes.get("/enterprises/{enterprise}/papers", scope="orders:read")
def print_all_papers(call: Call, enterprise: str, query: PapersQuery) -> File:
    """All lists of a sale or of some days for one moment of the week, as one PDF file."""
    language = query.language or call.language
    shop = enterprise_by_id(call.tx, enterprise)
    reports = _shown_reports(call, enterprise, language)
    of_days = bool(query.since or query.until)
    chosen = {"since": query.since, "until": query.until} if of_days else {"sale": query.sale}
    held_scopes = frozenset(held_at(call.tx, call.actor, enterprise))
    papers = papers_of(list(reports.values()), query.moment, held_scopes, chosen)
    content = print_papers(store_for_reports(call.instance), call.tx, shop, papers, chosen=chosen, language=language)
    return File(content, "application/pdf", f"{query.moment.replace(' ', '-')}-{call.tx.now:%Y-%m-%d}.pdf")


@routes.get("/enterprises/{enterprise}/reports/{plugin}/{report}", scope="orders:read")
def run_report(call: Call, enterprise: str, plugin: str, report: str, query: ReportQuery) -> Stream:
    """Runs a report and sends it while it is made, from one snapshot of the data. Needs the report's own scope too.

    Dates and numbers are those of `language`; days are meant in the enterprise's time zone.
    """
    language = query.language or call.language
    found_report = find_report(call.tx, call.instance.hooks, enterprise, plugin, report, language)
    demand(call.tx, call.actor, found_report.scope, enterprise)
    if not sees_amounts(call.tx, call.actor, enterprise):
        found_report = found_report.without_amounts()
    shop = enterprise_by_id(call.tx, enterprise)
    values = read_parameters(call.tx, shop, found_report.parameters, query.others)
    report_format = find_format(query.format)
    store = store_for_reports(call.instance)
    parts = print_report(store, shop, found_report, values, format=report_format, language=language, flat=query.flat)
    return Stream(
        parts=parts,
        media_type=report_format.media_type,
        shown=report_format.shown,
        headers=report_format.headers,
        filename=f"{found_report.id}-{call.tx.now:%Y-%m-%d}.{query.format}",
    )
