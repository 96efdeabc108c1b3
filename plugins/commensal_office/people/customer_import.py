"""Takes over a list of customers from a spreadsheet: shown first, with every mistake, then saved whole."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Invalid, Problem, Refused
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.parts.membership import CustomerListReport, import_customers

from ..frame.desk import open_desk
from ..frame.render import show

LARGEST_FILE = 300_000  # bytes; the form that saves it holds it once more, as text


def customers_import_page(
    visit: Visit,
    *,
    report: CustomerListReport | None = None,
    content: str = "",
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:write")
    return show(
        visit,
        desk,
        "customer_import",
        at="customers",
        status=status,
        report=report,
        content=content,
        cells=visit.form.get("cells", ""),
        mistakes=errors,
    )


def customers_import_now(visit: Visit) -> Response:
    """Shows what a list would change, with every mistake; or saves the list that was shown."""
    saves = visit.query.get("then") == "save"
    try:
        content = _content(visit)
        with visit.write() if saves else visit.read() as tx:
            desk = open_desk(tx, visit, "customers:write")
            report = import_customers(tx, desk.enterprise.id, content, dry_run=not saves)
    except Refused as error:
        return customers_import_page(visit, errors=mistakes(visit, error, lambda name: False), status=status_of(error))
    if saves:
        return visit.redirect(f"{desk.address}/customers?imported={report.created + report.changed}")
    return customers_import_page(visit, report=report, content=content.decode("utf-8-sig", errors="replace"))


def _content(visit: Visit) -> bytes:
    """The list: an uploaded file, or pasted cells. Raises `Invalid`."""
    content = visit.body or visit.form.get("cells", "").encode()
    if not content.strip():
        raise Invalid([Problem("no_list", "Choose a file, or paste the cells of your spreadsheet.")])
    if len(content) > LARGEST_FILE:
        text = "This list is larger than {most} KB. Hand it in in parts."
        raise Invalid([Problem("too_large", text, values={"most": LARGEST_FILE // 1000})])
    return content
