"""The report of stock on hand, with the value of the shop's own goods at its prices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from commensal import Column, Line, Query, Report, columns_of, half_up, look, translate

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
