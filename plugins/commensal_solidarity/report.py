"""The statements of all funds as one report with a page for each fund, to print or to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commensal import Column, Line, Query, Report, a_period, hookimpl, translate

from .settings import Programme, Settings
from .statement import GrantedOrder, granted_at_sale, statement_of


@hookimpl
def reports(language: str, settings: Settings) -> Sequence[Report]:
    """Returns the report. It is offered even without a programme, and is empty then."""

    def lines(query: Query) -> Iterator[Line]:
        for programme in sorted(settings.programmes, key=lambda programme: (programme.payer, programme.id)):
            for order in _orders(query, programme):
                yield programme.payer, programme.id, order.number, order.placed_on, order.who, order.amount

    return [
        Report(
            id="statements",
            label=translate(language, "Statements for funds"),
            description=translate(language, "What each fund granted in the period or the sale, and to which orders."),
            columns=[
                Column(name="payer", label=translate(language, "Fund")),
                Column(name="programme", label=translate(language, "Programme")),
                Column(name="number", label=translate(language, "Order"), kind="whole"),
                Column(name="placed_on", label=translate(language, "Date"), kind="date"),
                Column(name="who", label=translate(language, "Customer")),
                Column(name="amount", label=translate(language, "Granted"), kind="money", summed=True),
            ],
            rows=lines,
            parameters=a_period(language),
            grouped_by=["payer"],
            page_per_group=True,
            scope="payments:read",
        )
    ]


def _orders(query: Query, programme: Programme) -> Sequence[GrantedOrder]:
    if session_id := query.given.get("sale"):
        return granted_at_sale(query.tx, query.enterprise_id, programme, session_id)
    first, last = query.given["since"], query.given["until"]
    return statement_of(query.tx, query.enterprise_id, programme, first, last).orders
