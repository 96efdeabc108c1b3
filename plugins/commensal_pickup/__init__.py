"""Pickup: places where customers collect their orders, and slots of time with a limited number of orders.

A shop adds its places once (its own address is there from the start), and slots to each sale: by hand, or cut from
the opening hours of a place. Customers choose one when they order; a slot that is full says so. Collecting at a place
may cost something: that becomes an adjustment of the order. When a sale comes back by its rhythm, its slots come along
at the same hours.

Opening hours are told by the week ("FR 17:00 to 19:00"), and closures by the day, with a reason that customers read. A
slot outside the hours is refused unless the coordinator says that it is exceptional; one within a closure is always
refused, for nobody will open the door. A closure that is added later lists the slots that customers have chosen
already: they keep their orders until somebody moves them, and the slots take no more. Copied sales leave closed days
out.

Customers put their slot into their calendar, by a link on the page of their order, and whoever keeps a place open
subscribes to its slots: ``POST …/places/<place>/calendar`` answers once with a secret link.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .booking import book_shipping, price_adjustments, release_shipping, shipping_options, weight_rules
from .calendars import order_links, routes
from .copying import sale_copied, sale_moved
from .demo import demo_data
from .endpoints import endpoints
from .office import office_pages, page_parts
from .places import switched_on

BEGINS_HUBS = True

__all__ = [
    "book_shipping",
    "demo_data",
    "endpoints",
    "migrations",
    "office_pages",
    "order_links",
    "page_parts",
    "price_adjustments",
    "release_shipping",
    "routes",
    "sale_copied",
    "sale_moved",
    "shipping_options",
    "switched_on",
    "weight_rules",
]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
