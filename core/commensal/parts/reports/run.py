"""Finds the reports that an enterprise may run, and runs one on a single snapshot of the database."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import islice

from sqlalchemy import select

from ...base.errors import NotFound
from ...base.languages.catalogs import in_language, translate
from ...base.languages.formats import format_moment, format_span
from ...enterprises.enterprises import Enterprise
from ...enterprises.plugins import enabled_plugins
from ...enterprises.tables import enterprise
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...people.actor import ENTERPRISE_SCOPES
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Store, Transaction
from .formats import Format, find_format
from .formats.cells import colon_of
from .formats.pdf import NoTypesetter
from .parameters import SALE, SINCE, UNTIL, read_parameters
from .values import Cell, Column, Line, Moment, PrintedRow, Printout, Quantity, Query, Report

# Adds headings, subtotals and the total to the lines of a report while they are streamed.


def add_sums(report: Report, lines: Iterable[Line]) -> Iterator[PrintedRow]:
    """The rows of the report. Lines of a group must be adjacent: a group ends when the value of its column changes."""
    places = [_place(report, name) for name in report.grouped_by]
    sums = [_Sums(report.columns, places[: level + 1]) for level in range(len(places))]
    total = _Sums(report.columns, ())
    previous_keys: list[Cell] | None = None
    for line in lines:
        if places:
            keys = [line[place] for place in places]
            if keys != previous_keys:
                first_changed = 0 if previous_keys is None else _first_change(previous_keys, keys)
                yield from _subtotals(sums, previous_keys, first_changed)
                for level in range(first_changed, len(places)):
                    yield PrintedRow("group", level, (keys[level],))
                previous_keys = keys
        for group_sums in sums:
            group_sums.add(line)
        total.add(line)
        yield PrintedRow("line", len(places), line)
    yield from _subtotals(sums, previous_keys, 0)
    if total.places and total.lines:
        yield PrintedRow("total", 0, total.take())


def _place(report: Report, name: str) -> int:
    return next(place for place, column in enumerate(report.columns) if column.name == name)


def _first_change(previous_keys: Sequence[Cell], keys: Sequence[Cell]) -> int:
    return next(level for level, (old, new) in enumerate(zip(previous_keys, keys, strict=True)) if old != new)


def _subtotals(sums: list[_Sums], keys: Sequence[Cell] | None, down_to: int) -> Iterator[PrintedRow]:
    """Subtotals of the groups that end, the innermost first. A group of a single line gets none."""
    if keys is None:
        return
    for level in range(len(keys) - 1, down_to - 1, -1):
        single = sums[level].lines < 2
        cells = sums[level].take()
        if sums[level].places and not single:
            yield PrintedRow("subtotal", level, cells)


class _Sums:
    """Adds up the summed columns, and keeps the values that all lines of the group share."""

    def __init__(self, columns: Sequence[Column], common: Sequence[int]) -> None:
        self.places = [place for place, column in enumerate(columns) if column.summed]
        self._common = common
        self._wide, self.lines = len(columns), 0
        self._sums: dict[int, Cell] = {}

    def add(self, line: Line) -> None:
        if not self.lines:
            self._sums = {place: line[place] for place in self._common}
        self.lines += 1
        for place in self.places:
            cell = line[place]
            if cell is not None:
                self._sums[place] = _add_cells(self._sums[place], cell) if place in self._sums else cell

    def take(self) -> Line:
        """Returns the sums as a line, and resets them."""
        cells: list[Cell] = [self._sums.get(place) for place in range(self._wide)]
        self._sums, self.lines = {}, 0
        return [None if isinstance(cell, Quantity) and not cell.unit else cell for cell in cells]


def _add_cells(first: Cell, second: Cell) -> Cell:
    """The sum of two cells. Quantities of different units have none, which the unit "" marks. Raises `TypeError` for
    what is not a number."""
    if isinstance(first, Quantity) and isinstance(second, Quantity):
        return Quantity(first.value + second.value, first.unit if first.unit == second.unit else "")
    if isinstance(first, int | Decimal) and isinstance(second, int | Decimal):
        return first + second
    raise TypeError(f"a summed column has no numbers: {first!r}, {second!r}")


_BATCH = 100  # lines of a report
_ID = re.compile(r"[a-z0-9_-]{1,64}")


def reports_of(tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> dict[str, Report]:
    """The reports of the enterprise's plugins by "plugin:id", in the order of the operator's plugins.

    Leaves out a report whose id cannot be part of a URL, or whose scope does not exist, and logs that.
    """
    enabled = enabled_plugins(tx, enterprise_id)
    answers = hooks.each(specifications.reports, enabled, tx=tx, enterprise_id=enterprise_id, language=language)
    return {
        f"{answer.plugin}:{report.id}": report
        for answer in answers
        for report in _usable_reports(tx, hooks, answer.plugin, answer.value)
    }


def find_report(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, report: str, language: str) -> Report:
    """The report. Raises `NotFound`, also if the enterprise has not enabled the plugin."""
    enabled = enabled_plugins(tx, enterprise_id)
    chosen = {plugin: enabled[plugin]} if plugin in enabled else {}
    answers = hooks.each(specifications.reports, chosen, tx=tx, enterprise_id=enterprise_id, language=language)
    for answer in answers:
        for found_report in _usable_reports(tx, hooks, answer.plugin, answer.value):
            if found_report.id == report:
                return found_report
    raise NotFound("no_report", "There is no report {name} here.", name=f"{plugin}:{report}"[:100])


def print_report(
    store: Store,
    shop: Enterprise,
    report: Report,
    values: Mapping[str, object],
    *,
    format: Format,
    language: str,
    flat: bool = False,
    about: Sequence[str] = (),
) -> Iterator[bytes]:
    """The file in parts, read from a snapshot that is closed with the iterator. `values` come from `read_parameters`.

    `flat` leaves out headings, subtotals and the total. `about` are subtitles before those of the parameters. Raises
    what the report and the format raise.
    """
    report = report.asked_for(values)
    with store.read() as tx:
        query = Query(
            tx=tx,
            enterprise_id=shop.id,
            enterprise_name=shop.name,
            currency=shop.currency,
            timezone=shop.timezone,
            language=language,
            given=values,
        )
        lines = report.rows(query)
        rows = (PrintedRow("line", 0, line) for line in lines) if flat else add_sums(report, lines)
        subtitles = [*about, *_subtitles(query, report), *_age(query, store.moment_shown(tx))]
        printout = Printout(report=report, query=query, rows=rows, subtitles=subtitles, printed_at=tx.now)
        yield from format.write(printout)


def _usable_reports(tx: Transaction, hooks: Hooks, plugin: str, reports: Sequence[Report] | None) -> Iterator[Report]:
    scopes = ENTERPRISE_SCOPES | tx.own_scopes.by_name.keys()
    for report in reports or ():
        if _ID.fullmatch(report.id) and report.scope in scopes:
            yield replace(report, rows=partial(_rows, hooks, plugin, report))
        else:
            reason = f"{report.id!r:.100} is not an id of a report, or {report.scope!r:.100} no scope"
            hooks.blame(specifications.reports, plugin, reason)


def names_of_adjustments(tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> dict[str, str]:
    """What fees and reductions are called in `language`, by the labels that orders have. Labels that no plugin knows
    are missing."""
    plugins = enabled_plugins(tx, enterprise_id)
    answers = hooks.each(
        specifications.adjustment_names, plugins, tx=tx, enterprise_id=enterprise_id, language=language
    )
    return {label: name for answer in answers for label, name in (answer.value or {}).items()}


def _rows(hooks: Hooks, plugin: str, report: Report, query: Query) -> Iterator[Line]:
    """The lines of the report, computed in batches, so that errors are attributed to the plugin."""
    names = partial(names_of_adjustments, query.tx, hooks, query.enterprise_id, query.language)
    query = replace(query, adjustment_names=names)
    lines: Iterator[Line] | None = None
    while True:
        with hooks.running(plugin, f"report {report.id}", query.tx.hold):
            lines = iter(report.rows(query)) if lines is None else lines
            batch = list(islice(lines, _BATCH))
        yield from batch
        if len(batch) < _BATCH:
            return


def _age(query: Query, shown: datetime | None) -> Iterator[str]:
    """Of which moment the data are, if they are those of a replica."""
    if shown is not None:
        moment = format_moment(shown, query.timezone, query.language)
        yield translate(query.language, "The data are those of {moment}.").format(moment=moment)


def _subtitles(query: Query, report: Report) -> Sequence[str]:
    """Subtitles: the sale with its distribution, or the days; then the other parameters."""
    language, values, texts = query.language, query.given, []
    if values.get(SALE):
        texts.append(_describe_sale(query, values[SALE]))
    elif SALE in values and SINCE not in values:
        texts.append(translate(language, "There has been no sale yet."))
    elif values.get(SINCE) and values.get(UNTIL):
        days = {"since": f"{values[SINCE]:%d/%m/%Y}", "until": f"{values[UNTIL]:%d/%m/%Y}"}
        texts.append(translate(language, "From {since} to {until}").format(**days))
    for parameter in report.parameters:
        value = values.get(parameter.name)
        if parameter.name not in (
            SALE,
            SINCE,
            UNTIL,
            "sheet",
            "skip",
            "pages",
            "paper",
            *report.optional.values(),
        ) and value not in (None, "", False):
            chosen = {choice.value: choice.label for choice in parameter.choices}
            texts.append(f"{parameter.label}{colon_of(language)}{chosen.get(str(value), value)}")
    return texts


def _describe_sale(query: Query, session_id: str) -> str:
    row = query.tx.one(
        select(
            coordination.c.name,
            sale_session.c.names,
            sale_session.c.begins_at,
            sale_session.c.ends_at,
            enterprise.c.language,
        )
        .join_from(sale_session, coordination)
        .join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)
        .where(sale_session.c.id == session_id, sale_session.c.enterprise_id == query.enterprise_id)
    )
    name = in_language(query.language, row["language"], row["name"], row["names"]).text
    return f"{name} · {format_span(row['begins_at'], row['ends_at'], query.timezone, query.language)}"


# All papers of one moment of a sale, or of some days, as one PDF file: whoever prints for the hall presses once.


def papers_of(
    reports: Sequence[Report], moment: Moment, held_scopes: frozenset[str], chosen: Collection[str] = (SALE,)
) -> Sequence[Report]:
    """The lists that belong on A4 paper at this moment and that the reader may see: those of a sale, or those that have
    all parameters of the names `chosen`."""
    return [
        report
        for report in reports
        if report.moment == moment
        and report.layout == "table"
        and report.scope in held_scopes
        and set(chosen) <= {parameter.name for parameter in report.parameters}
    ]


def print_papers(
    store: Store,
    tx: Transaction,
    shop: Enterprise,
    papers: Sequence[Report],
    *,
    chosen: Mapping[str, str],
    language: str,
) -> bytes:
    """One PDF file with all of them, each on pages of its own. `chosen` are texts of parameters by name, like "sale";
    the others have their defaults, so that without a sale it is the current one.

    Raises `NotFound` without papers, `Invalid` for an unknown sale or impossible days, and what the format raises
    (`NoTypesetter`).
    """
    if not papers:
        raise NotFound("no_report", "There is no list to print here. Switch on a plugin with lists.")
    try:
        from pypdf import PdfWriter
    except ModuleNotFoundError:
        raise NoTypesetter from None
    merged = PdfWriter()
    for report in papers:
        texts = {parameter.name: chosen.get(parameter.name, "") for parameter in report.parameters}
        values = read_parameters(tx, shop, report.parameters, texts)
        parts = print_report(store, shop, report, values, format=find_format("pdf"), language=language)
        merged.append(io.BytesIO(b"".join(parts)))
    out = io.BytesIO()
    merged.write(out)
    return out.getvalue()
