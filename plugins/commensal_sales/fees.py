"""Reports of VAT by rate, and of fees and reductions by kind, payer and payee."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from commensal import Line, Query, Report, a_period, columns_of, look, translate


def vat(language: str) -> Report:
    """VAT by rate that falls due in the period: at the payment or the distribution, whichever is earlier."""
    fields = ("vat_rate", "net", "vat", "gross", "orders")

    def lines(query: Query) -> Iterator[Line]:
        return look(query, "vat", *fields, put_together=True, order=("vat_rate",))

    return Report(
        id="vat",
        label=translate(language, "VAT by rate"),
        description=translate(
            language,
            "What falls due at each rate, for goods and fees, as on customers’ receipts: at the payment where it comes "
            "before the distribution, else there. This is the VAT that the accountant declares.",
        ),
        columns=columns_of("vat", language, *fields, summed=("net", "vat", "gross")),
        rows=lines,
        parameters=a_period(language),
        scope="payments:read",
    )


def fees(language: str) -> Report:
    what = ("phase", "label", "payer", "payee", "vat_rate")
    fields = (*what, "orders", "amount")

    def lines(query: Query) -> Iterator[Line]:
        names, put_together = query.adjustment_names(), dict[tuple[Any, ...], list[Any]]()
        for phase, label, *others, orders, amount in look(query, "adjustments", *fields, put_together=True, order=what):
            sums = put_together.setdefault((phase, names.get(label, label), *others), [0, 0])
            sums[0], sums[1] = sums[0] + orders, sums[1] + amount
        return ([*each, *sums] for each, sums in put_together.items())

    return Report(
        id="fees",
        label=translate(language, "Fees and reductions"),
        description=translate(language, "What was added to orders or taken off them: who paid it, and who gets it."),
        columns=columns_of("adjustments", language, *fields, summed=("amount",)),
        rows=lines,
        parameters=a_period(language),
        grouped_by=["phase"],
        scope="payments:read",
    )
