"""Open Food Network orders here as it does elsewhere: it guesses where, names a sale of its own making, sends the whole
order again for every change, and says Complete when its own sale has closed."""

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
from .platforms import asked, let, offer_of, settings_with

HERE = "http://testserver/api/dfc"
ORDERS = f"{HERE}/orders"  # as it guesses, from where the products are
SHARED = Path(os.environ.get("COMMENSAL_SHARED", Path(__file__).parents[4] / "shared")) / "dfc"
RECORDED = SHARED / "examples" / "vcr_fdc_backorder__1_POST_Orders__request.json"
PORTAL = "https://env-0105831.jcloud-ver-jpe.ik-server.com/api/dfc/Enterprises/test-hodmedod"


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


@pytest.fixture(autouse=True)
def granted(shop: Shop) -> None:
    let(shop, "ofn", "ReadProducts", "WriteOrders")


def product_of(shop: Shop, token: str, name: str) -> str:
    """The address of a product, as it stands in the catalogue."""
    catalogue = read(asked(shop, token, "/api/dfc/enterprises/shop/catalog_items").content)
    item = catalogue.get(DfcItem, f"{HERE}/catalog_items/{shop.items[name]}")
    assert item is not None
    return item.product or ""


def coming(line: DfcLine) -> int:
    assert line.quantity is not None
    return int(line.quantity.value)


def backorder(offer: str, product: str, pieces: int, *, order: str = ORDERS, state: str = "Held") -> dict[str, Any]:
    """Five nodes without a name of its own for the order: it has the address to which it is sent."""
    line, sale = f"{ORDERS}/OrderLines/1", f"{HERE}/supplied_products"
    return {
        "@context": "https://www.datafoodconsortium.org",
        "@graph": [
            {"@id": order, "@type": "dfc-b:Order", "dfc-b:belongsTo": sale, "dfc-b:hasPart": line,
             "dfc-b:orderedBy": "http://ofn.example/api/dfc/enterprises/1003",
             "dfc-b:hasOrderStatus": f"dfc-v:{state}"},
            {"@id": line, "@type": "dfc-b:OrderLine", "dfc-b:quantity": pieces, "dfc-b:concerns": offer},
            {"@id": offer, "@type": "dfc-b:Offer", "dfc-b:offeredItem": product},
            {"@id": product, "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "Whatever they call it"},
            {"@id": sale, "@type": "dfc-b:SaleSession", "dfc-b:beginDate": "Mon Jun 01 2026 02:30:56 UTC",
             "dfc-b:endDate": "Tue Jun 09 2026 02:30:56 UTC"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("offer", ["ours", "of their making"])
def test_a_backorder_is_placed_amended_and_completed(shop: Shop, oidc: Oidc, offer: str) -> None:
    token = oidc.token("ofn-client")
    product = product_of(shop, token, "honey")
    named = offer_of(shop, "honey") if offer == "ours" else f"{product}/Offer"
    placed = asked(shop, token, "/api/dfc/orders", method="POST", json=backorder(named, product, 2))
    assert placed.status_code == 201, placed.text
    order = read(placed.content).one(DfcOrder)
    assert order.state == "Held"
    assert order.iri == placed.headers["Location"]
    (line,) = read(placed.content).all(DfcLine)
    assert (line.offer, coming(line), line.answer) == (named, 2, "confirmed")
    offered = read(placed.content).get(DfcOffer, named)
    assert offered is not None

    path = order.iri.removeprefix("http://testserver")
    more = asked(shop, token, path, method="PUT", json=backorder(named, product, 5, order=order.iri))
    (line,) = read(more.content).all(DfcLine)
    assert (coming(line), line.answer) == (3, "shortened")

    shop.close()
    token = oidc.token("ofn-client")
    done = asked(shop, token, path, method="PUT", json=backorder(named, product, 5, order=order.iri, state="Complete"))
    assert done.status_code == 200, done.text
    assert read(done.content).one(DfcOrder).state == "Complete"
    shop.check()


def test_orders_find_their_way_in_the_spelling_of_the_first_portals(shop: Shop, oidc: Oidc) -> None:
    token = oidc.token("ofn-client")
    said = backorder(offer_of(shop, "juice"), product_of(shop, token, "juice"), 1)
    answer = asked(shop, token, "/api/dfc/Enterprises/shop/Orders", method="POST", json=said)
    assert answer.status_code == 201, answer.text


def test_an_order_that_names_nothing_of_ours_is_not_found(shop: Shop, oidc: Oidc) -> None:
    said = backorder("https://else.example/offers/1", "https://else.example/products/1", 1)
    assert asked(shop, oidc.token("ofn-client"), "/api/dfc/orders", method="POST", json=said).status_code == 404


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded exchange is not here")
def test_the_recorded_order_is_taken_when_it_is_sent_here(shop: Shop, oidc: Oidc) -> None:
    token = oidc.token("ofn-client")
    text = RECORDED.read_text(encoding="utf-8")
    text = text.replace(f"{PORTAL}/SuppliedProducts/44519466238259", product_of(shop, token, "carrots"))
    said = json.loads(text.replace(f"{PORTAL}/Orders", ORDERS).replace(PORTAL, HERE))
    answer = asked(shop, token, "/api/dfc/orders", method="POST", json=said)
    assert answer.status_code == 201, answer.text
    document = read(answer.content)
    (line,) = document.all(DfcLine)
    assert (document.one(DfcOrder).state, coming(line)) == ("Held", 3)
