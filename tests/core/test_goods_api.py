"""Stock, products, images and catalogs over HTTP, as a producer's own tool would use them."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.enterprises.tables import customer_category, enterprise_member
from commensal.orders.tables import customer_order
from commensal.parts.pictures.images import LARGEST_IMAGE
from commensal.people.actor import ENTERPRISE_SCOPES
from commensal.people.tables import api_token, person
from commensal.stock.take import release_stock, take_stock
from commensal.storage.database import Store
from commensal.testing.placed import a_placed_order, a_shop

FARM = "/api/enterprises/farm"
POTATO = {"name": "Charlotte", "product_type": "potato", "quantity": "5", "unit": "Kilogram", "vat_rate": "5.5"}


class Producer:
    """A client with the farm's token. `send` returns the JSON of a successful answer."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, *, version: int | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": "Bearer cml_producer", "Accept-Language": "en", **kwargs.pop("headers", {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.request(method, FARM + path, headers=headers, **kwargs)

    def send(self, method: str, path: str, json: Any = None, **kwargs: Any) -> Any:
        answer = self.ask(method, path, json=json, **kwargs)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    def refusal(self, method: str, path: str, json: Any = None, **kwargs: Any) -> tuple[int, list[str]]:
        answer = self.ask(method, path, json=json, **kwargs)
        body = answer.json()
        return answer.status_code, [error["pointer"] for error in body["errors"]] or [body["code"]]


@pytest.fixture
def producer(client: TestClient, store: Store, hamlet: Any) -> Producer:
    hamlet.enterprise("farm")
    with store.write() as tx:
        person_values = {"email": "p@example.org", "name": "P", "phone": "", "language": "fr", "is_operator": False}
        created = {"created_at": tx.now}
        tx.execute(insert(person).values(id="p", version=1, confirmed_at=tx.now, **person_values, **created))
        tx.execute(insert(enterprise_member).values(enterprise_id="farm", person_id="p", role="manager", since=tx.now))
        secret = hashlib.sha256(b"cml_producer").hexdigest()
        scopes = sorted(ENTERPRISE_SCOPES)
        tx.execute(insert(api_token).values(id="t", hash=secret, person_id="p", name="", scopes=scopes, **created))
        tx.execute(insert(customer_category).values(id="staff", enterprise_id="farm", name="Staff", version=1))
    return Producer(client)


def test_a_lot_is_opened_filled_counted_and_explained(producer: Producer) -> None:
    lot = producer.send("POST", "/lots", {"name": "Pommes", "unit": "Kilogram", "on_hand": "10"})
    path = f"/lots/{lot['id']}"
    assert producer.send("POST", f"{path}/receipts", {"quantity": 2.5})["on_hand"] == "12.5"
    assert producer.send("POST", f"{path}/counts", {"on_hand": "12", "note": "pourries"})["free"] == "12"
    page = producer.send("GET", f"{path}/movements?limit=2")
    assert [(item["kind"], item["free_change"], item["note"], item["person_id"]) for item in page["items"]] == [
        ("counted", "-0.5", "pourries", "p"),
        ("received", "2.5", "", "p"),
    ]
    second = producer.send("GET", f"{path}/movements?limit=2&after={page['next']}")
    assert ([item["free_change"] for item in second["items"]], second["next"]) == (["10"], None)
    assert producer.send("PATCH", path, {"name": "Reinettes"}, version=1)["version"] == 2
    assert producer.refusal("PATCH", path, {"name": "Golden"}, version=1) == (412, ["stale"])
    assert producer.refusal("POST", f"{path}/counts", {"on_hand": "0.0001"}) == (422, ["/on_hand"])
    assert [item["name"] for item in producer.send("GET", "/lots")["items"]] == ["Reinettes"]


