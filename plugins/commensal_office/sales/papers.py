"""Papers: every list of a sale and report of a period, on three shelves by the moment of the week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from commensal import Report, read_day, translate
from commensal.pages import Visit
from commensal.parts.reports import reports_of

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..frame.sessions import recent_sessions, session_of_page

_SHELVES = ("pack", "hand out", "account")
_FORMATS = ("pdf", "xlsx", "html", "csv")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A report with the address of each of its formats."""

    report: Report
    addresses: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Days:
    """Days of which the accounts are shown, both included; `name` in words, like "This month"."""

    name: str
    since: date
    until: date

    @property
    def query(self) -> str:
        return urlencode(self.parameters)

    @property
    def parameters(self) -> dict[str, str]:
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}


def papers_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        reports = reports_of(tx, visit.instance.hooks, desk.enterprise.id, visit.language)
        today = desk.enterprise.date_at(tx.now)
    days = _chosen_days(visit)
    sale = {"sale": session.id} if session else {}
    together = {shelf: days.parameters if days and shelf == "account" else sale for shelf in _SHELVES}
    shelves: dict[str, list[Paper]] = {shelf: [] for shelf in _SHELVES}
    for name, report in reports.items():
        if desk.may(report.scope):
            shelves[report.moment].append(_paper(visit, desk, name, report, together[report.moment]))
    return show(
        visit,
        desk,
        "papers",
        at="papers",
        session=session,
        sessions=sessions,
        shelves=shelves,
        days=days,
        today=today,
        periods=_periods(today, visit.language),
        sale=session.id if session and visit.query.get("sale") else "",
        together={shelf: _one_file(visit, desk, shelf, subject, shelves[shelf]) for shelf, subject in together.items()},
    )


def _paper(visit: Visit, desk: Desk, name: str, report: Report, subject: Mapping[str, str]) -> Paper:
    """`subject`: the parameters for a sale or for days; those that the report does not have are left out."""
    base = f"/api/enterprises/{desk.enterprise.id}/reports/{name.replace(':', '/')}"
    known = {parameter.name for parameter in report.parameters}
    chosen = {name: value for name, value in subject.items() if name in known}
    addresses = {
        kind: f"{base}?{urlencode({'language': visit.language, 'format': kind, **chosen})}" for kind in _FORMATS
    }
    return Paper(report=report, addresses=addresses)


def _chosen_days(visit: Visit) -> Days | None:
    """The days of the query, both of which must be there; None for a sale, and for what is not a day."""
    try:
        since, until = (read_day(visit.query.get(name, "")) for name in ("since", "until"))
    except ValueError:
        return None
    return Days(name="", since=min(since, until), until=max(since, until))


def _periods(today: date, language: str) -> list[Days]:
    """Periods that treasurers ask for, the usual one first."""
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    month_before, year_before = month - timedelta(days=1), year - timedelta(days=1)
    return [
        Days(name=translate(language, "Last month"), since=month_before.replace(day=1), until=month_before),
        Days(name=translate(language, "This month"), since=month, until=today),
        Days(name=translate(language, "This year"), since=year, until=today),
        Days(name=translate(language, "Last year"), since=year_before.replace(month=1, day=1), until=year_before),
    ]


def _one_file(visit: Visit, desk: Desk, shelf: str, subject: Mapping[str, str], papers: Sequence[Paper]) -> str:
    """The address of one file with the lists of a shelf; "" if it would have fewer than two. Labels and receipts go
    onto other paper."""
    parameters = [
        {parameter.name for parameter in paper.report.parameters} for paper in papers if paper.report.layout == "table"
    ]
    if not subject or sum(subject.keys() <= names for names in parameters) < 2:
        return ""
    query = urlencode({"moment": shelf, **subject, "language": visit.language})
    return f"/api/enterprises/{desk.enterprise.id}/papers?{query}"
