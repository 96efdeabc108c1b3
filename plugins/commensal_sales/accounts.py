"""The accounts of a period on one page: orders, VAT, payments, the till and suppliers, each with its sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from commensal import Column, Line, Query, Report, a_period, format_percent, look, translate

from .suppliers import owed_shares

Entry = tuple[str, int | None, int]  # what, how many, minor units


def accounts(language: str) -> Report:
    """Each part is read from the segment of its own report, so that both come to the same sum."""
    return Report(
        id="accounts",
        label=translate(language, "Accounts on one page"),
        description=translate(language, "Orders, VAT, payments, suppliers and the till of the days, with their sums."),
        columns=[
            Column(name="part", label=translate(language, "Part")),
            Column(name="what", label=translate(language, "What")),
            Column(name="number", label=translate(language, "Orders or entries"), kind="whole"),
            Column(name="amount", label=translate(language, "Amount"), kind="money"),
        ],
        rows=_lines,
        parameters=a_period(language),
        grouped_by=["part"],
        scope="payments:read",
    )


def _lines(query: Query) -> Iterator[Line]:
    def say(text: str) -> str:
        return translate(query.language, text)

    yield from _part(say("Orders"), _orders(query), say("Total"))
    yield from _part(say("VAT that falls due"), _vat(query), say("Total"))
    yield from _part(say("Received and given back"), _payments(query), say("Total"))
    yield from _part(say("Owed to suppliers"), _owed(query), say("Total"))
    yield from _part(say("Paid to suppliers"), _paid(query), say("Total"))
    yield from _part(say("Till"), _till(query), "")


def _part(part: str, entries: Iterable[Entry], total: str) -> Iterator[Line]:
    together = 0
    for what, number, amount in entries:
        yield [part, what, number, amount]
        together += amount
    if total:
        yield [part, total, None, together]


def _orders(query: Query) -> Iterator[Entry]:
    fields = ("orders", "products_total", "deposits_total", "adjustments_total", "total")
    for number, products, deposits, adjustments, total in look(query, "orders", *fields, put_together=True):
        yield translate(query.language, "Goods"), number, products
        yield translate(query.language, "Deposits"), None, deposits
        yield translate(query.language, "Fees and reductions"), None, adjustments
        if vat := total - products - deposits - adjustments:
            yield translate(query.language, "VAT on top of the prices"), None, vat


def _vat(query: Query) -> Iterator[Entry]:
    fields = ("vat_rate", "vat", "orders")
    for rate, vat, number in look(query, "vat", *fields, put_together=True, order=("vat_rate",)):
        yield format_percent(rate, query.language), number, vat


def _payments(query: Query) -> Iterator[Entry]:
    fields, order = ("kind", "method", "entries", "amount"), ("kind", "method")
    for kind, method, number, amount in look(query, "payments", *fields, put_together=True, order=order):
        yield f"{kind} · {method}", number, amount


def _owed(query: Query) -> Iterator[Entry]:
    for supplier, shares in groupby(owed_shares(query), lambda share: share.supplier):
        yield supplier, None, sum(share.net + share.vat + share.deposits for share in shares)


def _paid(query: Query) -> Iterator[Entry]:
    fields = ("supplier", "entries", "amount")
    for line in look(query, "supplier_payments", *fields, put_together=True, order=("supplier",)):
        supplier, number, amount = line
        yield supplier, number, amount


def _till(query: Query) -> Iterator[Entry]:
    fields = ("method", "taken", "difference", "taken_out")
    for method, taken, difference, taken_out in look(
        query, "till_counts", *fields, put_together=True, order=("method",)
    ):
        yield f"{method} · {translate(query.language, 'Taken since')}", None, taken
        yield f"{method} · {translate(query.language, 'Difference')}", None, difference
        yield f"{method} · {translate(query.language, 'Taken out')}", None, taken_out
