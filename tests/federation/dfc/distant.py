"""A distant platform, played by a small server on this machine: it says what a test gives it to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from commensal.testing.receiver import Answer, Received, Receiver

Asked = Received

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"


@dataclass
class Said:
    """An answer: what is no text or bytes is sent as JSON."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Distant:
    """``with Distant() as there: there.pages["/catalogue"] = Said(…)``. `asked` has all requests in their order."""

    def __init__(self) -> None:
        self.pages: dict[str, Said | Callable[[Asked], Said]] = {}
        self._server = _Server(self)
        self.asked, self.base = self._server.received, self._server.url

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

    def answer(self, asked: Asked) -> Answer:
        page = self.pages.get(asked.path, Said(status=404))
        said = page(asked) if callable(page) else page
        headers = {"Content-Type": "application/ld+json", **said.headers}
        if said.headers.get("ETag") and said.headers["ETag"] == asked.headers.get("if-none-match"):
            return Answer(304, headers)
        content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        return Answer(said.status, headers, content)

    def __enter__(self) -> Distant:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()


class _Server(Receiver):
    def __init__(self, there: Distant) -> None:
        super().__init__()
        self._there = there

    def answer(self, received: Received) -> Answer:
        self.received.append(received)
        return self._there.answer(received)
