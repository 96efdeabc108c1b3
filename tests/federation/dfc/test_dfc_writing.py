"""Farm software keeps its stock, prices and products here: PUT and PATCH of goods, with the state that it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from commensal import PluginFields, Stale, enterprise_by_id
from commensal.catalogs import catalogs_of
from commensal.catalogs.items import add_item, item_by_id
from commensal.catalogs.offers import set_price
from commensal.enterprises import grant
from commensal.instance.settings import InstanceSettings
from commensal.parts.checks import broken_invariants
from commensal.parts.copies import lend_stock
from commensal.products import products_by_id
from commensal.stock import lot_by_id
from commensal.testing.shop import Shop
from commensal_federation.dfc.described import description_of, facts_of
from commensal_federation.dfc.namespace import NAMESPACE
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcLot, DfcOffer, DfcProduct
from commensal_federation.platforms.goods import Goods
from commensal_federation.platforms.goods_changes import GoodsChanges
from commensal_federation.platforms.goods_pages import _apply

from .platforms import V2, offer_of, request, settings_with

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
EURO = "dfc-m:Euro"


@pytest.fixture
def settings() -> InstanceSettings:
    return settings_with("https://login.example")


@pytest.fixture
def farm(shop: Shop) -> Farm:
    return Farm(shop, shop.token)


class Farm:
    """Software with a token of the shop's owner. It counts the honey, of which there are three jars."""

    def __init__(self, shop: Shop, token: str) -> None:
        self.shop, self.token = shop, token
        self.honey = f"/api/dfc/catalog_items/{shop.items['honey']}"

    def get(self, path: str, **kwargs: Any) -> Any:
        answer = request(self.shop, self.token, path, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer

    def put(self, path: str, document: Any, *, match: str | None = None, method: str = "PUT", **kwargs: Any) -> Any:
        """Sends a document for the state that is there now, or for the ETag `match` (empty: for none)."""
        tag = self.get(path).headers["ETag"] if match is None else match
        headers = {"If-Match": tag} if tag else {}
        return request(self.shop, self.token, path, method=method, json=document, headers=headers, **kwargs)

    def lot_of(self, name: str) -> Any:
        with self.shop.instance.store.read() as tx:
            item = item_by_id(tx, self.shop.id, self.shop.items[name])
            return lot_by_id(tx, self.shop.id, products_by_id(tx, [item.product_id])[item.product_id].lot_id)

    def product_of(self, name: str) -> Any:
        with self.shop.instance.store.read() as tx:
            item = item_by_id(tx, self.shop.id, self.shop.items[name])
            return products_by_id(tx, [item.product_id])[item.product_id]

    def price_of(self, name: str) -> int:
        with self.shop.instance.store.read() as tx:
            (offer,) = item_by_id(tx, self.shop.id, self.shop.items[name]).offers
            return offer.price


def errors_of(answer: Any) -> dict[str, str]:
    """The places of the errors, with their codes."""
    return {error.get("path", error.get("pointer")): error["code"] for error in answer.json()["errors"]}


# ------------------------------------------------------------------------------------------ stock


def test_farm_software_pushes_its_stock_as_open_food_network_takes_it(farm: Farm) -> None:
    answer = farm.put(farm.honey, {"@context": CONTEXT, "dfc-b:stockLimitation": "40", "dfc-b:sku": "H-1"})
    assert answer.status_code == 200, answer.text
    assert farm.lot_of("honey").free == 40
    assert farm.product_of("honey").sku == "H-1"
    assert farm.get(farm.honey).headers["ETag"] == answer.headers["ETag"]
    with farm.shop.instance.store.read() as tx:
        assert broken_invariants(tx) == []


def test_a_stock_that_is_older_than_an_order_is_refused(farm: Farm) -> None:
    seen = farm.get(farm.honey).headers["ETag"]
    farm.shop.order({"honey": 2})
    document = {"@context": CONTEXT, "dfc-b:stockLimitation": 3}
    assert farm.put(farm.honey, document, match="").status_code == 428
    answer = farm.put(farm.honey, document, match=seen)
    assert (answer.status_code, answer.json()["code"]) == (412, "changed")
    assert (farm.lot_of("honey").free, farm.lot_of("honey").on_hand) == (1, 3)
    weak = f"W/{farm.get(farm.honey).headers['ETag']}"  # as a proxy that compresses passes it on
    assert farm.put(farm.honey, document, match=f'"other", {weak}').status_code == 200
    assert (farm.lot_of("honey").free, farm.lot_of("honey").on_hand) == (3, 5)


def test_what_others_may_sell_stays_theirs(farm: Farm) -> None:
    with farm.shop.instance.store.write() as tx:
        assert lend_stock(tx, farm.lot_of("honey").id, 2)
    assert farm.put(farm.honey, {"@context": CONTEXT, "dfc-b:stockLimitation": 0}).status_code == 200
    lot = farm.lot_of("honey")
    assert (lot.free, lot.lent, lot.on_hand) == (0, 2, 2)
    unlimited = farm.put(farm.honey, {"@context": CONTEXT, "dfc-b:stockLimitation": -1})
    assert (unlimited.status_code, unlimited.json()["code"]) == (409, "lent")
    assert not farm.lot_of("honey").unlimited


def test_a_stock_without_a_limit_and_with_one_again(farm: Farm) -> None:
    assert farm.put(farm.honey, {"@context": CONTEXT, "dfc-b:stockLimitation": -1}).status_code == 200
    assert farm.lot_of("honey").unlimited
    assert farm.put(farm.honey, {"@context": CONTEXT, "dfc-b:stockLimitation": "12"}).status_code == 200
    assert (farm.lot_of("honey").unlimited, farm.lot_of("honey").free) == (False, 12)


def test_a_lot_is_counted_in_any_unit_of_its_measure(farm: Farm) -> None:
    lot = farm.lot_of("chicken")
    path = f"/api/dfc/stocks/{lot.id}"
    assert read(farm.get(path).content).one(DfcLot).iri.endswith(path)
    amount = {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": "25500", "dfc-b:hasUnit": "dfc-m:Gram"}
    document = {"@context": CONTEXT, "dfc-b:hasQuantity": amount}
    assert farm.put(path, document, method="PATCH").status_code == 200
    assert (farm.lot_of("chicken").free, lot.unit) == (Decimal("25.5"), "Kilogram")
    for unit, value, code in (("Litre", "3", "other_unit"), ("Gram", "0.1", "too_fine")):
        amount |= {"dfc-b:hasUnit": f"dfc-m:{unit}", "dfc-b:value": value}
        assert errors_of(farm.put(path, document)) == {"$['dfc-b:hasQuantity']": code}


# ------------------------------------------------------------------------------------------ prices


def test_a_price_is_set_at_its_offer_and_at_its_item(farm: Farm) -> None:
    offer = offer_of(farm.shop, "honey").removeprefix("http://testserver")
    assert farm.put(offer, {"@context": CONTEXT, "dfc-b:price": "8.50"}).status_code == 200
    assert farm.price_of("honey") == 850
    price = {"@type": "dfc-b:Price", "dfc-b:value": "9", "dfc-b:hasUnit": EURO, "dfc-b:VATrate": "10"}
    own = {"@type": "dfc-b:Offer", "dfc-b:hasPrice": price}
    document = {"@context": CONTEXT, "dfc-b:offeredThrough": own, "dfc-b:stockLimitation": 7}
    answer = farm.put(farm.honey, document)
    assert answer.status_code == 200, answer.text
    assert (farm.price_of("honey"), farm.product_of("honey").vat_rate, farm.lot_of("honey").free) == (900, 10, 7)
    assert read(answer.content).one(DfcOffer).price is not None


def test_a_price_of_the_office_of_the_same_moment_is_not_overwritten(farm: Farm) -> None:
    """It is set after the document's state was compared, which PostgreSQL allows."""
    with farm.shop.instance.store.write() as tx:
        item = item_by_id(tx, farm.shop.id, farm.shop.items["honey"])
        goods = Goods(seller=enterprise_by_id(tx, farm.shop.id), items=[item], products={}, categories=None)
        set_price(tx, farm.shop.id, item.id, 850)
        nothing: dict[Any, Any] = {}
        changes = GoodsChanges(
            products=nothing, rates=nothing, stocks=nothing, items=nothing, prices={(item.id, None): 900}, places={}
        )
        with pytest.raises(Stale):
            _apply(tx, goods, changes, person_id=None, note="")
    assert farm.price_of("honey") == 850


def test_a_price_in_another_currency_changes_nothing(farm: Farm) -> None:
    offer = offer_of(farm.shop, "honey").removeprefix("http://testserver")
    price = {"@type": "dfc-b:Price", "dfc-b:value": "9", "dfc-b:hasUnit": "dfc-m:PoundSterling"}
    answer = farm.put(offer, {"@context": CONTEXT, "dfc-b:hasPrice": price, "dfc-b:stockLimitation": 7})
    assert errors_of(answer) == {"$['dfc-b:hasPrice']": "other_currency"}
    assert (farm.price_of("honey"), farm.lot_of("honey").free) == (800, 3)


# ------------------------------------------------------------------------------------------ products


@pytest.mark.parametrize("accept", ["*/*", V2])
@pytest.mark.parametrize(
    "path",
    ["/api/dfc/supplied_products/{}", "/api/dfc/Enterprises/shop/SuppliedProducts/{}", "/api/dfc/catalog_items/{item}"],
)
def test_what_was_read_and_is_sent_back_changes_nothing(farm: Farm, path: str, accept: str) -> None:
    place = path.format(farm.product_of("juice").id, item=farm.shop.items["juice"])
    before = farm.get(place, accept=accept)
    answer = farm.put(place, before.json(), match=before.headers["ETag"], accept=accept)
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == before.headers["ETag"]


def test_a_product_is_renamed_and_relabelled_and_keeps_the_rest(farm: Farm) -> None:
    before = farm.product_of("chicken")
    document = {
        "@context": CONTEXT,
        "dfc-b:name": "Young hen",
        "dfc-b:hasCertification": ["dfc-f:Organic-EU"],
        "dfc-b:hasQuantity": {"dfc-b:value": 1500, "dfc-b:hasUnit": "dfc-m:Gram"},
        "dfc-b:hasType": {"@id": "dfc-pt:chicken"},
        "dfc-b:hasGeographicalOrigin": "dfc-f:Brittany",
        "dfc-b:refrigerated": "true",
    }
    answer = farm.put(f"/api/dfc/supplied_products/{before.id}", document)
    assert answer.status_code == 200, answer.text
    after = farm.product_of("chicken")
    assert (after.name, after.labels, after.quantity, after.unit) == ("Young hen", ("Organic-EU",), 1500, "Gram")
    assert (after.origins, after.handling) == (("Brittany",), ("Chilled",))
    assert (after.weighed, after.vat_rate, after.lot_quantity) == (True, before.vat_rate, 1500)


def test_the_tolerance_of_a_weight_is_read_and_said_and_no_tolerance_says_nothing(farm: Farm) -> None:
    before = farm.product_of("chicken")
    assert before.weight_tolerance is None
    property = f"{NAMESPACE}#weightTolerance"
    sent: dict[str, object] = {"@context": CONTEXT, property: "8.0"}
    assert farm.put(f"/api/dfc/supplied_products/{before.id}", sent, method="PATCH").status_code == 200
    product = farm.product_of("chicken")
    assert product.weight_tolerance == 8
    facts = {
        each.weight_tolerance: facts_of(
            DfcProduct(iri="x", **description_of(each, "EUR", PluginFields(), split_claims=False)), each.name
        )
        for each in (before, product)
    }
    assert (facts[None][property], facts[product.weight_tolerance][property]) == ([], ["8"])
    size = {"dfc-b:value": 1, "dfc-b:hasUnit": "dfc-m:Kilogram"}
    both = {"@context": CONTEXT, "dfc-b:hasQuantity": size, "dfc-b:totalTheoreticalStock": 5}
    answer = farm.put(f"/api/dfc/supplied_products/{before.id}", both)
    assert errors_of(answer) == {"$['dfc-b:totalTheoreticalStock']": "size_and_stock"}


def test_every_mistake_is_named_with_its_place_and_nothing_changes(farm: Farm) -> None:
    product = farm.product_of("honey")
    iri = f"http://testserver/api/dfc/supplied_products/{product.id}"
    item = {
        "@id": f"http://testserver{farm.honey}",
        "@type": "dfc-b:CatalogItem",
        "dfc-b:references": iri,
        "dfc-b:stockLimitation": "2.5",
    }
    node = {"@id": iri, "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "", "dfc-b:hasType": "dfc-pt:unobtainium"}
    document = {"@context": CONTEXT, "@graph": [{**node, "own:nothing": 1}, item]}
    answer = farm.put(farm.honey, document)
    assert errors_of(answer) == {"$['@graph'][1]['dfc-b:stockLimitation']": "not_whole"}
    item["dfc-b:stockLimitation"] = "2"
    answer = farm.put(farm.honey, document)
    places = errors_of(answer)
    assert places.keys() == {"$['@graph'][0]['dfc-b:name']", "$['@graph'][0]['dfc-b:hasType']"}
    assert (farm.product_of("honey"), farm.lot_of("honey").free) == (product, 3)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"@id": "http://testserver/api/dfc/supplied_products/other", "@type": "dfc-b:SuppliedProduct"}, "other_goods"),
        ({"@id": "https://farm.example/1", "@type": "dfc-b:Offer", "dfc-b:price": 3}, "other_goods"),
        ({"@id": "https://farm.example/1", "@type": "dfc-b:Enterprise", "dfc-b:name": "Farm"}, "nothing"),
        ({"dfc-b:stockLimitation": "many"}, "no_number"),
    ],
)
def test_a_document_of_something_else_is_refused(farm: Farm, document: Mapping[str, Any], code: str) -> None:
    answer = farm.put(farm.honey, {"@context": CONTEXT, **document})
    assert (answer.status_code, list(errors_of(answer).values())) == (422, [code])
    assert farm.put(farm.honey, "a text").json()["code"] == "no_jsonld"


