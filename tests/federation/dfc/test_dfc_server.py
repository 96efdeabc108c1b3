"""Other platforms read here what they may, in the version that they request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.offers import remove_price, set_price
from commensal.instance.settings import InstanceSettings, LimitSettings
from commensal.stock.lots import lots_of
from commensal.stock.movements import receive_stock
from commensal.testing.placed import a_lot, an_item
from commensal.testing.shop import Shop
from commensal_federation.dfc.iris import lot_iri
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import (
    DfcAddress,
    DfcEnterprise,
    DfcItem,
    DfcLot,
    DfcOffer,
    DfcPrice,
    DfcProduct,
)

V2 = 'application/ld+json; profile="dfc-v2"'


@pytest.fixture
def settings() -> InstanceSettings:
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    plugins = {"enabled": ["federation"]}
    return InstanceSettings(name="Test", base_url="http://testserver", language="en", limits=limits, plugins=plugins)


def get_document(shop: Shop, path: str, *, accept: str = "*/*") -> DfcDocument:
    answer = shop.client.get(path, headers={"Authorization": f"Bearer {shop.token}", "Accept": accept})
    assert answer.status_code == 200, answer.text
    return read(answer.content)


def test_people_read_of_their_own_enterprises(shop: Shop) -> None:
    enterprises = get_document(shop, "/api/dfc/enterprises")
    enterprise = get_document(shop, f"/api/dfc/enterprises/{shop.id}")
    assert enterprises.one(DfcEnterprise) == enterprise.one(DfcEnterprise)
    assert len(enterprise.all(DfcProduct)) == 5
    assert get_document(shop, f"/api/dfc/addresses/{shop.id}").one(DfcAddress).country == "FR"


@pytest.mark.parametrize("resource", ["supplied_products", "catalog_items"])
def test_goods_are_for_those_who_may_read_them(shop: Shop, resource: str) -> None:
    path = f"/api/dfc/enterprises/{shop.id}/{resource}"
    assert shop.client.get(path).status_code == 401
    assert len(get_document(shop, path).all(DfcProduct)) == 5


def test_a_catalogue_has_prices_and_what_is_left(shop: Shop) -> None:
    catalogue = get_document(shop, f"/api/dfc/enterprises/{shop.id}/catalog_items")
    prices = {row.item: row.price for row in catalogue.all(DfcOffer)}
    (honey,) = (row for row in catalogue.all(DfcItem) if row.stock == 3)
    price = prices[honey.iri]
    assert price == DfcPrice(amount=800, currency="EUR", vat_rate=Decimal("5.5"), includes_vat=True)


def test_version_2_is_given_to_who_asks_for_it(shop: Shop) -> None:
    path = f"/api/dfc/enterprises/{shop.id}/supplied_products"
    old_version, new_version = get_document(shop, path), get_document(shop, path, accept=V2)
    assert (old_version.version, new_version.version) == ("1.16", "2.0")
    assert old_version.things == new_version.things
    (members,) = new_version.containers.values()
    assert list(members) == [row.iri for row in new_version.all(DfcProduct)]
    assert len(new_version.all(DfcLot)) == 5


def test_who_has_the_same_already_is_told_so(shop: Shop) -> None:
    path = f"/api/dfc/enterprises/{shop.id}"
    bearer = {"Authorization": f"Bearer {shop.token}"}
    first_answer = shop.client.get(path, headers=bearer)
    second_answer = shop.client.get(path, headers={**bearer, "If-None-Match": first_answer.headers["ETag"]})
    assert (second_answer.status_code, second_answer.content) == (304, b"")


def test_the_instance_says_what_it_is_and_where_things_are(shop: Shop) -> None:
    webid = shop.client.get("/webid").json()
    assert webid["@id"] == "http://testserver/webid#me"
    assert webid["@type"] == ["dfc-t:Platform", "foaf:Agent"]
    places = shop.client.get("/.well-known/dfc/").json()
    assert "/api/dfc/enterprises" in places.values()
    scope_names = {scope.partition("scopes.rdf#")[2] for scope in places}
    assert scope_names == {"ReadEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders"}
    for path in places.values():
        assert shop.client.get(path, headers={"Authorization": f"Bearer {shop.token}"}).status_code == 200, path


def test_pages_of_other_sites_may_read_only_what_is_public(shop: Shop) -> None:
    allowed = "access-control-allow-origin"
    assert shop.client.get("/webid").headers[allowed] == "*"
    assert shop.client.get("/.well-known/dfc/").headers[allowed] == "*"
    answer = shop.client.get("/api/dfc/enterprises", headers={"Authorization": f"Bearer {shop.token}"})
    assert (answer.status_code, allowed in answer.headers) == (200, False)


def test_a_script_of_another_site_learns_why_a_public_page_refuses_it(shop: Shop) -> None:
    answer = shop.client.get("/webid", headers={"Accept": "text/turtle", "Origin": "https://portal.example"})
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (406, "*")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/turtle", 406),
        ("application/rdf+xml, text/html", 406),
        ("text/turtle, */*;q=0.1", 200),
        ("application/json", 200),
        ("application/*", 200),
        ("", 200),
        (V2, 200),
    ],
)
def test_who_accepts_no_json_is_told_so(shop: Shop, accept: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {shop.token}", "Accept": accept}
    assert shop.client.get("/api/dfc/enterprises", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/turtle", 415),
        ("application/xml", 415),
        ("application/json", 422),
        ("application/ld+json", 422),
        ("", 422),
    ],
)
def test_what_says_that_it_is_no_json_is_not_read(shop: Shop, content_type: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": content_type}
    assert shop.client.post("/api/dfc/orders", content=b"{}", headers=headers).status_code == status


@pytest.mark.parametrize("body", [b"{", b'{"@context": "https://unknown.example/"}', b"[]", b"\xff"])
def test_an_unreadable_document_is_the_callers_mistake_and_no_failure_of_ours(shop: Shop, body: bytes) -> None:
    answer = shop.client.post("/api/dfc/orders", content=body, headers={"Authorization": f"Bearer {shop.token}"})
    assert answer.status_code == 422
    assert answer.json()["title"]
    assert shop.instance.hooks.failures == []


def test_sizes_of_one_lot_are_variants_of_what_they_share(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        lot = a_lot(tx, shop.id, name="Potatoes", unit="Kilogram", on_hand="50")
        for name, kilos in (("Small bag", 2), ("Large bag", 5)):
            size = Decimal(kilos)
            an_item(tx, lot, shop.id, name=name, grains=1000 * kilos, quantity=size, unit="Kilogram")
    catalogue = get_document(shop, f"/api/dfc/enterprises/{shop.id}/catalog_items")
    group = f"http://testserver/api/dfc/product_groups/{lot}"
    bags = [product for product in catalogue.all(DfcProduct) if product.variant_of == group]
    assert sorted(product.name for product in bags) == ["Large bag", "Small bag"]
    shared = catalogue.get(DfcProduct, group)
    assert shared is not None
    assert (shared.name, shared.quantity) == ("Potatoes", None)
    assert [product.variant_of for product in catalogue.all(DfcProduct)].count(None) == 6, "goods of one size, and this"
    assert len(get_document(shop, group).all(DfcProduct)) == 3
    for bag in bags:
        alone = get_document(shop, bag.iri).get(DfcProduct, bag.iri)
        assert alone == replace(bag, lot=lot_iri("http://testserver", lot))
    assert shop.client.get(group).status_code == 401


def _change_price(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], 260)


def _place_order(shop: Shop) -> None:
    shop.order({"carrots": 1})


def _move_between_lots(shop: Shop) -> None:
    shop.order({"juice": 1})
    with shop.instance.store.write() as tx:
        lots = {lot.name: lot.id for lot in lots_of(tx, shop.id)}
        receive_stock(tx, shop.id, lots["soap"], Decimal(1))


def _rename_item(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        item = item_by_id(tx, shop.id, shop.items["carrots"])
        change_item(tx, shop.id, item.id, item.version, name="Our carrots")


def _remove_price(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        remove_price(tx, shop.id, shop.items["soap"])


@pytest.mark.parametrize("change", [_change_price, _place_order, _move_between_lots, _rename_item, _remove_price])
def test_the_tag_of_a_catalogue_changes_with_whatever_it_says(shop: Shop, change: Callable[[Shop], None]) -> None:
    path, bearer = f"/api/dfc/enterprises/{shop.id}/catalog_items", {"Authorization": f"Bearer {shop.token}"}
    first_answer = shop.client.get(path, headers=bearer)
    conditional = {**bearer, "If-None-Match": first_answer.headers["ETag"]}
    assert shop.client.get(path, headers=conditional).status_code == 304
    assert shop.client.get(path, headers={**conditional, "Accept": V2}).status_code == 200
    change(shop)
    second_answer = shop.client.get(path, headers=conditional)
    assert second_answer.status_code == 200
    assert second_answer.content != first_answer.content


def test_a_persons_token_may_come_in_the_header_of_open_food_network(shop: Shop) -> None:
    path = "/api/dfc/enterprises/shop/catalog_items"
    answer = shop.client.get(path, headers={"X-Api-Token": shop.token})
    assert answer.status_code == 200
    assert "X-Api-Token" in answer.headers["Vary"]
    assert shop.client.get(path, headers={"X-Api-Token": "wrong"}).status_code == 401
    both = {"X-Api-Token": shop.token, "Authorization": "Bearer wrong"}
    assert shop.client.get(path, headers=both).status_code == 401
