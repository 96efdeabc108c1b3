"""Exports a statement as CSV for spreadsheets in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from commensal import Money, csv_bytes, translate

from .statement import FundStatement


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