def test_a_producer_reads_what_a_hub_sold_and_not_to_whom(producer: Producer, store: Store, somebody: Any) -> None:
    """Only the hub knows its shoppers; ids of its orders and customers would tell who buys often."""
    lot = producer.send("POST", "/lots", {"name": "Pommes", "unit": "Kilogram", "on_hand": "10"})["id"]
    ada = somebody("Ada").id
    with store.write() as tx:
        a_shop(tx, "hub")
        orders = [a_placed_order(tx, "hub", person_id=ada), a_placed_order(tx, a_shop(tx, "farm-shop"), person_id=ada)]
        tx.execute(update(customer_order).where(customer_order.c.id == orders[1]).values(enterprise_id="farm"))
        for order in orders:
            take_stock(tx, {lot: 1000}, order_id=order, person_id=ada)
        release_stock(tx, {lot: 500}, order_id=orders[1], person_id="p")
    page = producer.send("GET", f"/lots/{lot}/movements")["items"]
    assert [(movement["kind"], movement["order_id"], movement["person_id"]) for movement in page] == [
        ("released", orders[1], "p"),
        ("taken", orders[1], None),
        ("taken", None, None),
        ("received", None, "p"),
    ]


def test_who_may_not_read_orders_sees_none_of_their_ids_in_movements(
    producer: Producer, store: Store, somebody: Any
) -> None:
    """A manager's token that was narrowed to products, or a hub with ReadProducts."""
    lot = producer.send("POST", "/lots", {"name": "Pommes", "unit": "Kilogram", "on_hand": "10"})["id"]
    with store.write() as tx:
        order = a_placed_order(tx, a_shop(tx, "farm-shop"), enterprise_id="farm")
        take_stock(tx, {lot: 1000}, order_id=order, person_id="p")
        tx.execute(update(api_token).values(scopes=["products:read"]))
    page = producer.send("GET", f"/lots/{lot}/movements")["items"]
    assert [(movement["kind"], movement["order_id"], movement["person_id"]) for movement in page] == [
        ("taken", None, None),
        ("received", None, "p"),
    ]


def test_a_product_is_added_changed_taxed_and_put_away(producer: Producer) -> None:
    product = producer.send("POST", "/products", {**POTATO, "on_hand": "100", "labels": ["Organic-AB"]})
    assert (product["quantity"], product["lot_quantity"], product["vat_rate"]) == ("5", 5000, "5.5")
    path = f"/products/{product['id']}"
    size = producer.send("POST", "/products", {**POTATO, "quantity": "25", "lot_id": product["lot_id"]})
    sizes = producer.send("GET", f"/products?lot={product['lot_id']}")["items"]
    assert {(size["product"]["id"], size["left"]) for size in sizes} == {(product["id"], 20), (size["id"], 4)}
    changed = producer.send("PATCH", path, {"sku": "P-5", "weighed": True}, version=1)
    assert (changed["sku"], changed["weighed"], changed["name"]) == ("P-5", True, "Charlotte")
    assert [item["product"]["id"] for item in producer.send("GET", "/products?search=p-5")["items"]] == [product["id"]]
    producer.send("PUT", f"{path}/vat-rates/2027-01-01", {"rate": "10"})
    rates = producer.send("GET", f"{path}/vat-rates")
    assert [rate["rate"] for rate in rates] == ["5.5", "10"]
    producer.send("DELETE", f"{path}/vat-rates/2027-01-01")
    assert producer.refusal("PUT", f"{path}/vat-rates/tomorrow", {"rate": "10"}) == (404, ["no_day"])
    producer.send("POST", f"{path}/archive", version=2)
    archived = producer.send("GET", "/products?archived=true")["items"]
    assert [entry["product"]["id"] for entry in archived] == [product["id"]]
    assert producer.send("POST", f"{path}/restore", version=3)["archived_at"] is None


def test_every_mistake_in_a_product_is_named_with_its_pointer(producer: Producer) -> None:
    invalid = {**POTATO, "name": " ", "product_type": "unicorn", "labels": ["Demeter", "Nice"], "vat_rate": "100"}
    assert producer.refusal("POST", "/products", invalid) == (422, ["/name", "/product_type", "/labels/1", "/vat_rate"])
    too_large = {**POTATO, "quantity": "1e999999", "deposit": 1.5, "colour": "red"}
    status, pointers = producer.refusal("POST", "/products", too_large)
    assert (status, set(pointers)) == (422, {"", "/deposit"})
    assert producer.refusal("POST", "/products", {**POTATO, "quantity": "1e999999"}) == (422, ["/quantity"])
    assert producer.send("GET", "/products")["items"] == []


