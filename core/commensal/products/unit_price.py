"""The unit price (per kilogram, litre, metre or piece) that must be shown beside the price of a product.

Directive 98/6/EC, articles 2 (b) and 3; in France, arrêté du 16 novembre 1999. Both mean the price that a consumer
pays, VAT included.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from ..base.money import Money, half_up
from ..base.units.measures import MEASURES, Dimension, convert

_PER: dict[Dimension, str] = {"mass": "Kilogram", "volume": "Litre", "length": "Metre", "count": "Piece"}


@dataclass(frozen=True)
class UnitPrice:
    """`price` buys one of the DFC measure `per`."""

    price: Money
    per: str


@lru_cache(maxsize=10_000)
def unit_price(price: Money, quantity: Decimal, unit: str) -> UnitPrice | None:
    """The price of one kilogram, litre, metre or piece, if `price` buys `quantity` (above zero) of the measure `unit`.

    Computed exactly, then rounded once to minor units, halves up. None for measures without such a price: bunch, box.
    """
    measure = MEASURES[unit]
    per = _PER.get(measure.dimension)
    if per is None:
        return None
    amount = Fraction(price.amount) / convert(quantity, measure, MEASURES[per])
    return UnitPrice(Money(half_up(amount), price.currency), per)
