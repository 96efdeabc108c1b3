"""What is owed to suppliers for their goods, by rate of VAT."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from commensal import Line, Query, Report, a_period, columns_of, look, net_and_vat, own_pages, translate


def suppliers(language: str) -> Report:
    """Goods at the prices they were sold at, with the fees that go to the supplier; fees of the shop are not taken off.
    What the shop alone lost is owed too. Deposits stand apart, outside VAT.
    """
    asked = ("supplier", "vat_rate", "pieces", "fees", "deposits")
    supplier, rate, pieces, fees, deposits = columns_of(
        "supplies", language, *asked, summed=("pieces", "fees", "deposits")
    )
    sums = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        asked = ("supplier", "vat_rate", "prices_include_vat", "pieces", "deposits", "amount", "fees")
        order = ("supplier", "vat_rate")
        for who, at, included, count, deposit, amount, fee in look(
            query, "supplies", *asked, put_together=True, order=order
        ):
            net, vat = _split(amount + fee, at, bool(included))
            yield [who, at, count, net, vat, net + vat, fee, deposit]

    return Report(
        id="suppliers",
        label=translate(language, "Suppliers to pay"),
        description=translate(language, "Each supplier’s goods and fees without VAT, VAT and with VAT, at each rate."),
        columns=[supplier, rate, pieces, *sums, fees, deposits],
        rows=lines,
        parameters=[*a_period(language), own_pages(language)],
        grouped_by=["supplier"],
        scope="payments:read",
    )


def _split(amount: int, rate: Decimal | None, included: bool) -> tuple[int, int]:
    """Net and VAT of a sum, in minor units; a fee without a rate is outside VAT."""
    if rate is None:
        return amount, 0
    share = net_and_vat(amount, rate, included)
    return share.net, share.vat
