"""The address to which a platform's orders are sent: the declared one, or else a guess.

DFC has no discovery of addresses that all platforms implement. Some answer ``/.well-known/dfc/`` with paths by scope;
for others the address is derived from the catalogue's, as Open Food Network does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from ...dfc.names import compact

WELL_KNOWN = "/.well-known/dfc/"
_OF_ONE = re.compile(r"(?P<front>.*/(?:enterprises|organizations|Enterprises)/(?P<id>[^/?#]{1,200}))(?:[/?#].*)?")
_PRODUCTS = re.compile(r"/(SuppliedProducts|CatalogItems|supplied_products|catalog_items)(?:[/?#].*)?$")


def declared_order_url(url: str, places: Mapping[str, object]) -> str:
    """Returns the address that the platform declares in `places` for the catalogue at `url`; "" without one."""
    for scope, path in places.items():
        if compact(scope) == "scopes:WriteOrders" and isinstance(path, str):
            enterprise = _OF_ONE.fullmatch(url)
            if "{id}" in path and enterprise is None:
                return ""
            return urljoin(url, path.replace("{id}", enterprise["id"] if enterprise else ""))
    return ""


def guessed_order_url(url: str) -> str:
    """Returns the address beside the products, in the same spelling, else below the enterprise, else below `url`."""
    parts = urlsplit(url)._replace(query="", fragment="").geturl()
    orders = "/Orders" if "/SuppliedProducts" in parts or "/Enterprises/" in parts else "/orders"
    if _PRODUCTS.search(parts):
        return _PRODUCTS.sub(orders, parts)
    enterprise = _OF_ONE.fullmatch(parts)
    return f"{enterprise['front'] if enterprise else parts.rstrip('/')}{orders}"
