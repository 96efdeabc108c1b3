"""The statements of all funds as one report with a page for each fund, to print or to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from commensal import Column, Line, Money, Query, Report, a_period, csv_bytes, hookimpl, translate

from .settings import Programme, Settings
from .statement import FundStatement, GrantedOrder, granted_at_sale, statement_of


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


# Exports a statement as CSV for spreadsheets in the reader's language.


def statement_csv(statement: FundStatement, language: str) -> bytes:
    """Returns the statement as CSV: its orders, then its sums."""
    return csv_bytes(_rows(statement, language), language)


def _rows(statement: FundStatement, language: str) -> Iterable[tuple[object, ...]]:
    def amount(minor: int) -> Decimal:
        return Decimal(str(Money(minor, statement.currency)).split()[0])

    def sum_row(label: str, minor: int) -> tuple[object, ...]:
        return "", "", label, amount(minor)

    yield statement.shop, statement.payer, statement.first_day, statement.last_day
    yield (
        translate(language, "Order"),
        translate(language, "Date"),
        translate(language, "Customer"),
        f"{translate(language, 'Granted')} ({statement.currency})",
    )
    for order in statement.orders:
        yield order.number, order.placed_on, order.who, amount(order.amount)
    yield sum_row(translate(language, "Total"), statement.total)
    yield sum_row(translate(language, "Received in this period"), statement.received)
    yield sum_row(translate(language, "Still owed"), statement.owed)
    yield sum_row(translate(language, "Budget of the year"), statement.year.budget)
    yield sum_row(translate(language, "Spent of it"), statement.year.spent)
    yield sum_row(translate(language, "Left of it"), statement.year.left)
