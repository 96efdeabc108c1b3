"""The report of turnover by month, day, sale, product, supplier or product type: net, VAT and gross.

It contains what customers pay for goods with VAT: lines, with fees and reductions of them, less corrections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from commensal import (
    Chart,
    Choice,
    Column,
    Line,
    Parameter,
    Query,
    Report,
    Series,
    a_period,
    columns_of,
    look,
    translate,
)

_IN_TIME = ("month", "day")  # groups that a chart shows in their order; of other groups it shows the largest
_MOST_BARS = 15


@dataclass(frozen=True)
class GroupTotal:
    """The totals of one group (a month, a product …); amounts in minor units. Deposits are outside VAT."""

    subject: object
    pieces: int = 0
    net: int = 0
    vat: int = 0
    deposits: int = 0


def turnover(language: str) -> Report:
    pieces, deposits = columns_of("order_lines", language, "pieces", "deposits", summed=("pieces", "deposits"))
    net, vat, gross = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        for total in totals_by_group(query):
            subject = _label(total.subject, language)
            yield [subject, total.pieces, total.net, total.vat, total.net + total.vat, total.deposits]

    return Report(
        id="turnover",
        label=translate(language, "Turnover"),
        description=translate(
            language,
            "What was sold, with fees and reductions that have VAT, less corrections and empties. The VAT is that of "
            "customers’ receipts: for a sale, the sums of “VAT by rate” are the same.",
        ),
        columns=[Column(name="what", label=translate(language, "By")), pieces, net, vat, gross, deposits],
        rows=lines,
        parameters=[*a_period(language), _by(language)],
        charts=_charts,
        scope="payments:read",
    )


def totals_by_group(query: Query) -> list[GroupTotal]:
    """The totals of each group. VAT is that of the orders, so that their sum is the same however they are grouped."""
    by, sums = query.given["by"], ("net", "vat", "deposits")
    totals: dict[object, GroupTotal] = {}
    for subject, *amounts in look(query, "order_lines", by, "pieces", *sums, put_together=True, order=(by,)):
        totals[subject] = GroupTotal(subject, *amounts)
    for subject, rate, net, vat, deposits in look(
        query, "adjustments", by, "vat_rate", *sums, put_together=True, order=(by, "vat_rate")
    ):
        if rate is None:  # outside VAT; that of empties is in the deposits
            net = vat = 0
        if net or vat or deposits:
            total = totals.get(subject, GroupTotal(subject))
            totals[subject] = replace(
                total, net=total.net + net, vat=total.vat + vat, deposits=total.deposits + deposits
            )
    return list(totals.values())


def _by(language: str) -> Parameter:
    choices = [
        Choice("month", translate(language, "Month")),
        Choice("day", translate(language, "Day")),
        Choice("sale", translate(language, "Sale")),
        Choice("product", translate(language, "Product")),
        Choice("supplier", translate(language, "Supplier")),
        Choice("product_type", translate(language, "Product type")),
    ]
    return Parameter(name="by", label=translate(language, "By"), kind="choice", default="day", choices=choices)


def _charts(query: Query) -> list[Chart]:
    totals, by = totals_by_group(query), query.given["by"]
    if not totals:
        return []
    if by not in _IN_TIME:
        totals = sorted(totals, key=lambda total: -total.net)[:_MOST_BARS]
    series = [
        Series(translate(query.language, "Without VAT"), [total.net for total in totals]),
        Series(translate(query.language, "VAT"), [total.vat for total in totals]),
    ]
    title = translate(query.language, "Turnover")
    return [
        Chart(
            title=title,
            labels=[_label(total.subject, query.language) for total in totals],
            series=series,
            kind="stacked",
            money=True,
        )
    ]


def _label(subject: object, language: str) -> str:
    if subject is None:
        return translate(language, "Fees, reductions and empties")
    return f"{subject:%d/%m/%Y}" if isinstance(subject, date) else str(subject)


# Reports of VAT by rate, and of fees and reductions by kind, payer and payee.


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
