"""Open Food Network orders here as it does elsewhere: it guesses the address, names a sale of its own making, sends the
whole order again for every change, and says Complete when its own sale has closed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcItem, DfcLine, DfcOffer, DfcOrder

from .oidc import Oidc
from .platforms import grant_scopes, offer_of, request, settings_with

HERE = "http://testserver/api/dfc"
ORDERS = f"{HERE}/orders"  # as it guesses, from the address of the products
SHARED = Path(os.environ.get("COMMENSAL_SHARED", Path(__file__).parents[4] / "shared")) / "dfc"
RECORDED = SHARED / "examples" / "vcr_fdc_backorder__1_POST_Orders__request.json"
PORTAL = "https://env-0105831.jcloud-ver-jpe.ik-server.com/api/dfc/Enterprises/test-hodmedod"


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


@pytest.fixture(autouse=True)
def granted(shop: Shop) -> None:
    grant_scopes(shop, "ofn", "ReadProducts", "WriteOrders")


def product_of(shop: Shop, token: str, name: str) -> str:
    """Returns the IRI of a product, as the catalogue has it."""
    catalogue = read(request(shop, token, "/api/dfc/enterprises/shop/catalog_items").content)
    item = catalogue.get(DfcItem, f"{HERE}/catalog_items/{shop.items[name]}")
    assert item is not None
    return item.product or ""


def coming_pieces(line: DfcLine) -> int:
    assert line.quantity is not None
    return int(line.quantity.value)


def backorder(offer: str, product: str, pieces: int, *, order: str = ORDERS, state: str = "Held") -> dict[str, Any]:
    """Returns five nodes in which the order has no IRI of its own, but that to which it is sent."""
    line, sale = f"{ORDERS}/OrderLines/1", f"{HERE}/supplied_products"
    return {
        "@context": "https://www.datafoodconsortium.org",
        "@graph": [
            {
                "@id": order,
                "@type": "dfc-b:Order",
                "dfc-b:belongsTo": sale,
                "dfc-b:hasPart": line,
                "dfc-b:orderedBy": "http://ofn.example/api/dfc/enterprises/1003",
                "dfc-b:hasOrderStatus": f"dfc-v:{state}",
            },
            {"@id": line, "@type": "dfc-b:OrderLine", "dfc-b:quantity": pieces, "dfc-b:concerns": offer},
            {"@id": offer, "@type": "dfc-b:Offer", "dfc-b:offeredItem": product},
            {"@id": product, "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "Whatever they call it"},
            {
                "@id": sale,
                "@type": "dfc-b:SaleSession",
                "dfc-b:beginDate": "Mon Jun 01 2026 02:30:56 UTC",
                "dfc-b:endDate": "Tue Jun 09 2026 02:30:56 UTC",
            },
        ],
    }


@pytest.mark.parametrize("offer", ["ours", "of their making"])
def test_a_backorder_is_placed_amended_and_completed(shop: Shop, oidc: Oidc, offer: str) -> None:
    token = oidc.token("ofn-client")
    product = product_of(shop, token, "honey")
    offer_iri = offer_of(shop, "honey") if offer == "ours" else f"{product}/Offer"
    created = request(shop, token, "/api/dfc/orders", method="POST", json=backorder(offer_iri, product, 2))
    assert created.status_code == 201, created.text
    order = read(created.content).one(DfcOrder)
    assert order.state == "Held"
    assert order.iri == created.headers["Location"]
    (line,) = read(created.content).all(DfcLine)
    assert (line.offer, coming_pieces(line), line.answer) == (offer_iri, 2, "confirmed")
    offer_read = read(created.content).get(DfcOffer, offer_iri)
    assert offer_read is not None

    path = order.iri.removeprefix("http://testserver")
    amended = request(shop, token, path, method="PUT", json=backorder(offer_iri, product, 5, order=order.iri))
    (line,) = read(amended.content).all(DfcLine)
    assert (coming_pieces(line), line.answer) == (3, "shortened")

    shop.close()
    token = oidc.token("ofn-client")
    completed = request(
        shop, token, path, method="PUT", json=backorder(offer_iri, product, 5, order=order.iri, state="Complete")
    )
    assert completed.status_code == 200, completed.text
    assert read(completed.content).one(DfcOrder).state == "Complete"
    shop.check()


def test_orders_find_their_way_in_the_spelling_of_the_first_portals(shop: Shop, oidc: Oidc) -> None:
    token = oidc.token("ofn-client")
    document = backorder(offer_of(shop, "juice"), product_of(shop, token, "juice"), 1)
    answer = request(shop, token, "/api/dfc/Enterprises/shop/Orders", method="POST", json=document)
    assert answer.status_code == 201, answer.text


def test_an_order_that_names_nothing_of_ours_is_not_found(shop: Shop, oidc: Oidc) -> None:
    document = backorder("https://else.example/offers/1", "https://else.example/products/1", 1)
    assert request(shop, oidc.token("ofn-client"), "/api/dfc/orders", method="POST", json=document).status_code == 404


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded exchange is not here")
def test_the_recorded_order_is_taken_when_it_is_sent_here(shop: Shop, oidc: Oidc) -> None:
    token = oidc.token("ofn-client")
    text = RECORDED.read_text(encoding="utf-8")
    text = text.replace(f"{PORTAL}/SuppliedProducts/44519466238259", product_of(shop, token, "carrots"))
    recorded = json.loads(text.replace(f"{PORTAL}/Orders", ORDERS).replace(PORTAL, HERE))
    answer = request(shop, token, "/api/dfc/orders", method="POST", json=recorded)
    assert answer.status_code == 201, answer.text
    document = read(answer.content)
    (line,) = document.all(DfcLine)
    assert (document.one(DfcOrder).state, coming_pieces(line)) == ("Held", 3)
