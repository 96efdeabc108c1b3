"""Open Food Network as a buyer: how its releases 5.7 and its change 14423 read catalogues and send orders.

Written from its behaviour. It derives all addresses from a product's, reads a document by the connector for Ruby, which
is strict (see `emitted`), finds its order by the stored address or in the list of orders, and sends whole orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from .emitted import faults_of

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
Release = Literal["5.7", "14423"]
_SHOP = "https://ofn.example/api/dfc/enterprises/1003"
# Properties that the connector writes again; it reads no others.
_WRITTEN = {
    "dfc-b:Order": (
        "orderNumber",
        "date",
        "belongsTo",
        "hasPart",
        "orderedBy",
        "soldBy",
        "hasFulfilmentStatus",
        "hasOrderStatus",
        "hasPaymentStatus",
    ),
    "dfc-b:OrderLine": ("quantity", "hasPrice", "concerns", "partOf"),
    "dfc-b:Offer": ("offeredItem", "hasPrice", "stockLimitation", "offeredTo"),
    "dfc-b:SuppliedProduct": ("name", "description", "hasType", "hasQuantity", "referencedBy", "image"),
    "dfc-b:SaleSession": ("beginDate", "endDate", "quantity", "lists"),
}
Node = dict[str, Any]
_SESSION = "a new sale"  # key of an object whose derived address may be that of the order too


class Crashed(Exception):
    """The connector, or the code around it, raises an error that ends a job."""


@dataclass
class Variant:
    """A product here, imported from there. `stock` is None if it is sold without a limit."""

    link: str
    name: str
    price: float
    stock: float | None
    image: str = ""
    ordered: int = 0


@dataclass(frozen=True)
class Urls:
    """The addresses that a release derives from a product's."""

    catalogue: str
    orders: str
    sale_session: str


def urls_of(product: str, release: Release) -> Urls:
    front = product.rpartition("/")[0]
    catalogue, orders = front, front.replace("/SuppliedProducts", "/Orders", 1)
    if release == "14423":
        catalogue = catalogue.replace("/supplied_products", "/catalog_items", 1)
        orders = orders.replace("/supplied_products", "/orders", 1)
    return Urls(catalogue, orders, front.replace("/SuppliedProducts", "/SalesSession/#", 1))


@dataclass
class OpenFoodNetwork:
    """A shop on Open Food Network. `token` is its owner's; `order_link` is the address of its open order there."""

    token: str
    release: Release = "5.7"
    variants: dict[str, Variant] = field(default_factory=dict)
    order_link: str = ""

    # ------------------------------------------------------------------------------------------ what its people do

    def import_catalogue(self, url: str) -> None:
        """Imports all products at an address, once."""
        graph = self.read(url)
        for product in _of_type(graph, "dfc-b:SuppliedProduct"):
            if "dfc-b:hasVariant" in product:  # what several variants share
                continue
            variant = _variant(graph, product)
            self.variants[variant.name] = variant

    def sync_stock(self) -> None:
        """Reads prices and stock of all products again; what is not listed any more is sold no longer."""
        graph = self.read(self.urls.catalogue)
        for name, variant in self.variants.items():
            product = graph.get(variant.link)
            fresh = _variant(graph, product) if product else Variant(variant.link, name, variant.price, 0)
            self.variants[name] = Variant(**{**vars(fresh), "ordered": variant.ordered})

    def order(self, quantities: Mapping[str, int], state: str = "Held") -> Node | None:
        """Orders there what is needed now, by name: it opens an order, or amends the open one."""
        graph = self.read(self.urls.catalogue)
        objects = self._open_order(state)
        order = _one(objects, "dfc-b:Order")
        if order is None:
            if not any(quantities.values()):
                return None
            objects = self._new_order()
            order = objects[self.urls.orders]
        for name, pieces in quantities.items():
            self._set_line(objects, order, graph, self.variants[name].link, pieces)
        order["dfc-b:hasOrderStatus"] = f"dfc-v:{state}"
        return self._send(objects, order)

    def complete(self) -> Node | None:
        """Completes the open order as it is."""
        objects = self._open_order("Complete")
        order = _one(objects, "dfc-b:Order")
        if order is None:
            return None
        order["dfc-b:hasOrderStatus"] = "dfc-v:Complete"
        return self._send(objects, order)

    def look_up(self) -> dict[str, Node]:
        """Returns the objects of the order at its stored address."""
        return self.read(self.order_link)

    @property
    def urls(self) -> Urls:
        return urls_of(next(iter(self.variants.values())).link, self.release)

    # ------------------------------------------------------------------------------------------ orders

    def _open_order(self, state: str) -> dict[str, Node]:
        """The objects of its Held order, if it finds it: by the stored address, else the last one in the list."""
        if self.order_link.startswith(self.urls.orders) and self.order_link:
            objects = self.read(self.order_link)
            order = _one(objects, "dfc-b:Order")
            if order and _concept(order.get("dfc-b:hasOrderStatus")) == "Held":
                return objects
        listed = self.read(self.urls.orders)
        held = [
            node for node in _of_type(listed, "dfc-b:Order") if _concept(node.get("dfc-b:hasOrderStatus")) == "Held"
        ]
        if not held:
            return {}
        others = {iri for iri, node in listed.items() if node["@type"] == "dfc-b:Order"} - {held[-1]["@id"]}
        return {iri: node for iri, node in listed.items() if iri not in others}

    def _new_order(self) -> dict[str, Node]:
        session: Node = {
            "@id": self.urls.sale_session,
            "@type": "dfc-b:SaleSession",
            "dfc-b:beginDate": "Mon Dec 16 2024 02:30:56 UTC",
            "dfc-b:endDate": "Tue Dec 24 2024 02:30:56 UTC",
        }
        order: Node = {
            "@id": self.urls.orders,
            "@type": "dfc-b:Order",
            "dfc-b:orderedBy": _SHOP,
            "dfc-b:belongsTo": session["@id"],
            "dfc-b:hasPart": [],
        }
        return {order["@id"]: order, _SESSION: session}

    def _set_line(
        self, objects: dict[str, Node], order: Node, catalogue: dict[str, Node], product: str, pieces: int
    ) -> None:
        line = next((row for row in _lines(objects, order) if _offered(objects, row)["@id"] == product), None)
        if line is None:
            offer = _first_offer(catalogue, catalogue[product])
            if offer is None:
                raise Crashed(f"{product} has no offer")
            line = {
                "@id": f"{order['@id']}/OrderLines/{len(_lines(objects, order)) + 1}",
                "@type": "dfc-b:OrderLine",
                "dfc-b:concerns": offer["@id"],
            }
            objects |= {line["@id"]: line, offer["@id"]: {**offer, "dfc-b:offeredItem": product}}
            objects[product] = {
                name: value for name, value in catalogue[product].items() if name != "dfc-b:referencedBy"
            }
            order["dfc-b:hasPart"] = [*_list(order.get("dfc-b:hasPart")), line["@id"]]
        line["dfc-b:quantity"] = pieces

    def _send(self, objects: dict[str, Node], order: Node) -> Node:
        """Sends the order with its lines, offers, products and sale; lines without pieces are left out."""
        lines = [line for line in _lines(objects, order) if float(line["dfc-b:quantity"])]
        order["dfc-b:hasPart"] = [line["@id"] for line in lines]
        offers = {line["dfc-b:concerns"]: objects[line["dfc-b:concerns"]] for line in lines}
        products = {_offered(objects, line)["@id"]: _offered(objects, line) for line in lines}
        session = objects.get(_SESSION) or objects.get(order.get("dfc-b:belongsTo", ""))
        nodes = [order, *lines, *offers.values(), *products.values(), *([session] if session else [])]
        document = {"@context": CONTEXT, "@graph": [_written(objects, node) for node in nodes]}
        method = "POST" if order["@id"] == self.urls.orders else "PUT"
        answer = _one(self._call(method, order["@id"], document), "dfc-b:Order")
        if answer is None:
            raise Crashed("the answer has no order")
        self.order_link = answer["@id"]
        return answer

    # ------------------------------------------------------------------------------------------ HTTP

    def read(self, url: str) -> dict[str, Node]:
        """Returns the objects at an address, by IRI."""
        return self._call("GET", url)

    def _call(self, method: str, url: str, document: Any = None) -> dict[str, Node]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = httpx.request(method, url, headers=headers, json=document, timeout=30, trust_env=False)
        if answer.status_code >= 400:
            raise Crashed(f"{method} {url}: {answer.status_code} {answer.text}")
        if faults := faults_of(answer.json()):
            raise Crashed("\n".join(faults))
        return {node["@id"]: node for node in answer.json()["@graph"]}


