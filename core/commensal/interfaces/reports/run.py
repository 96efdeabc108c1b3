"""Finds the reports that an enterprise may run, and runs one over a snapshot that stays the same to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import select

from ...base.errors import NotFound
from ...base.languages.catalogs import translate
from ...base.languages.formats import format_span
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Store, Transaction
from ...trade.enterprises.enterprises import Enterprise
from ...trade.enterprises.plugins import enabled_plugins
from ...trade.people.scopes import ENTERPRISE_SCOPES
from ...trade.sale_sessions.tables import coordination, sale_session
from .formats import Format
from .formats.cells import colon_of
from .parameters import SALE, SINCE, UNTIL
from .rows import with_sums
from .values import Line, Printout, Query, Report, Row

_AT_ONCE = 100  # lines of a report
_ID = re.compile(r"[a-z0-9_-]{1,64}")


def reports_of(tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> dict[str, Report]:
    """The reports of the enterprise's plugins by "plugin:id", in the operator's order.

    A report whose id cannot stand in an address, or whose scope nobody holds, is left out, and the log says so.
    """
    enabled = enabled_plugins(tx, enterprise_id)
    answers = hooks.each(specifications.reports, enabled, tx=tx, enterprise_id=enterprise_id, language=language)
    return {
        f"{answer.plugin}:{one.id}": one for answer in answers for one in _sound(hooks, answer.plugin, answer.value)
    }


def find_report(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, report: str, language: str) -> Report:
    """Raises `NotFound`, for a report of a plugin that the enterprise does not use too."""
    enabled = enabled_plugins(tx, enterprise_id)
    mine = {plugin: enabled[plugin]} if plugin in enabled else {}
    answers = hooks.each(specifications.reports, mine, tx=tx, enterprise_id=enterprise_id, language=language)
    for answer in answers:
        for one in _sound(hooks, answer.plugin, answer.value):
            if one.id == report:
                return one
    raise NotFound("no_report", "There is no report {name} here.", name=f"{plugin}:{report}"[:100])


def print_report(
    store: Store,
    shop: Enterprise,
    report: Report,
    given: Mapping[str, Any],
    *,
    format: Format,
    language: str,
    flat: bool = False,
) -> Iterator[bytes]:
    """The file in parts, read from a snapshot that closes with the iterator. `given` comes from `read_parameters`.

    `flat` leaves out headings, subtotals and the total. Raises what the report and the format raise.
    """
    with store.read() as tx:
        query = Query(
            tx=tx, enterprise_id=shop.id, enterprise_name=shop.name, currency=shop.currency, timezone=shop.timezone,
            language=language, given=given,
        )  # fmt: skip
        lines = report.rows(query)
        rows = (Row("line", 0, line) for line in lines) if flat else with_sums(report, lines)
        printout = Printout(report=report, query=query, rows=rows, told=_told(query, report), printed_at=tx.now)
        yield from format.write(printout)


def _sound(hooks: Hooks, plugin: str, offered: Sequence[Report] | None) -> Iterator[Report]:
    for one in offered or ():
        if _ID.fullmatch(one.id) and one.scope in ENTERPRISE_SCOPES:
            yield replace(one, rows=partial(_rows, hooks, plugin, one))
        else:
            what = f"{one.id!r:.100} is no id of a report, or {one.scope!r:.100} no scope"
            hooks.blame(specifications.reports, plugin, what)


def _rows(hooks: Hooks, plugin: str, report: Report, query: Query) -> Iterator[Line]:
    """Its lines, some at a time: what goes wrong with them is noted with the plugin's name."""
    lines: Iterator[Line] | None = None
    while True:
        with hooks.running(plugin, f"report {report.id}", query.tx.hold):
            lines = iter(report.rows(query)) if lines is None else lines
            some = list(islice(lines, _AT_ONCE))
        yield from some
        if len(some) < _AT_ONCE:
            return


def _told(query: Query, report: Report) -> Sequence[str]:
    """What the report is of: its sale with the distribution, or its days; and whatever else was chosen."""
    language, given, said = query.language, query.given, []
    if given.get(SALE):
        said.append(_sale_in_words(query, given[SALE]))
    elif SALE in given and SINCE not in given:
        said.append(translate(language, "There has been no sale yet."))
    elif given.get(SINCE) and given.get(UNTIL):
        days = {"since": f"{given[SINCE]:%d/%m/%Y}", "until": f"{given[UNTIL]:%d/%m/%Y}"}
        said.append(translate(language, "From {since} to {until}").format(**days))
    for one in report.parameters:
        value = given.get(one.name)
        if one.name not in (SALE, SINCE, UNTIL, "sheet", "skip", "pages") and value not in (None, "", False):
            chosen = {choice.value: choice.label for choice in one.choices}
            said.append(f"{one.label}{colon_of(language)}{chosen.get(str(value), value)}")
    return said


def _sale_in_words(query: Query, session_id: str) -> str:
    row = query.tx.one(
        select(coordination.c.name, sale_session.c.begins_at, sale_session.c.ends_at)
        .join_from(sale_session, coordination)
        .where(sale_session.c.id == session_id, sale_session.c.enterprise_id == query.enterprise_id)
    )
    return f"{row['name']} · {format_span(row['begins_at'], row['ends_at'], query.timezone, query.language)}"
