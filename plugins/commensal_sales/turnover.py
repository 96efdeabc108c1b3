"""Turnover of goods by month, day, sale, product, supplier or kind of product: without VAT, VAT, and with it."""

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
    net_and_vat,
    translate,
)

_IN_TIME = ("month", "day")  # what a chart shows in its order; of all else it shows the largest
_MOST_BARS = 15


@dataclass(frozen=True)
class Sold:
    """Of one month, product …; amounts in minor units. Deposits are outside VAT."""

    what: object
    pieces: int = 0
    net: int = 0
    vat: int = 0
    deposits: int = 0


def turnover(language: str) -> Report:
    pieces, deposits = columns_of("order_lines", language, "pieces", "deposits", summed=("pieces", "deposits"))
    net, vat, gross = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        for one in sold(query):
            yield [_named(one.what), one.pieces, one.net, one.vat, one.net + one.vat, one.deposits]

    return Report(
        id="turnover",
        label=translate(language, "Turnover"),
        description=translate(language, "What was sold, by month, day, sale, product, supplier or kind of product."),
        columns=[Column(name="what", label=translate(language, "By")), pieces, net, vat, gross, deposits],
        rows=lines,
        parameters=[*a_period(language), _by(language)],
        charts=_charts,
        scope="payments:read",
    )


def sold(query: Query) -> list[Sold]:
    """One for each of what was asked for. Amounts of one rate are added first, and split once."""
    by = query.given["by"]
    asked = (by, "vat_rate", "prices_include_vat", "pieces", "amount", "deposits")
    found: dict[object, Sold] = {}
    for what, rate, included, pieces, amount, deposits in look(
        query, "order_lines", *asked, put_together=True, order=(by, "vat_rate")
    ):
        share = net_and_vat(amount, rate, bool(included))
        one = found.get(what, Sold(what))
        found[what] = replace(
            one,
            pieces=one.pieces + pieces,
            net=one.net + share.net,
            vat=one.vat + share.vat,
            deposits=one.deposits + deposits,
        )
    return list(found.values())


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
    found, by = sold(query), query.given["by"]
    if not found:
        return []
    if by not in _IN_TIME:
        found = sorted(found, key=lambda one: -one.net)[:_MOST_BARS]
    series = [
        Series(translate(query.language, "Without VAT"), [one.net for one in found]),
        Series(translate(query.language, "VAT"), [one.vat for one in found]),
    ]
    title = translate(query.language, "Turnover")
    return [Chart(title=title, labels=[_named(one.what) for one in found], series=series, kind="stacked", money=True)]


def _named(what: object) -> str:
    return f"{what:%d/%m/%Y}" if isinstance(what, date) else str(what)
