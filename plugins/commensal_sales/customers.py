"""The report of customers: their orders, totals, last order and amounts due."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Line, Query, Report, a_period, columns_of, look, translate


def customers(language: str) -> Report:
    fields = ("customer", "email", "phone", "orders", "total", "last_order", "due")

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "customers", *fields, put_together=True, order=("customer", "email"))

    return Report(
        id="customers",
        label=translate(language, "Customers"),
        description=translate(language, "Who bought, how often, for how much, and what is still due."),
        columns=columns_of("customers", language, *fields, summed=("orders", "total", "due")),
        rows=lines,
        parameters=a_period(language),
        scope="customers:read",
    )
