"""Reports of counts of the till, and of what suppliers were paid, by the day on which each was recorded."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Line, Query, Report, a_period, columns_of, look, translate


def till(language: str) -> Report:
    fields = (
        "day",
        "number",
        "kind",
        "of",
        "method",
        "float_before",
        "taken",
        "expected",
        "counted",
        "difference",
        "reason",
        "taken_out",
        "float_after",
        "person",
    )

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "till_counts", *fields, order=("number",))

    since, until, _ = a_period(language)
    return Report(
        id="till",
        label=translate(language, "Counts of the till"),
        description=translate(language, "What was expected and counted, each difference with its reason."),
        columns=columns_of("till_counts", language, *fields, summed=("taken", "difference", "taken_out")),
        rows=lines,
        parameters=[since, until],
        scope="payments:read",
    )


def paid_suppliers(language: str) -> Report:
    fields = ("supplier", "day", "sale", "distribution", "reference", "person", "amount")

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "supplier_payments", *fields, order=("supplier", "day"))

    return Report(
        id="paid_suppliers",
        label=translate(language, "Payments to suppliers"),
        description=translate(language, "What each supplier was paid, for which sale, and what was taken back."),
        columns=columns_of("supplier_payments", language, *fields, summed=("amount",)),
        rows=lines,
        parameters=a_period(language),
        grouped_by=["supplier"],
        scope="payments:read",
    )
