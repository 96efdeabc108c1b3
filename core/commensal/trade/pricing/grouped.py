"""Adjustments as people read them: one line for what one code spares at several rates, and for a fee of each line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .values import Adjustment


def as_told(adjustments: Iterable[Adjustment]) -> list[Adjustment]:
    """In their order, those of one code and label together, and those that one fee puts on each of the order's lines.
    Their rates are told with the order's VAT."""
    told: dict[tuple[object, ...], Adjustment] = {}
    for place, one in enumerate(adjustments):
        apart = not one.code and one.line_id is None
        key = (place,) if apart else (one.plugin, one.code, one.label, one.payer)
        same = told.get(key)
        told[key] = one if same is None else replace(same, amount=same.amount + one.amount, vat_rate=None, line_id=None)
    return list(told.values())
