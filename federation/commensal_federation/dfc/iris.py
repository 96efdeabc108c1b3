"""The IRIs of an instance's things: ``{base}/api/dfc/<kind>/<id>``, one path for each kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, get_args

ResourceKind = Literal[
    "enterprises",
    "addresses",
    "phones",
    "social_media",
    "contacts",
    "persons",
    "places",
    "customer_categories",
    "catalogs",
    "catalog_items",
    "supplied_products",
    "product_groups",
    "offers",
    "stocks",
    "coordinations",
    "sale_sessions",
    "shipping_options",
    "orders",
    "order_lines",
    "transformations",
    "consumption_flows",
    "production_flows",
    "leases",
]
KINDS: tuple[ResourceKind, ...] = get_args(ResourceKind)
_ID = re.compile(r"[A-Za-z0-9_.~-]{1,100}")


def iri(base: str, kind: ResourceKind, id: str) -> str:
    """The IRI of a thing. `base` is the instance's address, without a trailing slash."""
    return f"{base}/api/dfc/{kind}/{id}"


def local_id(base: str, iri: str, kind: ResourceKind) -> str | None:
    """The id in an IRI of this instance; None for another kind of thing or another instance's IRI."""
    front = f"{base}/api/dfc/{kind}/"
    rest = iri.removeprefix(front)
    return rest if iri.startswith(front) and _ID.fullmatch(rest) else None


def hub_page(iri: str) -> str:
    """The page at which a hub of another instance shows where it is and how to reach it; "" for another address."""
    base, kind, id = iri.partition("/api/dfc/enterprises/")
    return f"{base}/hubs/{id}" if kind and _ID.fullmatch(id) else ""


def product_list_iri(base: str) -> str:
    """The address of all products; a product's IRI is below it."""
    return f"{base}/api/dfc/supplied_products"


def webid_iri(base: str) -> str:
    """The IRI of the instance as a DFC platform."""
    return f"{base}/webid"


def _iri_function(kind: ResourceKind) -> Callable[[str, str], str]:
    path = f"/api/dfc/{kind}/"

    def resource_iri(base: str, id: str) -> str:
        return f"{base}{path}{id}"

    resource_iri.__doc__ = f"The IRI of one of {kind}."
    return resource_iri


enterprise_iri = _iri_function("enterprises")
address_iri = _iri_function("addresses")  # of an enterprise, by its id
phone_iri = _iri_function("phones")  # of an enterprise, by its id
social_media_iri = _iri_function("social_media")  # of an enterprise, by its id and a number
contact_iri = _iri_function("contacts")  # the main contact of an enterprise, by its id
person_iri = _iri_function("persons")
category_iri = _iri_function("customer_categories")
catalog_iri = _iri_function("catalogs")
item_iri = _iri_function("catalog_items")
product_iri = _iri_function("supplied_products")
group_iri = _iri_function("product_groups")  # of the sizes of a lot, by its id
offer_iri = _iri_function("offers")
lot_iri = _iri_function("stocks")
coordination_iri = _iri_function("coordinations")
session_iri = _iri_function("sale_sessions")
order_iri = _iri_function("orders")
line_iri = _iri_function("order_lines")
