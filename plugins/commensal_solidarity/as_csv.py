"""A statement as CSV, as spreadsheets of the reader's language open it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from commensal import Money, csv_bytes, translate

from .statement import Statement


def as_csv(statement: Statement, language: str) -> bytes:
    """Its orders, then its sums."""
    return csv_bytes(_rows(statement, language), language)


def _rows(statement: Statement, language: str) -> Iterable[tuple[object, ...]]:
    def amount(minor: int) -> Decimal:
        return Decimal(str(Money(minor, statement.currency)).split()[0])

    def of(label: str, minor: int) -> tuple[object, ...]:
        return "", "", label, amount(minor)

    yield statement.shop, statement.payer, statement.first_day, statement.last_day
    yield (
        translate(language, "Order"),
        translate(language, "Date"),
        translate(language, "Customer"),
        f"{translate(language, 'Granted')} ({statement.currency})",
    )
    for one in statement.orders:
        yield one.number, one.placed_on, one.who, amount(one.amount)
    yield of(translate(language, "Total"), statement.total)
    yield of(translate(language, "Received in this period"), statement.received)
    yield of(translate(language, "Still owed"), statement.owed)
    yield of(translate(language, "Budget of the year"), statement.year.budget)
    yield of(translate(language, "Spent of it"), statement.year.spent)
    yield of(translate(language, "Left of it"), statement.year.left)
