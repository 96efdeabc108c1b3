"""Catalogs as plugins, pages and the API see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """A list of products that an enterprise sells: its own, and those of producers that granted it the right."""

    id: str
    enterprise_id: str
    name: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The price of one piece of an item, in minor units of the enterprise's currency.

    category_id: the customer category for which it is; None: for everybody
    """

    id: str
    item_id: str
    category_id: str | None
    price: int
    version: int


@dataclass(frozen=True, kw_only=True)
class CatalogItem:
    """A product as an enterprise lists it.

    name:     the enterprise's own name for it; None: the producer's, `product_name`
    shown_to: customer categories that see it; empty: everybody sees it
    quantity: net content of one piece, in `unit`, a DFC measure
    """

    id: str
    catalog_id: str
    product_id: str
    producer_id: str
    product_name: str
    quantity: Decimal
    unit: str
    name: str | None
    position: int
    hidden: bool
    shown_to: tuple[str, ...]
    offers: tuple[Offer, ...]
    created_at: datetime
    archived_at: datetime | None
    version: int
