"""What is owed to suppliers for their goods, by rate of VAT."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Line, Query, Report, a_period, columns_of, look, net_and_vat, own_pages, translate


def suppliers(language: str) -> Report:
    """Goods at the prices they were sold at; fees are not taken off. Deposits stand apart, outside VAT."""
    supplier, rate, pieces, deposits = columns_of(
        "order_lines", language, "supplier", "vat_rate", "pieces", "deposits", summed=("pieces", "deposits")
    )
    sums = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        asked = ("supplier", "vat_rate", "prices_include_vat", "pieces", "deposits", "amount")
        order = ("supplier", "vat_rate")
        for who, at, included, count, deposit, amount in look(
            query, "order_lines", *asked, put_together=True, order=order
        ):
            share = net_and_vat(amount, at, bool(included))
            yield [who, at, count, share.net, share.vat, share.net + share.vat, deposit]

    return Report(
        id="suppliers",
        label=translate(language, "Suppliers to pay"),
        description=translate(language, "Each supplier’s goods without VAT, VAT and with VAT, at each rate."),
        columns=[supplier, rate, pieces, *sums, deposits],
        rows=lines,
        parameters=[*a_period(language), own_pages(language)],
        grouped_by=["supplier"],
        scope="payments:read",
    )
