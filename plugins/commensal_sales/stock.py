"""The report of stock on hand, with its value at the shop's prices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from commensal import Column, Line, Query, Report, columns_of, half_up, look, translate

_SIZES = (
    "supplier", "product", "lot_id", "free", "reserved", "on_hand", "on_hand_grains", "unlimited", "size", "price",
    "grains",
)  # fmt: skip


def stock(language: str) -> Report:
    """A line for each lot. Its value is that of its cheapest size at the price for everybody; lots without a price and
    unlimited lots have no value."""
    supplier, product, free, reserved, on_hand = columns_of(
        "products", language, "supplier", "product", "free", "reserved", "on_hand"
    )
    value = Column(name="value", label=translate(language, "Value"), kind="money", summed=True)

    def lines(query: Query) -> Iterator[Line]:
        lots: dict[object, list[Any]] = {}
        for size in look(query, "products", *_SIZES, order=("supplier", "product", "size")):
            lots.setdefault(size[2], []).append(size)
        for sizes in lots.values():
            supplier_name, name, _, is_free, ordered, is_there, grains, unlimited, *_ = sizes[0]
            if unlimited:
                yield [supplier_name, name, None, ordered, None, None]
            else:
                yield [supplier_name, name, is_free, ordered, is_there, _value(grains, sizes)]

    return Report(
        id="stock",
        label=translate(language, "Stock on hand"),
        description=translate(
            language, "What is free and what is ordered of each lot, and its value at the lowest price."
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
