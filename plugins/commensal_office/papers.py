"""Papers: every list and report of a sale, on three shelves by the moment of the week."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from commensal import Report, reports_of
from commensal.pages import Visit

from .desk import open_desk
from .sessions import recent_sessions, session_of_page
from .showing import show

_FORMATS = ("pdf", "xlsx", "html", "csv")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A report with the address of each of its formats."""

    report: Report
    addresses: dict[str, str]


def papers_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        reports = reports_of(tx, visit.instance.hooks, desk.enterprise.id, visit.language)
    shelves: dict[str, list[Paper]] = {"pack": [], "hand out": [], "account": []}
    for name, report in reports.items():
        if not desk.may(report.scope):
            continue
        base = f"/api/enterprises/{desk.enterprise.id}/reports/{name.replace(':', '/')}?language={visit.language}"
        sale = "".join(f"&{each.name}={session.id}" for each in report.parameters if session and each.kind == "sale")
        paper = Paper(report=report, addresses={kind: f"{base}&format={kind}{sale}" for kind in _FORMATS})
        shelves[report.moment].append(paper)
    return show(
        visit, desk, "papers", at="papers", session=session, sessions=sessions, shelves=shelves,
        printable={shelf: sum(_is_of_sale(paper.report) for paper in papers) for shelf, papers in shelves.items()},
    )  # fmt: skip


def _is_of_sale(report: Report) -> bool:
    """Whether the file with all lists of a sale has it; labels and receipts go onto other paper."""
    return report.layout == "table" and any(parameter.kind == "sale" for parameter in report.parameters)
