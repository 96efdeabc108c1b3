"""Open Food Network orders at a farm here, over HTTP with tokens of an OpenID Connect server: it imports the catalogue,
orders, amends, empties, completes, looks its order up, and follows stock. Both ways in which it derives addresses work.
"""

from __future__ import annotations

import httpx
import pytest

from commensal.orders.values import Order
from commensal_federation.runtime import federation_of

from .farm import Farm
from .open_food_network import OpenFoodNetwork, Release

# The catalogue that people name, for each release of Open Food Network that reads it.
CATALOGUES: list[tuple[Release, str]] = [
    ("5.7", "/api/dfc/Enterprises/farm/SuppliedProducts"),
    ("5.7", "/api/dfc/enterprises/farm/catalog_items"),
    ("14423", "/api/dfc/Enterprises/farm/SuppliedProducts"),
    ("14423", "/api/dfc/enterprises/farm/catalog_items"),
    ("14423", "/api/dfc/enterprises/farm/supplied_products"),
    ("14423", "/api/dfc/catalog_items"),
    ("14423", "/api/dfc/supplied_products"),
]
LISTS = sorted({path for _, path in CATALOGUES} | {"/api/dfc/Enterprises/farm/CatalogItems"})


@pytest.fixture(params=CATALOGUES, ids=lambda entry: f"{entry[0]} {entry[1]}")
def ofn(farm: Farm, request: pytest.FixtureRequest) -> OpenFoodNetwork:
    release, path = request.param
    network = OpenFoodNetwork(farm.oidc.token("hub-client"), release)
    network.import_catalogue(address(farm, path))
    return network


def address(farm: Farm, path: str) -> str:
    return f"{federation_of(farm.instance).base}{path}"


def pieces(order: Order) -> dict[str, int]:
    return {line.name: line.quantity for line in order.lines if line.quantity}


def test_open_food_network_orders_amends_and_completes(farm: Farm, ofn: OpenFoodNetwork) -> None:
    assert {name: (row.price, row.stock) for name, row in ofn.variants.items()} == {
        "Apples": (20.0, 40.0),
        "Honey": (20.0, None),
    }
    ofn.order({"Apples": 4})
    assert ofn.order_link.startswith(f"{ofn.urls.orders}/")
    assert [pieces(order) for order in farm.orders] == [{"Apples": 4}]
    first_link = ofn.order_link
    ofn.order({"Apples": 6, "Honey": 1})
    ofn.sync_stock()
    assert ofn.variants["Apples"].stock == farm.free == 34
    objects = ofn.look_up()
    assert objects[first_link]["dfc-b:hasOrderStatus"] == "dfc-v:Held"
    ofn.complete()
    (order,) = farm.orders
    assert pieces(order) == {"Apples": 6, "Honey": 1}
    assert ofn.look_up()[first_link]["dfc-b:hasOrderStatus"] == "dfc-v:Complete"


def test_open_food_network_finds_its_order_in_the_list_if_it_has_lost_the_address(
    farm: Farm, ofn: OpenFoodNetwork
) -> None:
    """There is no such list where a release sends orders to the address of the products."""
    if ofn.urls.orders == ofn.urls.catalogue:
        assert not [node for node in ofn.read(ofn.urls.orders).values() if node["@type"] == "dfc-b:Order"]
        return
    ofn.order({"Apples": 4})
    link, ofn.order_link = ofn.order_link, ""
    ofn.order({"Apples": 5})
    assert ofn.order_link == link
    assert [pieces(order) for order in farm.orders] == [{"Apples": 5}]


def test_open_food_network_empties_its_order_and_fills_it_again(farm: Farm, ofn: OpenFoodNetwork) -> None:
    ofn.order({"Apples": 4})
    link = ofn.order_link
    emptied = ofn.order({"Apples": 0})
    assert emptied is not None
    assert (emptied["@id"], emptied["dfc-b:hasOrderStatus"]) == (link, "dfc-v:Held")
    assert "dfc-b:hasPart" not in emptied
    assert farm.free == 40
    ofn.order({"Apples": 3})
    assert (ofn.order_link, farm.free) == (link, 37)
    assert [pieces(order) for order in farm.orders if order.state != "Cancelled"] == [{"Apples": 3}]


def test_an_order_that_is_completed_without_lines_is_cancelled(farm: Farm, ofn: OpenFoodNetwork) -> None:
    ofn.order({"Apples": 4})
    completed = ofn.order({"Apples": 0}, state="Complete")
    assert completed is not None
    assert completed["dfc-b:hasOrderStatus"] == "dfc-v:Cancelled"
    assert farm.free == 40
    ofn.order({"Apples": 1})
    assert [pieces(order) for order in farm.orders if order.state != "Cancelled"] == [{"Apples": 1}]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_of_products_is_a_whole_catalogue(farm: Farm, path: str) -> None:
    network = OpenFoodNetwork(farm.oidc.token("hub-client"))
    network.import_catalogue(address(farm, path))
    assert sorted(network.variants) == ["Apples", "Honey"]


@pytest.mark.parametrize("path", LISTS)
def test_each_product_is_found_at_its_own_address(farm: Farm, path: str) -> None:
    network = OpenFoodNetwork(farm.oidc.token("hub-client"))
    network.import_catalogue(address(farm, path))
    for variant in list(network.variants.values()):
        alone = OpenFoodNetwork(network.token)
        alone.import_catalogue(variant.link)
        assert alone.variants == {variant.name: variant}


def test_without_a_token_nothing_is_shown_at_any_address(farm: Farm) -> None:
    paths = [*LISTS, "/api/dfc/orders", "/api/dfc/Enterprises/farm/Orders", "/api/dfc/Enterprises/farm"]
    for path in paths:
        assert httpx.get(address(farm, path), trust_env=False).status_code == 401, path
