"""A portal that behaves like the deployed one, on a real socket: it uses its own IRIs, answers an order with the whole
order as it took it, ignores Idempotency-Key, and fails as networks fail.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHOP = "/api/dfc/Enterprises/test-hodmedod"


@dataclass
class PortalGood:
    """`stock` in pieces, or in cases; -1 is unlimited. It comes in cases if `pieces` says how many pieces fill one."""

    name: str
    price: str = "2.50"
    stock: int = -1
    pieces: int = 0
    case_price: str = "20.00"


@dataclass
class PortalOrder:
    state: str = "Held"
    ordered_by: str = ""
    lines: dict[str, int] = field(default_factory=dict)  # by product


class Portal:
    """``with Portal({"1": PortalGood("Vinegar", pieces=6)}) as portal: …`` Cases of product "1" are product "1-case".

    faults:    for the next requests that order, in turn: "lose" does it and answers nothing, "500" does nothing,
               "500 done" does it, "409" refuses, or bytes that are answered as they are
    most:      what it has of a product, where that is less than is ordered; then it lists none any more
    meanwhile: is called while an order waits for its answer
    """

    def __init__(self, goods: dict[str, PortalGood]) -> None:
        self.goods, self.orders = goods, dict[str, PortalOrder]()
        self.faults: list[str | bytes] = []
        self.most: dict[str, int] = {}
        self.lists, self.repriced = True, ""
        self.asked: list[tuple[str, str]] = []
        self.sent: list[dict[str, Any]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def here(self) -> str:
        return f"http://{self.host}{SHOP}"

    @property
    def catalogue(self) -> str:
        return f"{self.here}/SuppliedProducts"

    @property
    def counts(self) -> list[tuple[str, dict[str, int]]]:
        """The state and cases of its orders, oldest first."""
        return [(order.state, order.lines) for order in self.orders.values()]

    def ordering(self) -> list[str]:
        """The methods of the requests that sent orders, in turn."""
        return [method for method, _ in self.asked if method != "GET"]

    def __enter__(self) -> Portal:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # ------------------------------------------------------------------------------------------ what it says

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        """Returns status and document, or None if the answer is lost."""
        self.asked.append((method, path))
        if method == "GET":
            return self._get(path)
        self.meanwhile()
        self.sent.append(json.loads(body))
        fault = self.faults.pop(0) if self.faults else ""
        if isinstance(fault, bytes):
            return 200, fault
        if fault in ("500", "409"):
            return int(fault), {"error": "no"}
        id = path.rpartition("/")[2] if method == "PUT" else str(1188908237107 + len(self.orders))
        if method == "PUT" and id not in self.orders:
            return 404, {"error": "no order"}
        if method == "PUT" and self.orders[id].state == "Cancelled":
            return 409, {"error": "cancelled"}
        self._take(id, self.sent[-1])
        if fault == "lose":
            return None
        return (500, {"error": "late"}) if fault else (200, self._document(self._order(id)))

    def _get(self, path: str) -> tuple[int, Any]:
        if path == f"{SHOP}/SuppliedProducts":
            return 200, self._document(self._goods())
        if path == f"{SHOP}/Orders" and self.lists:
            return 200, self._document([node for id in self.orders for node in self._order(id)])
        id = path.rpartition("/")[2]
        if path.startswith(f"{SHOP}/Orders/") and id in self.orders:
            return 200, self._document(self._order(id))
        return 404, {"error": "nothing here"}

    def _document(self, nodes: list[dict[str, Any]]) -> dict[str, Any]:
        return {"@context": "https://www.datafoodconsortium.org", "@graph": nodes}

    def _take(self, id: str, document: dict[str, Any]) -> None:
        nodes = {node["@id"]: node for node in document["@graph"]}
        (order,) = (node for node in nodes.values() if node["@type"] == "dfc-b:Order")
        # the deployed portal requires a sale session
        (_,) = (node for node in nodes.values() if node["@type"] == "dfc-b:SaleSession")
        order_taken = PortalOrder(order["dfc-b:hasOrderStatus"].removeprefix("dfc-v:"), order["dfc-b:orderedBy"])
        for node in nodes.values():
            if node["@type"] == "dfc-b:OrderLine":
                product = nodes[node["dfc-b:concerns"]]["dfc-b:offeredItem"]["@id"].rpartition("/")[2]
                quantity = int(node["dfc-b:quantity"])
                order_taken.lines[product] = min(quantity, self.most.get(product, quantity))
        self.orders[id] = order_taken

    def _order(self, id: str) -> list[dict[str, Any]]:
        order, order_iri = self.orders[id], f"{self.here}/Orders/{id}"
        lines = {
            product: f"{order_iri}/orderLines/{460 + position}" for position, product in enumerate(sorted(order.lines))
        }
        nodes: list[dict[str, Any]] = [
            {
                "@id": order_iri,
                "@type": "dfc-b:Order",
                "dfc-b:hasOrderStatus": {"@id": f"dfc-v:{order.state}"},
                "dfc-b:hasPart": [{"@id": line} for line in lines.values()],
            }
        ]
        for product, line in lines.items():
            offer, price = f"{self.here}/Offers/{product}", self.repriced or self._price(product)
            nodes += [
                {
                    "@id": f"_:p{id}{product}",
                    "@type": "dfc-b:Price",
                    "dfc-b:hasUnit": "dfc-m:Euro",
                    "dfc-b:value": price,
                },
                {"@id": offer, "@type": "dfc-b:Offer", "dfc-b:offeredItem": {"@id": f"{self.catalogue}/{product}"}},
                {
                    "@id": line,
                    "@type": "dfc-b:OrderLine",
                    "dfc-b:concerns": {"@id": offer},
                    "dfc-b:hasPrice": {"@id": f"_:p{id}{product}"},
                    "dfc-b:quantity": str(order.lines[product]),
                },
            ]
        return nodes

    def _price(self, product: str) -> str:
        good = self.goods[product.removesuffix("-case")]
        return good.case_price if product.endswith("-case") else good.price

    def _goods(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = []
        for id, good in self.goods.items():
            product_iri = f"{self.catalogue}/{id}"
            nodes += self._offered_product(id, good.name, good.price, -1 if good.pieces else good.stock)
            if not good.pieces:
                continue
            nodes += self._offered_product(
                f"{id}-case", f"{good.name}, case of {good.pieces}", good.case_price, good.stock
            )
            nodes += [
                {
                    "@id": f"{product_iri}/AsPlannedTransformation",
                    "@type": "dfc-b:AsPlannedTransformation",
                    "dfc-b:hasIncome": f"{product_iri}/AsPlannedConsumptionFlow",
                    "dfc-b:hasOutcome": f"{product_iri}/AsPlannedProductionFlow",
                },
                {
                    "@id": f"{product_iri}/AsPlannedConsumptionFlow",
                    "@type": "dfc-b:AsPlannedConsumptionFlow",
                    "dfc-b:consumes": product_iri,
                    "dfc-b:hasQuantity": _pieces(good.pieces),
                },
                {
                    "@id": f"{product_iri}/AsPlannedProductionFlow",
                    "@type": "dfc-b:AsPlannedProductionFlow",
                    "dfc-b:produces": f"{product_iri}-case",
                    "dfc-b:hasQuantity": _pieces(1),
                },
            ]
        return nodes

    def _offered_product(self, id: str, name: str, price: str, stock: int) -> list[dict[str, Any]]:
        product_iri = f"{self.catalogue}/{id}"
        stock = 0 if id in self.most else stock
        return [
            {
                "@id": product_iri,
                "@type": "dfc-b:SuppliedProduct",
                "dfc-b:name": name,
                "dfc-b:hasQuantity": _pieces(1),
                "dfc-b:referencedBy": f"{product_iri}/CatalogItem",
            },
            {
                "@id": f"{product_iri}/CatalogItem",
                "@type": "dfc-b:CatalogItem",
                "dfc-b:sku": id,
                "dfc-b:stockLimitation": str(stock),
                "dfc-b:offeredThrough": f"{product_iri}/Offer",
            },
            {
                "@id": f"{product_iri}/Offer",
                "@type": "dfc-b:Offer",
                "dfc-b:hasPrice": {
                    "@type": "dfc-b:Price",
                    "dfc-b:value": price,
                    "dfc-b:VATrate": "5.5",
                    "dfc-b:hasUnit": "dfc-m:Euro",
                },
            },
        ]


def _pieces(count: int) -> dict[str, str]:
    return {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": "dfc-m:Piece", "dfc-b:value": str(count)}


def _handler(portal: Portal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = portal.answer(self.command, self.path, body)
            self.close_connection = True
            if answer is None:
                return
            content = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _take

        def log_message(self, *_: Any) -> None: ...

    return Handler
