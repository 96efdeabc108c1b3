"""Prices with VAT and without cross between a farm, Open Food Network, a portal and a hub, and stay what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from commensal import enterprise_by_id
from commensal.base.clock import ManualClock
from commensal.catalogs.items import item_by_id, items_of
from commensal.enterprises.tables import enterprise
from commensal.instance import Instance
from commensal.parts.product_lists import Defaults
from commensal_federation.dfc.importing import plan_document
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcLine, DfcOffer
from commensal_federation.linked_catalogues.backorders.sums import platform_differences_at
from commensal_federation.linked_catalogues.links import linked_products
from commensal_federation.platforms.scopes import grant_scopes
from commensal_federation.runtime import federation_of

from .farm import Farm
from .oidc import SECRET
from .open_food_network import OpenFoodNetwork
from .ordering import Buying, an_instance
from .portal import Portal, PortalGood

BASES = pytest.mark.parametrize("with_vat", [True, False], ids=["with VAT", "without VAT"])
SOLD = pytest.mark.parametrize("farm_with_vat", [True, False], ids=["farm with VAT", "farm without VAT"])


def set_basis(instance: Instance, enterprise_id: str, with_vat: bool) -> None:
    with instance.store.write() as tx:
        mine = enterprise.c.id == enterprise_id
        tx.execute(update(enterprise).where(mine).values(prices_include_vat=with_vat))


@pytest.fixture
def hub(tmp_path: Path, sqlite_template: Path, clock: ManualClock, with_vat: bool) -> Iterator[Buying]:
    instance = an_instance(tmp_path, sqlite_template, clock, "http://hub.example", "127.0.0.1")
    hub = Buying(instance, clock)
    set_basis(instance, "hub", with_vat)
    yield hub
    instance.close()


def link_farm(hub: Buying, farm: Farm) -> str:
    federation = federation_of(farm.instance)
    (issuer,) = federation.settings.oidc_issuers
    oidc: dict[str, Any] = {"auth": "oidc", "issuer": issuer.issuer, "client_id": "hub-client", "secret": SECRET}
    return hub.link(f"{federation.base}/api/dfc/enterprises/farm/catalog_items", **oidc)


def copied_prices(hub: Buying, link_id: str) -> dict[str, int]:
    with hub.instance.store.read() as tx:
        names = {item: name for name, item in hub.items.items()}
        sold = {names[id]: item_by_id(tx, "hub", id).offers[0].price for id in names}
        linked = {each.product_id: each.price for each in linked_products(tx, link_id)}
    assert sorted(sold.values()) == sorted(linked.values()), "the margin is nothing"
    return sold


@SOLD
def test_open_food_network_sells_at_the_price_with_vat(farm: Farm, farm_with_vat: bool) -> None:
    """Twenty euros without 5.5 % of VAT: a shop that cannot say which price it reads must not sell at 20.00."""
    set_basis(farm.instance, "farm", farm_with_vat)
    network = OpenFoodNetwork(farm.oidc.token("hub-client"))
    network.import_catalogue(f"{federation_of(farm.instance).base}/api/dfc/Enterprises/farm/SuppliedProducts")
    price = 20.0 if farm_with_vat else 21.1
    assert network.variants["Apples"].price == price
    network.order({"Apples": 2})
    (order,) = farm.orders
    assert order.total == (4000 if farm_with_vat else 4220)
    answer = httpx.get(network.order_link, headers={"Authorization": f"Bearer {network.token}"}, trust_env=False)
    line = read(answer.content).one(DfcLine)
    assert line.price is not None
    assert (line.price.amount, line.price.includes_vat) == (round(price * 100), True)


@BASES
@SOLD
def test_a_hub_pays_what_the_farm_asks_whichever_prices_both_keep(
    farm: Farm, farm_with_vat: bool, hub: Buying, with_vat: bool
) -> None:
    set_basis(farm.instance, "farm", farm_with_vat)
    link_id = link_farm(hub, farm)
    expected = {(True, True): 2000, (False, True): 2110, (False, False): 2000, (True, False): 1896}
    assert copied_prices(hub, link_id)["Apples"] == expected[farm_with_vat, with_vat]
    hub.order({"Apples": 2})
    hub.minutes()
    hub.close()
    (line,) = hub.backorder.lines
    assert (line.price, line.told_price) == (expected[farm_with_vat, with_vat],) * 2
    with hub.instance.store.read() as tx:
        assert platform_differences_at(tx, "hub", "hub-session") == []
    hub.sound()


@BASES
@pytest.mark.parametrize("said", [True, False], ids=["with VAT there", "without VAT there"])
def test_people_say_which_prices_a_platform_has_that_does_not(hub: Buying, with_vat: bool, said: bool) -> None:
    """Vinegar at 2.50 with 5.5 % of VAT there; a case of six costs 12.00. What we send back is what was listed."""
    goods = {"1": PortalGood("Beans"), "2": PortalGood("Vinegar", pieces=6, case_price="12.00")}
    with Portal(goods) as portal:
        link_id = hub.link(portal.catalogue, prices_include_vat=said)
        beans = {(True, True): 250, (False, True): 264, (True, False): 237, (False, False): 250}
        vinegar = {(True, True): 200, (False, True): 211, (True, False): 190, (False, False): 200}
        pair = (said, with_vat)
        prices = copied_prices(hub, link_id)
        assert (prices["Beans"], prices["Vinegar"]) == (beans[pair], vinegar[pair])
        hub.order({"Beans": 1, "Vinegar": 6})
        hub.minutes()
        sent = read(portal.sent[-1])
        lines = [(row.price.amount, row.price.includes_vat) for row in sent.all(DfcLine) if row.price]
        assert sorted(lines) == [(250, said), (1200, said)]
        told = {line.name: (line.told_price, line.price) for line in hub.backorder.lines}
        assert all(answer == listed for answer, listed in told.values()), told


@SOLD
def test_a_platform_that_sends_back_what_it_has_read_changes_nothing(farm: Farm, farm_with_vat: bool) -> None:
    set_basis(farm.instance, "farm", farm_with_vat)
    with farm.instance.store.write() as tx:
        grant_scopes(federation_of(farm.instance), tx, "farm", "hub", ["WriteProducts"])
        (offer,) = item_by_id(tx, "farm", farm.apples).offers
    url = f"{federation_of(farm.instance).base}/api/dfc/offers/{offer.id}"
    headers = {"Authorization": f"Bearer {farm.oidc.token('hub-client')}"}
    before = httpx.get(url, headers=headers, trust_env=False)

    def put(document: Any) -> int:
        tags = {"If-Match": "*", "Content-Type": "application/ld+json"}
        answer = httpx.put(url, headers=headers | tags, json=document, trust_env=False)
        assert answer.status_code == 200, answer.text
        with farm.instance.store.read() as tx:
            return item_by_id(tx, "farm", farm.apples).offers[0].price

    assert put(before.json()) == 2000
    (sent,) = (each for each in read(before.content).all(DfcOffer) if each.iri == url)
    assert sent.price is not None
    assert sent.price.amount == (2000 if farm_with_vat else 2110)
    euros = {"@type": "dfc-b:Price", "dfc-b:hasUnit": "dfc-m:Euro"}
    context = before.json()["@context"]
    simple = {"@context": context, "@id": url, "@type": "dfc-b:Offer"}
    assert put(simple | {"dfc-b:hasPrice": {**euros, "dfc-b:value": "42.20"}}) == (4220 if farm_with_vat else 4000)


@SOLD
def test_a_list_of_prices_is_taken_in_as_the_enterprise_keeps_its_own(farm: Farm, farm_with_vat: bool) -> None:
    set_basis(farm.instance, "farm", farm_with_vat)
    with Portal({"1": PortalGood("Beans", price="10.55")}) as portal:
        document = read(httpx.get(portal.catalogue, trust_env=False).content)
    defaults = Defaults(category="fruit")
    for stated, price in ((True, 1055 if farm_with_vat else 1000), (False, 1113 if farm_with_vat else 1055)):
        with farm.instance.store.read() as tx:
            planned = plan_document(
                tx,
                "https://farm.example",
                enterprise_by_id(tx, "farm"),
                document,
                defaults=defaults,
                prices_include_vat=stated,
            )
        with farm.instance.store.write() as tx:
            planned.commit(tx)
            catalog = items_of(tx, "farm", "farm-catalog")
        assert catalog[-1].offers[0].price == price
