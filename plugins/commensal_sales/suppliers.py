"""The reports of what suppliers are owed for their goods, by VAT rate, and of the stock that is on hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from commensal import (
    Column,
    Filter,
    Line,
    Query,
    Report,
    a_period,
    columns_of,
    half_up,
    look,
    net_and_vat,
    own_pages,
    search_key,
    translate,
)


def suppliers(language: str) -> Report:
    """Goods at their purchase prices, with the fees that go to the supplier; fees of the shop are not deducted.

    Goods that the shop lost are owed too, and for its own goods nothing. Deposits stand apart, outside VAT.
    """
    counted = ("pieces", "fees", "corrections", "deposits")
    supplier, rate, pieces, *among_it = columns_of(
        "supplies", language, "supplier", "vat_rate", *counted, summed=counted
    )
    sums = columns_of("vat", language, "net", "vat", "gross", summed=("net", "vat", "gross"))

    def lines(query: Query) -> Iterator[Line]:
        for share in owed_shares(query):
            gross = share.net + share.vat
            amounts = (share.net, share.vat, gross, share.fees, share.corrections, share.deposits)
            yield [share.supplier, share.rate, share.pieces, *amounts]

    return Report(
        id="suppliers",
        label=translate(language, "Suppliers to pay"),
        description=translate(
            language,
            "Each supplier’s goods and fees at each rate. The VAT is that of suppliers’ statements, rounded once for "
            "each sale and rate: it may differ by cents from the VAT of customers’ receipts.",
        ),
        columns=[supplier, rate, pieces, *sums, *among_it],
        rows=lines,
        parameters=[*a_period(language), own_pages(language)],
        grouped_by=["supplier"],
        scope="payments:read",
    )


@dataclass(frozen=True)
class OwedAtRate:
    """What is owed to a supplier at one VAT rate (percent; None: outside VAT), in minor units. `net` contains `fees`
    and `corrections`, which are negative; `deposits` are outside VAT."""

    supplier: str
    rate: Decimal | None
    pieces: int = 0
    net: int = 0
    vat: int = 0
    fees: int = 0
    corrections: int = 0
    deposits: int = 0


def owed_shares(query: Query) -> list[OwedAtRate]:
    """What other enterprises are owed, by name and rate. VAT is rounded once for each sale and rate, as on their
    statements: so the sum of a period is that of its statements."""
    fields = ("supplier", "supplier_id", "vat_rate", "prices_include_vat", "sale_id")
    lines = look(
        query,
        "supplies",
        *fields,
        "pieces",
        "deposits",
        "purchase",
        "fees",
        "corrections",
        put_together=True,
        order=("supplier", "vat_rate"),
        where=[Filter("supplier_id", "is_not", query.enterprise_id)],
    )
    of_stock = look(query, "stock_purchases", *fields, "pieces", "deposits", "purchase", put_together=True)
    sums: dict[tuple[Any, ...], list[int]] = {}
    for *key, pieces, deposits, purchase, fees, corrections in (*lines, *([*line, 0, 0] for line in of_stock)):
        before = sums.get(tuple(key), [0] * 5)
        amounts = (pieces, deposits, purchase, fees, corrections)
        sums[tuple(key)] = [first + more for first, more in zip(before, amounts, strict=True)]
    shares: dict[tuple[str, Decimal | None], OwedAtRate] = {}
    for (supplier, supplier_id, rate, included, _), (pieces, deposits, amount, fees, corrections) in sums.items():
        net, vat = _split(amount + fees + corrections, rate, bool(included))
        share = shares.get((supplier_id, rate), OwedAtRate(supplier, rate))
        shares[supplier_id, rate] = replace(
            share,
            pieces=share.pieces + pieces,
            net=share.net + net,
            vat=share.vat + vat,
            fees=share.fees + fees,
            corrections=share.corrections + corrections,
            deposits=share.deposits + deposits,
        )
    return sorted(shares.values(), key=lambda share: (search_key(share.supplier), share.rate or Decimal(-1)))


def _split(amount: int, rate: Decimal | None, included: bool) -> tuple[int, int]:
    """Net amount and VAT of an amount, in minor units; a fee without a rate is outside VAT."""
    if rate is None:
        return amount, 0
    share = net_and_vat(amount, rate, included)
    return share.net, share.vat


# Reports of counts of the till, and of what suppliers were paid, by the day on which each was recorded.


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


# The report of stock on hand, with the value of the shop's own goods at its prices.

_SIZES = (
    "supplier",
    "product",
    "lot_id",
    "free",
    "reserved",
    "on_hand",
    "on_hand_grains",
    "unlimited",
    "size",
    "own",
    "price",
    "grains",
)


def stock(language: str) -> Report:
    """A line for each lot. Its value is that of its cheapest size at the price for everybody; goods of producers, which
    the shop does not own, lots without a price and unlimited lots have no value."""
    supplier, product, free, reserved, on_hand = columns_of(
        "products", language, "supplier", "product", "free", "reserved", "on_hand"
    )
    value = Column(name="value", label=translate(language, "Value"), kind="money", summed=True)

    def lines(query: Query) -> Iterator[Line]:
        lots: dict[object, list[Any]] = {}
        for size in look(query, "products", *_SIZES, order=("supplier", "product", "size")):
            lots.setdefault(size[2], []).append(size)
        for sizes in lots.values():
            supplier_name, name, _, is_free, ordered, is_there, grains, unlimited, _, own, *_ = sizes[0]
            if unlimited:
                yield [supplier_name, name, None, ordered, None, None]
            else:
                value_of_lot = _value(grains, sizes) if own else None
                yield [supplier_name, name, is_free, ordered, is_there, value_of_lot]

    return Report(
        id="stock",
        label=translate(language, "Stock on hand"),
        description=translate(
            language, "What is free and what is ordered of each lot; what you own has a value, at your lowest price."
        ),
        columns=[supplier, product, free, reserved, on_hand, value],
        rows=lines,
        grouped_by=["supplier"],
        scope="products:read",
    )


def _value(grains: int, sizes: list[Any]) -> int | None:
    """The value in minor units, rounded once at the end."""
    prices = [Fraction(price, per_piece) for *_, price, per_piece in sizes if price is not None]
    return half_up(grains * min(prices)) if prices else None
