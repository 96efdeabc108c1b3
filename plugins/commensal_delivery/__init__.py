"""Delivery: orders are brought to the customer, in zones of postcodes that each have their price, in slots of time.

Zones are settings of the enterprise: a name, the postcodes that belong to it ("37000", "37*" for all that begin so,
"37100-37199" for a range), and what bringing an order there costs: a price, more for heavy orders, nothing above an
order value, and the value that an order must have. The first zone of the list that has the postcode counts, so narrow
ones stand before wide ones. A postcode that is in no zone is told so, and nothing is ordered.

Slots belong to a sale, like those of pickup: from when until when the round goes, to one zone or to all of them, and
how many orders the van takes. A slot that is full says so; one whose order is cancelled has a place again. When a sale
comes back by its rhythm, its slots come along at the same hours.

Weight and value are those of what was ordered, not of what the scales said afterwards: nobody pays more for delivery,
or falls below the least value, because a head of cabbage was small. What is sold by the piece or by the litre weighs
nothing here. An order whose address no zone has any more, because the zones were changed, keeps what it cost.
"""

from __future__ import annotations

from pathlib import Path

from commensal import CustomerField, OrderField, ProductField, hookimpl

from .booking import book_shipping, release_shipping, sale_copied, sale_moved, shipping_options
from .demo import demo_data
from .endpoints import endpoints
from .office import office_pages, page_parts
from .pricing import adjustment_names, order_changing, order_problems, price_adjustments, weight_rules
from .zones import DeliverySettings, check_settings

__all__ = [
    "adjustment_names",
    "book_shipping",
    "check_settings",
    "customer_fields",
    "demo_data",
    "endpoints",
    "enterprise_settings",
    "migrations",
    "office_pages",
    "order_changing",
    "order_fields",
    "order_problems",
    "page_parts",
    "price_adjustments",
    "product_fields",
    "release_shipping",
    "sale_copied",
    "sale_moved",
    "shipping_options",
    "weight_rules",
]


@hookimpl
def enterprise_settings() -> type:
    return DeliverySettings


@hookimpl
def product_fields() -> list[ProductField]:
    """Goods that fill the van, like a tree or a sack; the customer reads it in the shop, and hubs elsewhere are told.

    Whether goods are kept cold is not a field of this plugin: the core has it (`handling`).
    """
    return [ProductField(name="bulky", kind="flag", english="bulky", french="volumineux", shown="line")]


@hookimpl
def order_fields() -> list[OrderField]:
    """What the van needs at the door; the checkout asks for it with an address, and the round's list shows it."""
    return [
        OrderField(
            name="door_code", kind="text", english="door code", french="code de la porte", most=40, asked="delivery"
        )
    ]


@hookimpl
def customer_fields() -> list[CustomerField]:
    """What the drivers have learnt of a customer's door; the round's list shows it."""
    return [CustomerField(name="directions", kind="text", english="way to the door", french="chemin jusqu'à la porte")]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
