"""Products as plugins, pages and the API see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

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
