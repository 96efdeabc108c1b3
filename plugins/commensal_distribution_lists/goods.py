"""Lists by product, for dividing the goods, and by supplier, for receiving them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from commensal import Column, Filter, Line, Parameter, Quantity, Query, Report, columns_of, look, one_sale, translate

_LINES = "order_lines"
_COMPACT = "compact"
_WHERE = ("supplier_street", "supplier_postcode", "supplier_city", "supplier_phone")


def by_product(language: str) -> Report:
    """The list for dividing a product: the quantity of each customer, in rows or, for many customers, in one row."""
    size, number, customer, place, pieces = columns_of(
        _LINES, language, "size", "number", "customer", "place", "pieces", summed=("pieces",)
    )
    product = Column(name="product", label=translate(language, "Product"))
    to_weigh = Column(name="to_weigh", label=translate(language, "To weigh"), kind="quantity", summed=True)
    tick = Column(name="done", label="", kind="tick")

    def lines(query: Query) -> Iterator[Line]:
        fields = ("product", "size", "supplier", "by_weight", "number", "customer", "place", "pieces")
        order = ("product", "size", "supplier", "number")
        rows = look(query, _LINES, *fields, where=[CONFIRMED, *_supplier_filter(query)], order=order)
        if query.given.get(_COMPACT):
            yield from _in_one_row(rows)
            return
        for name, each, supplier, by_weight, *recipient, count in rows:
            weight = _times(each, count) if by_weight else None
            yield [f"{name} · {supplier}", None, count, each, weight, *recipient]

    return Report(
        id="by_product",
        moment="pack",
        label=translate(language, "By product"),
        description=translate(language, "Who gets how much of each product, for dividing goods that come in bulk."),
        columns=[product, tick, pieces, size, to_weigh, number, customer, place],
        rows=lines,
        parameters=[
            *one_sale(language),
            supplier_parameter(language),
            Parameter(
                name=_COMPACT, label=translate(language, "Compact, for many customers"), kind="flag", default=False
            ),
        ],
        grouped_by=["product"],
    )


def _in_one_row(rows: Iterator[Any]) -> Iterator[Line]:
    """A row for each size of a product: the numbers of the orders, each with its pieces."""
    for (name, each, supplier, by_weight), of_product in groupby(rows, key=lambda row: tuple(row[:4])):
        counts = [(row[4], row[-1]) for row in of_product]
        pieces = sum(count for _, count in counts)
        weight = _times(each, pieces) if by_weight else None
        orders = " · ".join(f"{number}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{count}" for number, count in counts)
        yield [f"{name} · {supplier}", None, pieces, each, weight, None, orders, ""]


def by_supplier(language: str) -> Report:
    """The list for suppliers, and for those who receive the goods."""
    supplier, product, size, pieces, orders, amount = columns_of(
        _LINES, language, "supplier", "product", "size", "pieces", "orders", "amount", summed=("pieces", "amount")
    )
    content = Column(name="content", label=translate(language, "In all"), kind="quantity")
    tick = Column(name="done", label="", kind="tick")

    def lines(query: Query) -> Iterator[Line]:
        fields = ("supplier", *_WHERE, "product", "size", "pieces", "orders", "amount")
        order = ("supplier", "product", "size")
        for row in look(query, _LINES, *fields, put_together=True, where=_supplier_filter(query), order=order):
            (whom, street, postcode, city, phone), (name, each, count, buyers, sum_of_lines) = row[:5], row[5:]
            heading = _heading(whom, street, postcode, city, phone, language=language)
            yield [heading, None, count, name, each, _times(each, count), buyers, sum_of_lines]

    return Report(
        id="by_supplier",
        moment="pack",
        label=translate(language, "By supplier"),
        description=translate(language, "What each supplier brings, a page for each."),
        columns=[supplier, tick, pieces, product, size, content, orders, amount],
        rows=lines,
        parameters=[*one_sale(language), supplier_parameter(language), amounts_parameter(language)],
        grouped_by=["supplier"],
        page_per_group=True,
        optional={"amount": AMOUNTS},
    )


def _heading(name: str, street: str, postcode: str, city: str, phone: str, *, language: str) -> str:
    """The supplier with address and telephone, and below it a line on which whoever receives the goods signs."""
    address = ", ".join(part for part in (street, f"{postcode} {city}".strip()) if part)
    first = " · ".join(part for part in (name, address, phone) if part)
    signature = translate(language, "Received on ____________ at ________ · Signature ______________________")
    return f"{first}\n{signature}"


AMOUNTS = "amounts"
CONFIRMED = Filter("confirmation", "is_not", "waiting")  # else the guest may not come, and the order may end


def amounts_parameter(language: str) -> Parameter:
    """Whether a list of the hall shows amounts; packers need none."""
    return Parameter(name=AMOUNTS, label=translate(language, "With amounts"), kind="flag", default=False)


def supplier_parameter(language: str) -> Parameter:
    return Parameter(name="supplier", label=translate(language, "Supplier contains"), kind="text")


def _supplier_filter(query: Query) -> list[Filter]:
    text = query.given.get("supplier")
    return [Filter("supplier", "contains", text)] if text else []


def _times(each: Quantity, count: int) -> Quantity | None:
    """The quantity of all pieces together; None for goods counted by the piece."""
    if each.unit == "Piece":
        return None
    return Quantity(each.value * count, each.unit)
