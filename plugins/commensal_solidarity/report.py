"""The statements of all funds as one report with a page for each fund, to print or to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commensal import Column, Line, Parameter, Query, Report, hookimpl, translate

from .settings import Settings
from .statement import statement_of


@hookimpl
def reports(language: str, settings: Settings) -> Sequence[Report]:
    """Returns the report. It is offered even without a programme, and is empty then."""

    def lines(query: Query) -> Iterator[Line]:
        first, last = query.given["since"], query.given["until"]
        for programme in sorted(settings.programmes, key=lambda programme: (programme.payer, programme.id)):
            for order in statement_of(query.tx, query.enterprise_id, programme, first, last).orders:
                yield programme.payer, programme.id, order.number, order.placed_on, order.who, order.amount

    return [
        Report(
            id="statements",
            label=translate(language, "Statements for funds"),
            description=translate(language, "What each fund granted in the period, and to which orders."),
            columns=[
                Column(name="payer", label=translate(language, "Fund")),
                Column(name="programme", label=translate(language, "Programme")),
                Column(name="number", label=translate(language, "Order"), kind="whole"),
                Column(name="placed_on", label=translate(language, "Date"), kind="date"),
                Column(name="who", label=translate(language, "Customer")),
                Column(name="amount", label=translate(language, "Granted"), kind="money", summed=True),
            ],
            rows=lines,
            parameters=[
                Parameter(name="since", label=translate(language, "From"), kind="day", default="month_begins"),
                Parameter(name="until", label=translate(language, "To"), kind="day", default="month_ends"),
            ],
            grouped_by=["payer"],
            page_per_group=True,
            scope="payments:read",
        )
    ]
