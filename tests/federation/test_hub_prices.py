"""What a hub elsewhere pays and what it asks: prices by the producer's customer categories, and the hub's margin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.base.errors import Invalid, NotFound
from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.listings import listed_for
from commensal.catalogs.offers import set_price
from commensal.catalogs.product_listing import Listing, list_products
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.enterprises import change_enterprise
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.parts.accounts.operators import add_operator
from commensal.parts.serving.app import make_app
from commensal.parts.supply.owed import owed_at_session
from commensal.products.products import create_product
from commensal_federation.catalogue.grants import follow, give_grant
from commensal_federation.catalogue.listings import list_all
from commensal_federation.grants.questions import grants_between
from commensal_federation.messages.catalogue import Grant
from commensal_federation.testing import Region

from .trading import Hub, Producer

PEERS = ("ab",)


def category(farm: Producer, name: str, price: int) -> str:
    """Creates a customer category of the farm, with its own price for the apples."""
    with farm.write() as tx:
        category_id = create_category(tx, "farm", name=name).id
        set_price(tx, "farm", farm.item, price, category_id=category_id)
    return category_id


def grant_of(hub: Hub) -> Grant:
    with hub.read() as tx:
        (grant,) = grants_between(tx, enterprise_id="hub", direction="received")
    return grant


def follow_farm(hub: Hub, farm: Producer, margin: str) -> str:
    """Makes the hub's catalog follow the farm. Returns the resulting item."""
    with hub.write() as tx:
        list_all(hub.federation, tx, follow(tx, "hub", grant_of(hub).id, "hub-catalog", Decimal(margin)))
    ((item,),) = [listing.item_ids for listing in hub.received(farm)]
    return item


def price(hub: Hub, item: str) -> int:
    with hub.read() as tx:
        (listing,) = listed_for(tx, "hub", None, item_ids=[item])
    return listing.price


def owner_of(hub: Hub, scopes: set[str]) -> TestClient:
    store = hub.instance.store
    ann = add_operator(store, email="ann@example.org", name="Ann", password="a long enough one", language="en")
    with hub.write() as tx:
        tx.execute(insert(enterprise_member).values(enterprise_id="hub", person_id=ann.id, role="owner", since=tx.now))
        token = make_token(tx, ann.id, name="Tests", scopes=frozenset(scopes))
    return TestClient(make_app(hub.instance), headers={"Authorization": f"Bearer {token.secret}"})


def test_a_hub_sees_the_price_of_the_category_that_it_was_granted(farm: Producer, hub: Hub) -> None:
    farm.grant(hub, category_id=category(farm, "Wholesale", 1700))
    assert [listing.price for listing in hub.received(farm)] == [1700]


def test_a_category_gets_dearer_and_its_hubs_hear_of_it(farm: Producer, hub: Hub) -> None:
    wholesale = category(farm, "Wholesale", 1700)
    farm.grant(hub, category_id=wholesale)
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 1750, category_id=wholesale)
        set_price(tx, "farm", farm.item, 9900)  # the price for everybody else, not for this hub
    farm.region.work()
    assert [listing.price for listing in hub.received(farm)] == [1750]


def test_a_grant_that_is_given_again_with_another_category_has_its_prices(farm: Producer, hub: Hub) -> None:
    farm.grant(hub, category_id=category(farm, "Wholesale", 1700))
    with farm.write() as tx:
        peer = farm.region.peer("a", "b").id
        new_grant = give_grant(farm.federation, tx, "farm", peer, hub.iri, "hub", category_id=None)
    farm.region.work()
    assert grant_of(hub).state == "accepted", "its people said yes before, and need not again"
    assert [listing.price for listing in hub.received(farm)] == [2000]
    assert new_grant.category_id is None


def test_a_category_of_somebody_else_cannot_be_granted(farm: Producer, hub: Hub, region: Region) -> None:
    other_farm = Producer(region, "a", "other")
    with other_farm.write() as tx:
        other_category = create_category(tx, "other", name="Friends").id
    with farm.write() as tx, pytest.raises(NotFound, match="no such customer category"):
        give_grant(farm.federation, tx, "farm", region.peer("a", "b").id, hub.iri, "hub", category_id=other_category)


def test_a_catalog_follows_the_producers_prices_with_a_margin(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = follow_farm(hub, farm, "12.5")
    assert price(hub, item) == 2250
    with hub.write() as tx:
        change_item(tx, "hub", item, item_by_id(tx, "hub", item).version, name="Apples from the hill")
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 2100)
    farm.region.work()
    assert price(hub, item) == 2363, "half a cent is rounded up"
    with hub.read() as tx:
        assert item_by_id(tx, "hub", item).name == "Apples from the hill"


def test_a_hub_owes_a_producer_elsewhere_its_price_and_not_its_own(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = hub.sell(farm, price=2500)
    hub.order(item, 2)
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 2100)
    farm.region.work()
    hub.order(item, 1)
    with hub.read() as tx:
        (owed,) = owed_at_session(tx, "hub", "hub-session")
    assert owed.total == 2 * 2000 + 2100


def test_goods_that_a_farm_lists_after_its_grant_reach_the_hub_at_once(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    with farm.write() as tx:
        pears = create_product(
            tx,
            enterprise_id="farm",
            name="Pears",
            product_type="fruit",
            quantity=Decimal(1),
            unit="Piece",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(5),
        )
        list_products(tx, "farm", "farm-catalog", [Listing(product_id=pears.id, price=300)])
    farm.region.work()
    assert [item.name for item in hub.received(farm)] == ["Apples", "Pears"]


def test_a_hub_whose_prices_leave_vat_out_lists_the_producers_prices_without_it(farm: Producer, hub: Hub) -> None:
    with hub.write() as tx:
        change_enterprise(tx, "hub", 1, prices_include_vat=False)
    farm.grant(hub)
    assert price(hub, follow_farm(hub, farm, "25")) == 2370, "20.00 with 5.5 percent of VAT are 18.96 without"


@pytest.mark.parametrize("margin", ["-100.01", "1000.5", "NaN", "Infinity"])
def test_a_margin_that_makes_no_price_is_refused(farm: Producer, hub: Hub, margin: str) -> None:
    farm.grant(hub)
    with hub.write() as tx, pytest.raises(Invalid, match="between -100 and 1000 percent"):
        follow(tx, "hub", grant_of(hub).id, "hub-catalog", Decimal(margin))


def test_over_the_api_a_wrong_margin_is_named_and_nothing_follows(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    client = owner_of(hub, {"catalogs:write"})
    url = f"/api/-/federation/enterprises/hub/grants/{grant_of(hub).id}/following"
    for margin in ("-200", "NaN"):
        answer = client.put(url, json={"catalog_id": "hub-catalog", "margin": margin})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/margin")
    refusal = client.put(url, json={"catalog_id": None, "margin": "10"})
    assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (422, "margin")
    assert grant_of(hub).catalog_id is None
    assert client.put(url, json={"catalog_id": "hub-catalog", "margin": "10"}).status_code == 200
    assert grant_of(hub).margin == Decimal(10)