def a_new_product(**members: Any) -> dict[str, Any]:
    price = {"@type": "dfc-b:Price", "dfc-b:value": "4.5", "dfc-b:hasUnit": EURO, "dfc-b:VATrate": "5.5"}
    return {
        "@context": CONTEXT,
        "dfc-b:name": "Leeks",
        "dfc-b:hasType": "dfc-pt:vegetable",
        "dfc-b:totalTheoreticalStock": 20,
        "dfc-b:hasQuantity": {"dfc-b:value": 500, "dfc-b:hasUnit": "dfc-m:Gram"},
        "dfc-b:offeredThrough": {"@type": "dfc-b:Offer", "dfc-b:hasPrice": price},
        **members,
    }


def create(farm: Farm, document: Any, path: str = "/api/dfc/Enterprises/shop/SuppliedProducts") -> Any:
    return request(farm.shop, farm.token, path, method="POST", json=document)


def test_a_document_is_read_before_the_turn_to_write(farm: Farm) -> None:
    """While others write, so that a large one holds nobody up: its mistakes are told meanwhile."""
    with farm.shop.instance.store.write():
        answer = create(farm, a_new_product(**{"dfc-b:hasType": "dfc-pt:nothing-of-the-kind"}))
    assert answer.status_code == 422, answer.text


