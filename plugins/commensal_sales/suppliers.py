"""The report of amounts owed to suppliers for their goods, by VAT rate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from commensal import Line, Query, Report, a_period, columns_of, look, net_and_vat, own_pages, translate


def suppliers(language: str) -> Report:
    """Goods at their purchase prices, with the fees that go to the supplier; fees of the shop are not deducted.

    Goods that the shop lost are owed too. Deposits are listed separately, outside VAT.
    """
    fields = ("supplier", "vat_rate", "pieces", "fees", "deposits")
    supplier, rate, pieces, fees, deposits = columns_of(
        "supplies", language, *fields, summed=("pieces", "fees", "deposits")
    )
    sums = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        fields = ("supplier", "vat_rate", "prices_include_vat", "pieces", "deposits", "purchase", "fees")
        order = ("supplier", "vat_rate")
        for supplier_name, vat_rate, included, count, deposit, amount, fee in look(
            query, "supplies", *fields, put_together=True, order=order
        ):
            net, vat = _split(amount + fee, vat_rate, bool(included))
            yield [supplier_name, vat_rate, count, net, vat, net + vat, fee, deposit]

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
    """Net amount and VAT of an amount, in minor units; a fee without a rate is outside VAT."""
    if rate is None:
        return amount, 0
    share = net_and_vat(amount, rate, included)
    return share.net, share.vat
