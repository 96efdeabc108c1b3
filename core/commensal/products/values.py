"""Products as plugins, pages and the API see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..base.money import Money, half_up
from ..base.units.measures import MEASURES, Dimension, convert
from ..stock.lots import StockLot
from .fields import ProductDescription


@dataclass(frozen=True, kw_only=True)
class _ProductKey:
    id: str
    enterprise_id: str
    lot_id: str
    lot_quantity: int


@dataclass(frozen=True, kw_only=True)
class SuppliedProduct(ProductDescription, _ProductKey):
    """A product of a producer in one size. Sizes of the same product share a lot.

    lot_quantity: grains that one piece takes from its lot
    description:  clean HTML
    product_type: a DFC product type
    quantity:     net content of one piece, in `unit`, a DFC measure
    weighed:      the price follows the weight at packing
    labels:       DFC certifications and claims; allergens: EU 1169/2011, annex II
    origins:      countries and regions of DFC
    deposit:      minor units of the producer's currency, for one piece; outside VAT
    vat_rate:     percent, in force today where the producer is
    plugin_fields: values of fields that plugins declare, by plugin and name
    """

    image_id: str | None
    vat_rate: Decimal
    created_at: datetime
    archived_at: datetime | None
    version: int
    plugin_fields: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StockedProduct:
    """A product with its lot. `left`: pieces that may still be ordered; None if unlimited."""

    product: SuppliedProduct
    lot: StockLot
    left: int | None


# The unit price (per kilogram, litre, metre or piece) that must be shown beside the price of a product.
#
# Directive 98/6/EC, articles 2 (b) and 3; in France, arrêté du 16 novembre 1999. Both mean the price that a consumer
# pays, VAT included.

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
