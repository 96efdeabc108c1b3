"""The report of orders with their sums, as an accountant enters them."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Line, Query, Report, a_period, columns_of, look, translate


def orders(language: str) -> Report:
    sums = ("products_total", "deposits_total", "adjustments_total", "vat_total", "total", "paid", "due")
    fields = ("day", "number", "customer", "payment_method", *sums)

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "orders", *fields, order=("day", "number"))

    return Report(
        id="orders",
        label=translate(language, "Orders with their sums"),
        description=translate(language, "Each order: goods, deposits, fees and reductions, VAT, total, paid, due."),
        columns=columns_of("orders", language, *fields, summed=sums),
        rows=lines,
        parameters=a_period(language),
        grouped_by=["day"],
        scope="payments:read",
    )
