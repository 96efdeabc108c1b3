"""Other platforms read here what they may, in the version that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from commensal.instance.settings import InstanceSettings, LimitSettings
from commensal.testing.shop import Shop
from commensal.trade.catalogs.items import change_item, item_by_id
from commensal.trade.catalogs.offers import remove_price, set_price
from commensal.trade.stock.lots import lots_of
from commensal.trade.stock.movements import receive_stock
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


def got(shop: Shop, path: str, *, accept: str = "*/*") -> DfcDocument:
    answer = shop.client.get(path, headers={"Authorization": f"Bearer {shop.token}", "Accept": accept})
    assert answer.status_code == 200, answer.text
    return read(answer.content)


def test_people_read_of_their_own_enterprises(shop: Shop) -> None:
    listed = got(shop, "/api/dfc/enterprises")
    alone = got(shop, f"/api/dfc/enterprises/{shop.id}")
    assert listed.one(DfcEnterprise) == alone.one(DfcEnterprise)
    assert len(alone.all(DfcProduct)) == 5
    assert got(shop, f"/api/dfc/addresses/{shop.id}").one(DfcAddress).country == "FR"


@pytest.mark.parametrize("what", ["supplied_products", "catalog_items"])
def test_goods_are_for_those_who_may_read_them(shop: Shop, what: str) -> None:
    path = f"/api/dfc/enterprises/{shop.id}/{what}"
    assert shop.client.get(path).status_code == 401
    assert len(got(shop, path).all(DfcProduct)) == 5


def test_a_catalogue_has_prices_and_what_is_left(shop: Shop) -> None:
    catalogue = got(shop, f"/api/dfc/enterprises/{shop.id}/catalog_items")
    prices = {row.item: row.price for row in catalogue.all(DfcOffer)}
    (honey,) = (row for row in catalogue.all(DfcItem) if row.stock == 3)
    price = prices[honey.iri]
    assert price == DfcPrice(amount=800, currency="EUR", vat_rate=Decimal("5.5"))


def test_version_2_is_given_to_who_asks_for_it(shop: Shop) -> None:
    path = f"/api/dfc/enterprises/{shop.id}/supplied_products"
    old, new = got(shop, path), got(shop, path, accept=V2)
    assert (old.version, new.version) == ("1.16", "2.0")
    assert old.things == new.things
    (members,) = new.containers.values()
    assert list(members) == [row.iri for row in new.all(DfcProduct)]
    assert len(new.all(DfcLot)) == 5


def test_who_has_the_same_already_is_told_so(shop: Shop) -> None:
    path = f"/api/dfc/enterprises/{shop.id}"
    bearer = {"Authorization": f"Bearer {shop.token}"}
    first = shop.client.get(path, headers=bearer)
    again = shop.client.get(path, headers={**bearer, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_instance_says_what_it_is_and_where_things_are(shop: Shop) -> None:
    webid = shop.client.get("/webid").json()
    assert webid["@type"] == ["dfc-t:Platform", "foaf:Agent"]
    places = shop.client.get("/.well-known/dfc/").json()
    assert "/api/dfc/enterprises" in places.values()
    named = {scope.partition("scopes.rdf#")[2] for scope in places}
    assert named == {"ReadEnterprise", "ReadProducts", "ReadOrders", "WriteOrders"}


def _price(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], 260)


def _ordered(shop: Shop) -> None:
    shop.order({"carrots": 1})


def _moved_from_one_lot_to_another(shop: Shop) -> None:
    shop.order({"juice": 1})
    with shop.instance.store.write() as tx:
        lots = {lot.name: lot.id for lot in lots_of(tx, shop.id)}
        receive_stock(tx, shop.id, lots["soap"], Decimal(1))


def _named(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        item = item_by_id(tx, shop.id, shop.items["carrots"])
        change_item(tx, shop.id, item.id, item.version, name="Our carrots")


def _hidden_price(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        remove_price(tx, shop.id, shop.items["soap"])


@pytest.mark.parametrize("change", [_price, _ordered, _moved_from_one_lot_to_another, _named, _hidden_price])
def test_the_tag_of_a_catalogue_changes_with_whatever_it_says(shop: Shop, change: Callable[[Shop], None]) -> None:
    path, bearer = f"/api/dfc/enterprises/{shop.id}/catalog_items", {"Authorization": f"Bearer {shop.token}"}
    first = shop.client.get(path, headers=bearer)
    known = {**bearer, "If-None-Match": first.headers["ETag"]}
    assert shop.client.get(path, headers=known).status_code == 304
    assert shop.client.get(path, headers={**known, "Accept": V2}).status_code == 200
    change(shop)
    second = shop.client.get(path, headers=known)
    assert second.status_code == 200
    assert second.content != first.content
