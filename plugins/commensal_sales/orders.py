"""The reports of orders, with their sums as an accountant enters them, and of customers."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Chart, Filter, Line, Query, Report, Series, a_period, columns_of, look, translate


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


# Reports of payments and refunds: by day and method, and the entries of the journal.


def payments(language: str) -> Report:
    fields = ("day", "method", "entries", "amount")

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "payments", *fields, put_together=True, order=("day", "method"))

    return Report(
        id="payments",
        label=translate(language, "Payments by day"),
        description=translate(language, "What came in and was given back each day, by payment method."),
        columns=columns_of("payments", language, *fields, summed=("entries", "amount")),
        rows=lines,
        parameters=a_period(language),
        grouped_by=["day"],
        charts=_by_method,
        scope="payments:read",
    )


def journal(language: str) -> Report:
    fields = ("day", "at", "sequence", "kind", "number", "customer", "method", "amount")

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "payments", *fields, order=("sequence",))

    return Report(
        id="journal",
        label=translate(language, "Payment journal"),
        description=translate(language, "Every entry of the journal, in its order."),
        columns=columns_of("payments", language, *fields, summed=("amount",)),
        rows=lines,
        parameters=a_period(language),
        grouped_by=["day"],
        scope="payments:read",
    )


def given_back(language: str) -> Report:
    fields = ("day", "at", "sequence", "kind", "number", "customer", "method", "amount")

    def lines(query: Query) -> Iterator[Line]:
        where = [Filter("kind", "is_not", "payment")]
        return look(query, "payments", *fields, where=where, order=("sequence",))

    return Report(
        id="given_back",
        label=translate(language, "Money given back"),
        description=translate(language, "Refunds, and entries of the journal that were taken back."),
        columns=columns_of("payments", language, *fields, summed=("amount",)),
        rows=lines,
        parameters=a_period(language),
        scope="payments:read",
    )


def _by_method(query: Query) -> list[Chart]:
    totals = list(look(query, "payments", "method", "amount", put_together=True, order=("method",)))
    if not totals:
        return []
    amounts = [amount for _, amount in totals]
    series = [Series(translate(query.language, "Amount"), amounts)]
    title = translate(query.language, "Payments by method")
    return [Chart(title=title, labels=[str(method) for method, _ in totals], series=series, money=True)]


# The report of customers: their orders, totals, last order and amounts due.


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
