"""A platform orders here: stock is really taken, the answer says what comes, and repeated requests change nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.catalogs.offers import set_price
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.instance.settings import InstanceSettings
from commensal.orders.questions import orders_by_id
from commensal.orders.tables import customer_order
from commensal.orders.values import Identity
from commensal.stock.lots import lots_of
from commensal.testing.placed import a_lot, an_item
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import DfcLine, DfcOrder

from .oidc import Oidc
from .platforms import V2, an_order, grant_scopes, offer_of, request, settings_with

ORDERS = "/api/dfc/enterprises/shop/orders"


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


class Ofn:
    """A platform that may order at the shop."""

    def __init__(self, shop: Shop, oidc: Oidc) -> None:
        self.shop, self.oidc = shop, oidc
        grant_scopes(shop, "ofn", "ReadProducts", "WriteOrders")

    def ask(self, method: str, path: str, **kwargs: Any) -> Any:
        return request(self.shop, self.oidc.token("ofn-client"), path, method=method, **kwargs)

    def post(self, goods: Mapping[str, int], **kwargs: Any) -> Any:
        return self.ask("POST", ORDERS, json=an_order(self.shop, goods, **kwargs))

    def put(self, path: str, goods: Mapping[str, int], **kwargs: Any) -> Any:
        return self.ask("PUT", path, json=an_order(self.shop, goods, **kwargs))


@pytest.fixture
def ofn(shop: Shop, oidc: Oidc) -> Ofn:
    return Ofn(shop, oidc)


def place(answer: Any, status: int = 201) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.headers["Location"]).removeprefix("http://testserver")


def document_of(answer: Any, status: int = 200) -> DfcDocument:
    assert answer.status_code == status, answer.text
    return read(answer.content)


def lines(shop: Shop, document: DfcDocument) -> dict[str, tuple[int, str]]:
    """The pieces that come and the answer of each line, by the names of goods."""
    names = {offer_of(shop, name): name for name in shop.items}
    return {
        names[row.offer or ""]: (int(row.quantity.value), row.answer) for row in document.all(DfcLine) if row.quantity
    }


def free_stock(shop: Shop, name: str) -> int:
    with shop.instance.store.read() as tx:
        return next(int(lot.free) for lot in lots_of(tx, shop.id) if lot.name == name)


def count(shop: Shop) -> int:
    with shop.instance.store.read() as tx:
        return len(tx.all(select(customer_order.c.id).where(customer_order.c.state != "Draft")))


def test_an_order_takes_stock_and_says_what_comes(shop: Shop, ofn: Ofn) -> None:
    answer = ofn.post({"carrots": 4, "honey": 2})
    path = place(answer)
    order = document_of(answer, 201).one(DfcOrder)
    assert (order.state, order.ordered_by) == ("Held", None), "what is not in the document is not named"
    assert lines(shop, document_of(answer, 201)) == {"carrots": (4, "confirmed"), "honey": (2, "confirmed")}
    assert (free_stock(shop, "carrots"), free_stock(shop, "honey")) == (996, 1)
    second_answer = ofn.ask("GET", path)
    assert document_of(second_answer).one(DfcOrder) == order
    assert ofn.ask("GET", path, headers={"If-None-Match": second_answer.headers["ETag"]}).status_code == 304
    assert document_of(ofn.ask("GET", path, accept=V2)).version == "2.0"
    shop.check()


def test_lines_are_shortened_and_refused_one_by_one(shop: Shop, ofn: Ofn) -> None:
    shop.order({"honey": 2})
    answer = ofn.post({"carrots": 1, "honey": 5})
    assert lines(shop, document_of(answer, 201)) == {"carrots": (1, "confirmed"), "honey": (1, "shortened")}
    second_answer = ofn.post({"juice": 1, "honey": 1}, iri="https://ofn.example/orders/2")
    assert lines(shop, document_of(second_answer, 201)) == {"juice": (1, "confirmed"), "honey": (0, "refused")}
    (refused,) = (row for row in document_of(second_answer, 201).all(DfcLine) if row.answer == "refused")
    assert "sold out" in refused.reason
    refusal = ofn.post({"honey": 1}, iri="https://ofn.example/orders/3")
    assert refusal.status_code == 409
    assert "sold out" in refusal.text
    shop.check()


def test_the_same_request_orders_once(shop: Shop, ofn: Ofn) -> None:
    first_path, second_path = place(ofn.post({"carrots": 4})), place(ofn.post({"carrots": 4}), 200)
    assert first_path == second_path
    assert ofn.post({"carrots": 5}).status_code == 409
    nameless = an_order(shop, {"juice": 1}, iri="_:order")
    sent = [ofn.ask("POST", ORDERS, json=nameless, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert place(sent[0]) == place(sent[1], 200)
    assert count(shop) == 2
    assert free_stock(shop, "carrots") == 996


def test_an_order_is_amended_while_it_is_held_and_then_complete(shop: Shop, ofn: Ofn) -> None:
    path = place(ofn.post({"carrots": 4, "juice": 1}))
    lines_before = {row.offer: row.iri for row in document_of(ofn.ask("GET", path)).all(DfcLine)}
    amended = document_of(ofn.put(path, {"carrots": 6, "honey": 3}))
    assert lines(shop, amended) == {"carrots": (6, "confirmed"), "honey": (3, "confirmed")}
    assert {row.offer: row.iri for row in amended.all(DfcLine)}[offer_of(shop, "carrots")] in lines_before.values()
    assert (free_stock(shop, "carrots"), free_stock(shop, "juice"), free_stock(shop, "honey")) == (994, 1000, 0)
    shortened = document_of(ofn.put(path, {"carrots": 6, "honey": 4}))
    assert lines(shop, shortened)["honey"] == (3, "shortened")
    completed = document_of(ofn.put(path, {"carrots": 6, "honey": 4}, state="Complete"))
    assert completed.one(DfcOrder).state == "Complete"
    assert ofn.put(path, {"carrots": 7}, state="Complete").status_code == 409
    assert document_of(ofn.put(path, {"carrots": 6, "honey": 4}, state="Complete")).one(DfcOrder).state == "Complete"
    shop.check()


def test_a_line_keeps_what_was_confirmed_when_another_of_the_same_lot_grows(shop: Shop, ofn: Ofn) -> None:
    """37 jars are sold alone and in boxes of twelve: more boxes take none of the jars that the platform has sold on."""
    with shop.instance.store.write() as tx:
        lot_id = a_lot(tx, shop.id, name="Jam", on_hand="37")
        sizes = {"box": an_item(tx, lot_id, shop.id, name="Box", grains=12), "jar": an_item(tx, lot_id, shop.id)}
    ofn.shop = shop = replace(shop, items={**shop.items, **sizes})
    path = place(ofn.post({"box": 1, "jar": 5}))
    amended = document_of(ofn.put(path, {"box": 9, "jar": 5}))
    assert lines(shop, amended) == {"box": (2, "shortened"), "jar": (5, "confirmed")}
    assert free_stock(shop, "Jam") == 8
    amended = document_of(ofn.put(path, {"box": 0, "jar": 40}))
    assert lines(shop, amended)["jar"] == (37, "shortened")
    shop.check()


def test_an_order_is_completed_after_the_close_but_not_changed(shop: Shop, ofn: Ofn) -> None:
    path = place(ofn.post({"carrots": 4}))
    shop.close()
    assert ofn.put(path, {"carrots": 5}).status_code == 409
    assert document_of(ofn.put(path, {"carrots": 4}, state="Complete")).one(DfcOrder).state == "Complete"
    assert ofn.post({"carrots": 1}, iri="https://ofn.example/orders/2").status_code == 409
    assert ofn.ask("DELETE", path).status_code == 409
    shop.check()


@pytest.mark.parametrize("how", ["DELETE", "Cancelled", "no pieces", "no lines"])
def test_an_order_is_cancelled(shop: Shop, ofn: Ofn, how: str) -> None:
    path = place(ofn.post({"honey": 3}))
    if how == "DELETE":
        answer = ofn.ask("DELETE", path)
    else:
        pieces = {"Cancelled": {"honey": 3}, "no pieces": {"honey": 0}, "no lines": {}}[how]
        answer = ofn.put(path, pieces, state="Cancelled" if how == "Cancelled" else "Complete")
    assert document_of(answer).one(DfcOrder).state == "Cancelled"
    assert free_stock(shop, "honey") == 3
    assert ofn.put(path, {"honey": 1}).status_code == 409
    shop.check()


def test_what_the_hub_does_to_an_order_is_said(shop: Shop, ofn: Ofn) -> None:
    path = place(ofn.post({"carrots": 4}))
    with shop.instance.store.read() as tx:
        order_id = tx.value(select(customer_order.c.id))
    shop.ask("POST", f"/orders/{order_id}/cancel", {}, version=1)
    assert document_of(ofn.ask("GET", path)).one(DfcOrder).state == "Cancelled"


def test_orders_are_seen_by_who_sent_them_and_by_the_shop(shop: Shop, ofn: Ofn, oidc: Oidc) -> None:
    path = place(ofn.post({"carrots": 4}))
    grant_scopes(shop, "litefarm", "WriteOrders")
    other_token = oidc.token("litefarm")
    assert request(shop, other_token, path).status_code == 404
    assert request(shop, other_token, path, method="DELETE").status_code == 404
    assert document_of(ofn.ask("GET", ORDERS)).one(DfcOrder).state == "Held"
    assert request(shop, other_token, ORDERS).json()["@graph"] == []
    assert document_of(request(shop, shop.token, path)).one(DfcOrder).state == "Held"
    line = document_of(ofn.ask("GET", path)).one(DfcLine)
    alone = document_of(ofn.ask("GET", line.iri.removeprefix("http://testserver"))).one(DfcLine)
    assert alone == replace(line, order=None), "its order is not in the document"
    grant_scopes(shop, "ofn", "ReadOrders")
    assert ofn.put(path, {"carrots": 1}).status_code == 403


def test_a_platform_orders_as_the_customer_that_the_shop_chose(shop: Shop, ofn: Ofn) -> None:
    with shop.instance.store.write() as tx:
        hubs = create_category(tx, shop.id, name="Hubs")
        customer = create_customer(tx, shop.id, email="hub@example.org", name="The hub", categories=[hubs.id])
        set_price(tx, shop.id, shop.items["carrots"], 150, category_id=hubs.id)
    grant_scopes(shop, "ofn", "WriteOrders", customer_id=customer.id)
    order = an_order(shop, {"juice": 1})
    order["@graph"][1]["dfc-b:concerns"] = f"http://testserver/api/dfc/catalog_items/{shop.items['carrots']}"
    answer = ofn.ask("POST", ORDERS, json=order)
    line = document_of(answer, 201).one(DfcLine)
    assert line.price is not None
    assert line.price.amount == 150
    with shop.instance.store.read() as tx:
        assert tx.value(select(customer_order.c.customer_id)) == customer.id


def test_a_platform_that_names_a_customer_by_address_proves_nothing(shop: Shop, ofn: Ofn) -> None:
    """This holds when it orders and when it amends; earlier orders are classified by what the hub recorded."""
    first_order, amended_order = an_order(shop, {"carrots": 1}), an_order(shop, {"carrots": 1, "juice": 1})
    second_order = an_order(shop, {"juice": 1}, iri="https://ofn.example/orders/2")
    with shop.instance.store.write() as tx:
        hubs = create_category(tx, shop.id, name="Hubs")
        customer = create_customer(tx, shop.id, email="orders@ofn.example", name="A hub", categories=[hubs.id])
        for item in (shop.items["carrots"], shop.items["juice"]):
            set_price(tx, shop.id, item, 10, category_id=hubs.id)
    path = place(ofn.ask("POST", ORDERS, json=first_order))
    document_of(ofn.ask("PUT", path, json=amended_order))
    with shop.instance.store.read() as tx:
        (order,) = orders_by_id(tx, select(customer_order.c.id)).values()
    assert (order.email, order.identity, order.customer_id) == ("orders@ofn.example", Identity.TYPED, None)
    assert order.total == 600, "everybody's prices"
    grant_scopes(shop, "ofn", "WriteOrders", customer_id=customer.id)
    place(ofn.ask("POST", ORDERS, json=second_order))
    order_by_hub = shop.order({"juice": 1}, by_hub=True)
    assert _identities(shop) == ["typed", "hub", "hub"]
    assert order_by_hub.identity is Identity.BY_HUB


def _identities(shop: Shop) -> list[str]:
    with shop.instance.store.read() as tx:
        rows = tx.all(select(customer_order.c.identity).order_by(customer_order.c.number))
    return [row["identity"] for row in rows]


def test_the_last_pieces_are_sold_once(shop: Shop, ofn: Ofn) -> None:
    start, answers = threading.Barrier(4), []

    def order(number: int) -> None:
        start.wait()
        answers.append(ofn.post({"honey": 2, "carrots": 1}, iri=f"https://ofn.example/orders/{number}"))

    threads = [threading.Thread(target=order, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = [lines(shop, document_of(answer, 201))["honey"][0] for answer in answers]
    assert sorted(got) == [0, 0, 1, 2]
    assert free_stock(shop, "honey") == 0
    shop.check()


@pytest.mark.parametrize("pieces", [1.5, -1, 1_000_000, "many"])
def test_a_quantity_that_cannot_be_is_an_error(shop: Shop, ofn: Ofn, pieces: object) -> None:
    order = an_order(shop, {"carrots": 1})
    order["@graph"][1]["dfc-b:quantity"] = pieces
    assert ofn.ask("POST", ORDERS, json=order).status_code == 422
    assert count(shop) == 0


def test_goods_of_a_neighbour_are_not_sold_here(shop: Shop, ofn: Ofn, clock: ManualClock) -> None:
    neighbour = shop.neighbour()
    order = an_order(shop, {"carrots": 1, "juice": 1})
    order["@graph"][1]["dfc-b:concerns"] = offer_of(neighbour, "carrots")
    document = document_of(ofn.ask("POST", ORDERS, json=order), 201)
    assert sorted((row.answer, int(row.quantity.value)) for row in document.all(DfcLine) if row.quantity) == [
        ("confirmed", 1),
        ("refused", 0),
    ]
    assert free_stock(neighbour, "carrots") == 1000


# ------------------------------------------------------------------------------------------ lines


def quantities_of(ofn: Ofn, path: str) -> dict[str, int]:
    """The pieces that come, by the offer that the platform named."""
    lines = document_of(ofn.ask("GET", path)).all(DfcLine)
    return {str(line.offer): int(line.quantity.value) for line in lines if line.quantity}


def test_lines_are_changed_added_and_taken_off_one_by_one(ofn: Ofn) -> None:
    path = place(ofn.post({"carrots": 4, "chicken": 1}))
    context = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
    carrots, chicken, honey = (offer_of(ofn.shop, name) for name in ("carrots", "chicken", "honey"))
    lines = {
        line.offer: line.iri.removeprefix("http://testserver")
        for line in document_of(ofn.ask("GET", f"{path}/order_lines")).all(DfcLine)
    }
    answer = ofn.ask("PUT", lines[carrots], json={"@context": context, "dfc-b:quantity": "6"})
    (line,) = document_of(answer).all(DfcLine)
    assert (line.iri, line.answer) == (f"http://testserver{lines[carrots]}", "confirmed")
    six = {"@context": context, "dfc-b:hasQuantity": {"dfc-b:value": 6, "dfc-b:hasUnit": "dfc-m:Kilogram"}}
    assert ofn.ask("PATCH", lines[chicken], json=six).status_code == 200  # of two kilograms each
    new_line = {"@context": context, "@type": "dfc-b:OrderLine", "dfc-b:concerns": honey, "dfc-b:quantity": 5}
    added = document_of(ofn.ask("POST", f"{path}/order_lines", json=new_line), 201)
    assert {line.offer: line.answer for line in added.all(DfcLine)}[honey] == "shortened"
    assert quantities_of(ofn, path) == {carrots: 6, chicken: 3, honey: 3}
    assert ofn.ask("DELETE", lines[carrots]).status_code == 204
    assert quantities_of(ofn, path) == {chicken: 3, honey: 3}
    assert ofn.ask("GET", lines[carrots]).status_code == 404
    wrong = ofn.ask("PUT", lines[chicken], json={"@context": context, "dfc-b:quantity": "1.5"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "quantity")


def test_the_last_line_that_goes_leaves_an_empty_order_that_gives_its_stock_back(ofn: Ofn) -> None:
    path = place(ofn.post({"honey": 2}))
    (line,) = document_of(ofn.ask("GET", f"{path}/order_lines")).all(DfcLine)
    own, stranger = line.iri.removeprefix("http://testserver"), ofn.oidc.token("litefarm")
    grant_scopes(ofn.shop, "litefarm", "WriteOrders")
    assert request(ofn.shop, stranger, own, method="DELETE").status_code == 404
    assert ofn.ask("DELETE", own).status_code == 204
    assert quantities_of(ofn, path) == {}
    with ofn.shop.instance.store.read() as tx:
        assert {lot.name: lot.free for lot in lots_of(tx, ofn.shop.id)}["honey"] == 3
