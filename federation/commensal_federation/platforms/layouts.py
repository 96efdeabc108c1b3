"""The addresses of products and orders, in the layouts in which platforms expect them.

DFC declares no addresses, so platforms derive them. Released versions of Open Food Network (5.7) take a product's
address without its last part as that of the catalogue, and replace "/SuppliedProducts" in it by "/Orders"; its change
14423 also replaces "/supplied_products" by "/catalog_items" and "/orders". It finds an order again only if the order's
address begins with the one to which it was sent. So an answer uses the layout in which it was requested, and all
layouts are read. A release that was given another catalogue than ".../SuppliedProducts" has nothing to replace and
sends its orders to the products' address: they are accepted there too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from commensal.pages import Visit

from ..dfc.iris import ResourceKind, local_id
from .containers import is_in_containers
from .responses import base_of

_LISTS: dict[str, ResourceKind] = {
    "SuppliedProducts": "supplied_products",
    "supplied_products": "supplied_products",
    "CatalogItems": "catalog_items",
    "catalog_items": "catalog_items",
    "Offers": "offers",
    "offers": "offers",
    "Orders": "orders",
    "orders": "orders",
}
_OF_ENTERPRISE = re.compile(
    r"/api/dfc/(?:Enterprises|enterprises|organizations)/[^/?#]+/(?P<list>[A-Za-z_]+)/(?P<id>[A-Za-z0-9_.~-]{1,100})"
)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """`products` and `orders` are the addresses of the lists; each thing's own address is below that of its list."""

    products: str
    orders: str

    def product(self, id: str) -> str:
        return f"{self.products}/{id}"

    def order(self, id: str) -> str:
        return f"{self.orders}/{id}"


def layout_of(visit: Visit, enterprise_id: str = "") -> Layout:
    """The layout of a request. `enterprise_id` is the enterprise that sells the products of the answer."""
    base, parts = base_of(visit), visit.request.url.path.split("/")
    front, owner = parts[3], visit.path.get("enterprise", "")
    products = f"{base}/api/dfc/supplied_products"
    if is_in_containers(visit.request.url.path):  # `responses` changes the addresses of the whole answer
        return Layout(products=products, orders=f"{base}/api/dfc/orders")
    if front == "Enterprises":
        products = f"{base}/api/dfc/Enterprises/{enterprise_id}/SuppliedProducts"
        return Layout(products=products, orders=f"{base}/api/dfc/Enterprises/{owner}/Orders")
    if front == "supplied_products":  # orders of a release that finds no "/SuppliedProducts" to replace
        return Layout(products=products, orders=products)
    if owner:
        return Layout(products=products, orders=f"{base}/api/dfc/{front}/{owner}/orders")
    return Layout(products=products, orders=f"{base}/api/dfc/orders")


def id_in_any_layout(base: str, iri: str, kind: ResourceKind) -> str | None:
    """The id in an IRI of this instance in any layout; None for another kind of thing, or another instance's IRI."""
    if not iri.startswith(f"{base}/"):
        return None
    match = _OF_ENTERPRISE.fullmatch(iri.removeprefix(base))
    if match is None:
        return local_id(base, iri, kind)
    return match["id"] if _LISTS.get(match["list"]) == kind else None
