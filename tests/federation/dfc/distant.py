"""A distant platform, played by a small server on this machine: it answers what a test sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from commensal.testing.receiver import PlannedAnswer, ReceivedRequest, Receiver

Asked = ReceivedRequest

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"


@dataclass
class Said:
    """An answer; a body that is neither text nor bytes is sent as JSON."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Distant:
    """``with Distant() as remote: remote.pages["/catalogue"] = Said(…)``. `asked` has all requests in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Said | Callable[[Asked], Said]] = {}
        self._server = _Server(self)
        self.asked, self.base = self._server.received, self._server.url

    def say(self, path: str, *nodes: dict[str, Any], **headers: str) -> str:
        """Serves this graph at `path` from now on. Returns its URL."""
        self.pages[path] = Said({"@context": CONTEXT, "@graph": list(nodes)}, headers=headers)
        return f"{self.base}{path}"

    def goods(self, number: int, *, host: str = "", **about: Any) -> list[dict[str, Any]]:
        """A product with its item and offer. `about`: name, price, currency, stock, vat, type, supplier, category."""
        iri, vat = f"{host or self.base}/products/{number}", about.get("vat", "5.5")
        product = {
            "@id": iri,
            "@type": "dfc-b:SuppliedProduct",
            "dfc-b:name": about.get("name", f"Apples {number}"),
            "dfc-b:hasType": f"dfc-pt:{about.get('type', 'apples')}",
            "dfc-b:suppliedBy": about.get("supplier", f"{self.base}/enterprises/1"),
            "dfc-b:hasQuantity": {
                "@type": "dfc-b:QuantitativeValue",
                "dfc-b:hasUnit": "dfc-m:Kilogram",
                "dfc-b:value": about.get("size", "1.5"),
            },
        }
        item = {"@id": f"{iri}/item", "@type": "dfc-b:CatalogItem", "dfc-b:references": iri}
        if "stock" in about:
            item["dfc-b:stockLimitation"] = about["stock"]
        offers = [
            {
                "@id": f"{iri}/offer{place or ''}",
                "@type": "dfc-b:Offer",
                "dfc-b:offeredItem": {"@id": f"{iri}/item"},
                "dfc-b:hasPrice": {
                    "@type": "dfc-b:Price",
                    "dfc-b:value": price,
                    "dfc-b:VATrate": vat,
                    "dfc-b:hasUnit": f"dfc-m:{about.get('currency', 'Euro')}",
                },
                **({"dfc-b:offeredTo": {"@id": category}} if category else {}),
            }
            for place, (category, price) in enumerate(
                {"": about.get("price", "2.50"), **about.get("prices", {})}.items()
            )
        ]
        return [product, item, *offers]

    def answer(self, request: Asked) -> PlannedAnswer:
        page = self.pages.get(request.path, Said(status=404))
        page_answer = page(request) if callable(page) else page
        headers = {"Content-Type": "application/ld+json", **page_answer.headers}
        if page_answer.headers.get("ETag") and page_answer.headers["ETag"] == request.headers.get("if-none-match"):
            return PlannedAnswer(304, headers)
        content = page_answer.body if isinstance(page_answer.body, bytes) else json.dumps(page_answer.body).encode()
        return PlannedAnswer(page_answer.status, headers, content)

    def __enter__(self) -> Distant:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()


class _Server(Receiver):
    def __init__(self, distant: Distant) -> None:
        super().__init__()
        self._there = distant

    def answer(self, received: ReceivedRequest) -> PlannedAnswer:
        self.received.append(received)
        return self._there.answer(received)
