"""A distant platform, played by a small server on this machine: it says what a test gives it to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"


@dataclass
class Said:
    """An answer: what is no text or bytes is sent as JSON."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Distant:
    """``with Distant() as there: there.pages["/catalogue"] = Said(…)``. `asked` has all requests in their order."""

    def __init__(self) -> None:
        self.pages: dict[str, Said | Callable[[Asked], Said]] = {}
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(self, path: str, *nodes: dict[str, Any], **headers: str) -> str:
        """The graph that is at `path` from now on. Returns its address."""
        self.pages[path] = Said({"@context": CONTEXT, "@graph": list(nodes)}, headers=headers)
        return f"{self.base}{path}"

    def goods(self, number: int, *, host: str = "", **more: Any) -> list[dict[str, Any]]:
        """A product, listed and offered. `more`: name, price, currency, stock, vat, type, supplier, category."""
        at, vat = f"{host or self.base}/products/{number}", more.get("vat", "5.5")
        product = {
            "@id": at, "@type": "dfc-b:SuppliedProduct", "dfc-b:name": more.get("name", f"Apples {number}"),
            "dfc-b:hasType": f"dfc-pt:{more.get('type', 'apples')}",
            "dfc-b:suppliedBy": more.get("supplier", f"{self.base}/enterprises/1"),
            "dfc-b:hasQuantity": {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": "dfc-m:Kilogram",
                                  "dfc-b:value": more.get("size", "1.5")},
        }  # fmt: skip
        item = {"@id": f"{at}/item", "@type": "dfc-b:CatalogItem", "dfc-b:references": at}
        if "stock" in more:
            item["dfc-b:stockLimitation"] = more["stock"]
        offers = [
            {
                "@id": f"{at}/offer{place or ''}", "@type": "dfc-b:Offer", "dfc-b:offeredItem": {"@id": f"{at}/item"},
                "dfc-b:hasPrice": {"@type": "dfc-b:Price", "dfc-b:value": price, "dfc-b:VATrate": vat,
                                   "dfc-b:hasUnit": f"dfc-m:{more.get('currency', 'Euro')}"},
                **({"dfc-b:offeredTo": {"@id": category}} if category else {}),
            }
            for place, (category, price) in enumerate({"": more.get("price", "2.50"), **more.get("prices", {})}.items())
        ]  # fmt: skip
        return [product, item, *offers]

    def __enter__(self) -> Distant:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(there: Distant) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PUT = do_GET

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            there.asked.append(asked)
            page = there.pages.get(self.path, Said(status=404))
            said = page(asked) if callable(page) else page
            if said.headers.get("ETag") and said.headers["ETag"] == headers.get("if-none-match"):
                said = Said(status=304, headers=said.headers)
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/ld+json", **said.headers}.items():
                self.send_header(name, value)
            if said.status == 304:
                content = b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The test says what is worth saying."""

    return Handler