def test_an_image_is_sent_and_then_public_and_unchanging(producer: Producer) -> None:
    file = io.BytesIO()
    Image.new("RGB", (800, 600), "red").save(file, "JPEG")
    image = producer.send("POST", "/images?alt=Des%20pommes", content=file.getvalue())
    assert (image["alt"], image["width"], image["height"]) == ("Des pommes", 800, 600)
    for path, size in (
        (f"/api/images/{image['id']}", (800, 600)),
        (f"/api/images/{image['id']}/thumbnail", (400, 300)),
    ):
        answer = producer.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert "immutable" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).size == size
    assert producer.refusal("POST", "/images", content=b"GIF89a") == (422, ["image_type"])
    assert producer.refusal("POST", "/images", content=bytes(LARGEST_IMAGE + 1)) == (422, ["image_too_large"])
    assert producer.client.get("/api/images/unknown").status_code == 404
    product = producer.send("POST", "/products", {**POTATO, "image_id": image["id"]})
    assert product["image_id"] == image["id"]
    assert [item["id"] for item in producer.send("GET", "/images")["items"]] == [image["id"]]


def test_a_product_is_listed_shown_to_some_and_priced(producer: Producer) -> None:
    product = producer.send("POST", "/products", POTATO)
    catalog = producer.send("POST", "/catalogs", {"name": "Marché"})
    assert producer.send("PATCH", f"/catalogs/{catalog['id']}", {"name": "Halle"}, version=1)["name"] == "Halle"
    listable = producer.send("GET", "/sellable-products?search=charlotte")["items"]
    assert [entry["product"]["id"] for entry in listable] == [product["id"]]
    item = producer.send("POST", f"/catalogs/{catalog['id']}/items", {"product_id": product["id"]})
    path = f"/items/{item['id']}"
    assert producer.send("PATCH", path, {"shown_to": ["staff"], "name": "Patates"}, version=1)["shown_to"] == ["staff"]
    assert producer.send("PUT", f"{path}/price", {"price": 450})["version"] == 1
    assert producer.send("PUT", f"{path}/price", {"price": 475})["version"] == 2
    assert producer.send("PUT", f"{path}/prices/staff", {"price": 400})["category_id"] == "staff"
    assert producer.refusal("PUT", f"{path}/prices/unknown", {"price": 400}) == (404, ["no_category"])
    assert producer.refusal("PUT", f"{path}/price", {"price": 4.5}) == (422, ["/price"])
    (item_read,) = producer.send("GET", f"/catalogs/{catalog['id']}/items")["items"]
    assert {offer["category_id"]: offer["price"] for offer in item_read["offers"]} == {None: 475, "staff": 400}
    producer.send("DELETE", f"{path}/prices/staff")
    producer.send("DELETE", f"{path}/price")
    assert producer.refusal("DELETE", f"{path}/price") == (404, ["no_price"])
    assert producer.refusal("DELETE", f"/catalogs/{catalog['id']}") == (409, ["in_use"])
    producer.send("DELETE", path)
    producer.send("DELETE", f"/catalogs/{catalog['id']}")


@pytest.mark.parametrize(
    ("table", "count", "term"),
    [
        ("measures", 56, "PoundMass"),
        ("product-types", 253, "raspberry"),
        ("labels", 29, "Organic-AB"),
        ("allergens", 14, "Eggs"),
    ],
)
def test_anybody_may_read_the_words_of_dfc(client: TestClient, table: str, count: int, term: str) -> None:
    concepts = client.get(f"/api/taxonomy/{table}").json()
    assert len(concepts) == count
    by_term = {concept["term"]: concept for concept in concepts}
    assert by_term[term]["en"]
    assert by_term[term]["fr"]
    assert table != "measures" or by_term[term]["factor"] == "45359237/100000"
