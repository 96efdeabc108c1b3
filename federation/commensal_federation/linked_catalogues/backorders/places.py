"""Where a platform takes orders: as it says itself, or else where the deployed ones take them.

DFC has no discovery of addresses that everybody implements. Platforms that answer ``/.well-known/dfc/`` name the path
by the scope; the others are known by the shape of the catalogue's address, as Open Food Network guesses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from ...dfc.names import compact

WELL_KNOWN = "/.well-known/dfc/"
_OF_ONE = re.compile(r"(?P<front>.*/(?:enterprises|organizations|Enterprises)/(?P<id>[^/?#]{1,200}))(?:[/?#].*)?")
_PRODUCTS = re.compile(r"/(SuppliedProducts|CatalogItems|supplied_products|catalog_items)(?:[/?#].*)?$")


def said_place(url: str, places: Mapping[str, Any]) -> str:
    """By what the platform says in `places`, for the catalogue at `url`; "" where it does not say."""
    for scope, path in places.items():
        if compact(scope) == "scopes:WriteOrders" and isinstance(path, str):
            enterprise = _OF_ONE.fullmatch(url)
            if "{id}" in path and enterprise is None:
                return ""
            return urljoin(url, path.replace("{id}", enterprise["id"] if enterprise else ""))
    return ""


def guessed_place(url: str) -> str:
    """Beside the products, in the spelling of their address; else below the enterprise; else below the address."""
    parts = urlsplit(url)._replace(query="", fragment="").geturl()
    orders = "/Orders" if "/SuppliedProducts" in parts or "/Enterprises/" in parts else "/orders"
    if _PRODUCTS.search(parts):
        return _PRODUCTS.sub(orders, parts)
    enterprise = _OF_ONE.fullmatch(parts)
    return f"{enterprise['front'] if enterprise else parts.rstrip('/')}{orders}"