def _variant(graph: dict[str, Node], product: Node) -> Variant:
    """The first item decides the stock, and its first offer the price; without an offer it costs nothing."""
    item = next((graph[iri] for iri in _list(product.get("dfc-b:referencedBy"))), None)
    offer = _first_offer(graph, product)
    price = graph[offer["dfc-b:hasPrice"]]["dfc-b:value"] if offer else 0
    limit = float(item["dfc-b:stockLimitation"]) if item else 0
    image = _list(product.get("dfc-b:image"))
    stock = None if limit < 0 else limit
    return Variant(product["@id"], product["dfc-b:name"], float(price), stock, image[0] if image else "")


def _first_offer(graph: dict[str, Node], product: Node) -> Node | None:
    items = [graph[iri] for iri in _list(product.get("dfc-b:referencedBy"))]
    offers = [graph[iri] for item in items[:1] for iri in _list(item.get("dfc-b:offeredThrough"))]
    return offers[0] if offers else None


def _lines(objects: dict[str, Node], order: Node) -> list[Node]:
    return [objects[iri] for iri in _list(order.get("dfc-b:hasPart"))]


def _offered(objects: dict[str, Node], line: Node) -> Node:
    offer = objects[line["dfc-b:concerns"]]
    if "dfc-b:offeredItem" not in offer:
        raise Crashed(f"undefined method 'semanticId' for nil: {offer['@id']} offers nothing")
    item = offer["dfc-b:offeredItem"]
    return objects[item if isinstance(item, str) else item["@id"]]


def _written(objects: dict[str, Node], node: Node) -> Node:
    """The node as the connector exports it: the properties that it knows, blank nodes inside."""
    names = [name for name in _WRITTEN[node["@type"]] if f"dfc-b:{name}" in node]
    written = {"@id": node["@id"], "@type": node["@type"]}
    for name in names:
        value = node[f"dfc-b:{name}"]
        written[f"dfc-b:{name}"] = (
            {key: part for key, part in objects.get(value, {"@id": value}).items() if key != "@id"}
            if isinstance(value, str) and value.startswith("_:")
            else value
        )
    return {name: value for name, value in written.items() if value not in ([], {})}


def _of_type(graph: dict[str, Node], name: str) -> list[Node]:
    return [node for node in graph.values() if node["@type"] == name]


def _one(graph: dict[str, Node], name: str) -> Node | None:
    return next(iter(_of_type(graph, name)), None)


def _concept(value: Any) -> str:
    return str(value["@id"] if isinstance(value, dict) else value).rpartition(":")[2]


def _list(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value] if value else []
    return [item["@id"] if isinstance(item, dict) else item for item in items]