def test_a_new_product_is_there_with_its_stock_and_price_once(farm: Farm) -> None:
    answer = create(farm, a_new_product())
    assert answer.status_code == 201, answer.text
    address = answer.headers["Location"]
    assert address.startswith("http://testserver/api/dfc/Enterprises/shop/SuppliedProducts/")
    document = read(farm.get(address.removeprefix("http://testserver")).content)
    (product,), (offer,) = document.all(DfcProduct), document.all(DfcOffer)
    assert (product.name, product.stock, product.iri) == ("Leeks", Decimal(20), address)
    assert offer.price is not None
    assert (offer.price.amount, offer.price.vat_rate) == (450, Decimal("5.5"))
    again = create(farm, a_new_product())
    assert (again.status_code, again.json()["code"]) == (409, "exists")


def test_a_new_product_with_mistakes_is_not_created_and_each_is_named(farm: Farm) -> None:
    document = a_new_product(**{"dfc-b:hasType": "dfc-pt:unobtainium"})
    del document["dfc-b:offeredThrough"]
    answer = create(farm, document)
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json()["errors"]} == {"unknown_category", "no_vat", "no_price"}
    assert errors_of(answer)["$['dfc-b:hasType']"] == "unknown_category"
    hub = farm.shop.neighbour()
    assert (
        request(hub, hub.token, "/api/dfc/enterprises/shop/supplied_products", method="POST", json={}).status_code
        == 404
    )


