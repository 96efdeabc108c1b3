"""The addresses of the *DFC LDP Container Discovery API* 2.0: ``/organizations/<id>/<container>/<id>/index``.

They are a second layout of the same things. Answers below ``/organizations``, ``/persons`` and ``/phone-numbers`` use
it; documents may name our things in it wherever they are sent. Things that the API has no path for (items, offers,
stocks, sales) keep their addresses below ``/api/dfc``, where they can be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..dfc.contained import renamed
from ..dfc.iris import ResourceKind, iri
from ..dfc.vocabulary import DfcLine, Thing

_ROOTS = ("/organizations", "/persons/", "/phone-numbers/")
_ID = "[A-Za-z0-9_.~-]{1,100}"
_CONTAINERS: Mapping[str, ResourceKind] = {
    "addresses": "addresses",
    "catalogs": "catalogs",
    "customer-categories": "customer_categories",
    "orderlines": "order_lines",
    "orders": "orders",
    "persons": "persons",
    "phone-numbers": "phones",
    "social-medias": "social_media",
    "supplied-products": "supplied_products",
}
_NAMES: Mapping[str, str] = {"contacts": "persons", **{kind: name for name, kind in _CONTAINERS.items()}}
_OURS = re.compile(rf"/api/dfc/([a-z_]+)/({_ID})")
_ORGANIZATION = re.compile(rf"/organizations/({_ID})(?:/(?:index)?)?")
_MEMBER = re.compile(rf"(?:/organizations/{_ID}(?:/orders/{_ID})?)?/([a-z-]+)/({_ID})/index")


def is_in_containers(path: str) -> bool:
    """Whether a request's path is one of this layout."""
    return path.startswith(_ROOTS)


def container_address(base: str, owner: str, address: str, *, order_id: str = "") -> str:
    """The address in this layout of a thing with an address below ``/api/dfc``; unchanged if the layout has none.

    `owner` is the enterprise in whose containers things are listed; `order_id` is a line's order.
    """
    match = _OURS.fullmatch(address.removeprefix(base))
    if match is None:
        return address
    kind, id = match.groups()
    if kind == "enterprises":
        return f"{base}/organizations/{id}/index"
    if kind not in _NAMES:
        return address
    name = _NAMES[kind]
    if name in ("persons", "phone-numbers"):
        return f"{base}/{name}/{id}/index"
    if kind == "addresses":
        owner = id
    elif kind == "social_media":
        owner = id.partition(".")[0]
    between = f"/orders/{order_id}" if kind == "order_lines" else ""
    return f"{base}/organizations/{owner}{between}/{name}/{id}/index"


def with_container_addresses(base: str, owner: str, things: Iterable[Thing], *, order_id: str = "") -> list[Thing]:
    """The same things, with their addresses in this layout. `order_id` is the order of lines that name none."""
    document = list(things)

    def address_of(thing: Thing) -> str:
        order = thing.order if isinstance(thing, DfcLine) else ""
        return container_address(base, owner, thing.iri, order_id=order.rpartition("/")[2] if order else order_id)

    return renamed(document, {thing.iri: address_of(thing) for thing in document})


def without_container_addresses(base: str, document: Any) -> Any:
    """The same JSON, in which addresses of this layout are those below ``/api/dfc``. It is not nested deeply."""
    if isinstance(document, dict):
        return {key: without_container_addresses(base, value) for key, value in document.items()}
    if isinstance(document, list):
        return [without_container_addresses(base, value) for value in document]
    return _plain_address(base, document) if isinstance(document, str) else document


def _plain_address(base: str, text: str) -> str:
    if not text.startswith(f"{base}/"):
        return text
    path = text.removeprefix(base)
    if match := _ORGANIZATION.fullmatch(path):
        return iri(base, "enterprises", match[1])
    match = _MEMBER.fullmatch(path)
    if match is None or match[1] not in _CONTAINERS:
        return text
    return iri(base, _CONTAINERS[match[1]], match[2])
