"""Pickup: places where customers collect their orders, and slots of time with a limited number of orders.

A shop adds its places once, and slots to each sale. Customers choose one when they order; a slot that is full says so.
Collecting at a place may cost something: that becomes an adjustment of the order.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .booking import book_shipping, price_adjustments, release_shipping, shipping_options
from .copying import sale_copied
from .demo import demo_data
from .endpoints import endpoints

__all__ = [
    "book_shipping",
    "demo_data",
    "endpoints",
    "migrations",
    "price_adjustments",
    "release_shipping",
    "sale_copied",
    "shipping_options",
]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