# ------------------------------------------------------------------------------------------ who


def test_a_hub_that_lists_a_producers_goods_sets_its_price_alone(farm: Farm) -> None:
    hub = farm.shop.neighbour()
    with farm.shop.instance.store.write() as tx:
        item_id = _list_honey(tx, farm, hub)
    farm.token, path = hub.token, f"/api/dfc/catalog_items/{item_id}"
    document: dict[str, Any] = {"@context": CONTEXT, "dfc-b:name": "Our honey", "dfc-b:stockLimitation": 50}
    assert errors_of(farm.put(path, document)) == {"$['dfc-b:stockLimitation']": "not_yours"}
    del document["dfc-b:stockLimitation"]
    document["dfc-b:offeredThrough"] = {"@type": "dfc-b:Offer", "dfc-b:price": "11"}
    assert farm.put(path, document).status_code == 200
    with farm.shop.instance.store.read() as tx:
        item = item_by_id(tx, hub.id, item_id)
    assert (item.name, item.offers[0].price, farm.price_of("honey"), farm.lot_of("honey").free) == (
        "Our honey",
        1100,
        800,
        3,
    )


def _list_honey(tx: Any, farm: Farm, hub: Shop) -> str:
    for scope in ("ReadProducts", "WriteOrders"):
        grant(tx, grantor_id=farm.shop.id, grantee_id=hub.id, scope=scope)
    (catalog,) = catalogs_of(tx, hub.id)
    return add_item(tx, hub.id, catalog.id, farm.product_of("honey").id).id


def test_the_request_in_open_food_networks_description_works_here(farm: Farm) -> None:
    """With the old context of that request in full."""
    static = "http://static.datafoodconsortium.org/ontologies"
    prefixes = {
        "dfc-b": f"{static}/DFC_BusinessOntology.owl#",
        "dfc-p": f"{static}/DFC_ProductOntology.owl#",
        "dfc-b:hasUnit": {"@type": "@id"},
        "dfc-b:references": {"@type": "@id"},
        "dfc-b:offeres": {"@type": "@id"},
    }
    document = {"@context": prefixes, "dfc-b:stockLimitation": "30", "dfc-b:sku": "new-sku"}
    answer = farm.put(f"/api/dfc/enterprises/shop/catalog_items/{farm.shop.items['honey']}", document)
    assert answer.status_code == 200, answer.text
    assert (farm.lot_of("honey").free, farm.product_of("honey").sku) == (30, "new-sku")
