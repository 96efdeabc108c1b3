"""What suppliers are to bring, in sums: nothing here names a customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class DemandLine:
    """Pieces of one product. `unit_quantity` is the net content of one piece in `unit`, a DFC measure; `delivered` are
    the pieces among them that the shop has received, or handed over."""

    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    delivered: int = 0


@dataclass(frozen=True, kw_only=True)
class SaleDemand:
    """What one sale asks of a supplier.

    id:        the sale session's; for an order from elsewhere the id that the plugin `origin` gives it
    origin:    the plugin that brought it from another instance; "" for a sale of this instance
    shop:      name of the enterprise that sells, and buys from the supplier
    shop_id:   its id here: of one of another instance its copy's; "" where there is none
    shop_iri:  names it between instances, if it is of another one; "" for one of this instance
    cut_off:   after it customers order no more of this supplier; None: unknown
    final:     whether the cut-off has passed; only the hub changes the pieces after it
    begins_at, ends_at: of the distribution; None: unknown

    Moments are UTC.
    """

    id: str
    origin: str = ""
    sale: str
    shop_id: str
    shop_iri: str = ""
    shop: str
    cut_off: datetime | None
    final: bool
    begins_at: datetime | None
    ends_at: datetime | None
    lines: tuple[DemandLine, ...]

    @property
    def is_delivered(self) -> bool:
        """Whether nothing is left to be brought."""
        return all(line.delivered >= line.quantity for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class ProductDemand:
    """Pieces of one product over several sales that are still to be brought. `final` are those whose cut-off has
    passed; `running` may still change.

    `unit_quantity` and `unit` as in `DemandLine`.
    """

    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    running: int
    final: int


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a supplier is to bring: for each sale, the next distribution first, and over all of them by product name."""

    sales: tuple[SaleDemand, ...]
    products: tuple[ProductDemand, ...]


@dataclass(frozen=True, kw_only=True)
class SupplierTotals:
    """What one supplier brings to all shops of a sale together. `cut_off` is its latest one at any of them (UTC)."""

    supplier_id: str
    supplier: str
    cut_off: datetime
    products: tuple[ProductDemand, ...]
