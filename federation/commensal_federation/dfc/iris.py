"""The addresses by which an instance names its things: ``{base}/api/dfc/<kind>/<id>``, one path for each kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, get_args

Kind = Literal[
    "enterprises",
    "addresses",
    "phones",
    "persons",
    "places",
    "customer_categories",
    "catalogs",
    "catalog_items",
    "supplied_products",
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
KINDS: tuple[Kind, ...] = get_args(Kind)
_ID = re.compile(r"[A-Za-z0-9_.~-]{1,100}")


def iri(base: str, kind: Kind, id: str) -> str:
    """The address of a thing. `base` is the instance's, without a slash at its end."""
    return f"{base}/api/dfc/{kind}/{id}"


def local_id(base: str, iri: str, kind: Kind) -> str | None:
    """The id in an address of this instance; None for another kind of thing, and for somebody else's address."""
    front = f"{base}/api/dfc/{kind}/"
    rest = iri.removeprefix(front)
    return rest if iri.startswith(front) and _ID.fullmatch(rest) else None


def webid_iri(base: str) -> str:
    """The instance as a DFC platform."""
    return f"{base}/webid"


def _named(kind: Kind) -> Callable[[str, str], str]:
    path = f"/api/dfc/{kind}/"

    def named(base: str, id: str) -> str:
        return f"{base}{path}{id}"

    named.__doc__ = f"The address of one of {kind}."
    return named


enterprise_iri = _named("enterprises")
address_iri = _named("addresses")  # of an enterprise, by its id
phone_iri = _named("phones")  # of an enterprise, by its id
person_iri = _named("persons")
category_iri = _named("customer_categories")
catalog_iri = _named("catalogs")
item_iri = _named("catalog_items")
product_iri = _named("supplied_products")
offer_iri = _named("offers")
lot_iri = _named("stocks")
coordination_iri = _named("coordinations")
session_iri = _named("sale_sessions")
order_iri = _named("orders")
line_iri = _named("order_lines")
