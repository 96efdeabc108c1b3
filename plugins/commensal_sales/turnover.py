"""The report of turnover by month, day, sale, product, supplier or product type: net, VAT and gross.

It contains what customers pay for goods with VAT: lines, with fees and reductions of them, less corrections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

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
