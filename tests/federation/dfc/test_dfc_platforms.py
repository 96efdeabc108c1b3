"""A platform is identified by its issuer, and may do what an enterprise allows; nothing is public."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.routing import Route

from commensal.base.clock import ManualClock
from commensal.catalogs import products_of_items
from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.offers import remove_price, set_price
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.enterprises.enterprises import archive_enterprise, enterprise_by_id
from commensal.enterprises.members import list_members
from commensal.enterprises.tokens import make_token
from commensal.instance.settings import InstanceSettings
from commensal.stock.movements import movements_of
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcItem, DfcOffer, DfcProduct
from commensal_federation.platforms.container_pages import container_routes
from commensal_federation.platforms.server import dfc_routes

from .oidc import Oidc
from .platforms import an_order, grant_scopes, request, settings_with

PORTAL = "https://cdn.startinblox.com/owl/context-bis.jsonld"
FOR_EVERYBODY = ("/webid", "/.well-known/dfc/", "/users/{user}/webid")


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


def status(shop: Shop, token: str, path: str = "/api/dfc/enterprises/shop") -> int:
    return int(request(shop, token, path).status_code)


# ------------------------------------------------------------------------------------------ scopes


def test_every_route_is_denied_without_a_scope(shop: Shop, oidc: Oidc) -> None:
    token, order = oidc.token("litefarm"), an_order(shop, {"carrots": 1})
    routes_tried = 0
    for route in (*dfc_routes(shop.instance), *container_routes()):
        assert isinstance(route, Route)
        if route.path in FOR_EVERYBODY:
            continue
        path = route.path.format_map(Anything(enterprise="shop", platform="ofn"))
        for method in sorted((route.methods or set()) - {"HEAD"}):
            routes_tried += 1
            assert request(shop, "", path, method=method, json=order).status_code == 401, f"{method} {path}"
            answer = request(shop, token, path, method=method, json=order)
            if path == "/identity-service":  # leads to the caller's own WebID
                assert answer.url.path == "/users/litefarm/webid"
            elif answer.status_code == 200:  # a list of what the platform may see, which is empty
                assert all(node.get("ldp:contains") == [] for node in answer.json()["@graph"]), path
            else:
                assert answer.status_code in (401, 404), f"{method} {path}: {answer.text}"
    assert routes_tried > 20


class Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "any"


def test_what_an_enterprise_grants_opens_what_it_names(shop: Shop, oidc: Oidc) -> None:
    ofn = oidc.token("ofn-client")
    goods = "/api/dfc/enterprises/shop/supplied_products"
    assert (status(shop, ofn), status(shop, ofn, goods)) == (404, 404)
    grant_scopes(shop, "ofn", "ReadEnterprise")
    assert (status(shop, ofn), status(shop, ofn, goods)) == (200, 403)
    grant_scopes(shop, "ofn", "WriteProducts")
    assert (status(shop, ofn), status(shop, ofn, goods)) == (403, 200)
    assert status(shop, oidc.token("litefarm"), goods) == 404
    grant_scopes(shop, "ofn")
    assert (status(shop, ofn), status(shop, ofn, goods)) == (404, 404)


def test_a_platform_finds_the_enterprises_that_granted_it_a_look(shop: Shop, oidc: Oidc) -> None:
    neighbour = shop.neighbour()
    grant_scopes(neighbour, "ofn", "ReadEnterprise")
    things_listed = request(shop, oidc.token("ofn-client"), "/api/dfc/enterprises").json()["@graph"]
    assert [thing["dfc-b:name"] for thing in things_listed if thing["@type"] == "dfc-b:Enterprise"] == ["neighbour"]
    assert status(shop, oidc.token("ofn-client"), "/api/dfc/enterprises/neighbour") == 200
    assert status(shop, oidc.token("ofn-client")) == 404


def test_an_archived_enterprise_is_not_there_for_platforms(shop: Shop, oidc: Oidc) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise", "ReadProducts")
    assert status(shop, oidc.token("ofn-client")) == 200
    with shop.instance.store.write() as tx:
        archive_enterprise(tx, shop.id, enterprise_by_id(tx, shop.id).version)
    assert status(shop, oidc.token("ofn-client")) == 404
    assert request(shop, oidc.token("ofn-client"), "/api/dfc/enterprises").json()["@graph"] == []


def test_only_who_may_grant_does(shop: Shop, oidc: Oidc) -> None:
    answer = shop.try_to_ask("PUT", "/-/federation/platforms/ofn", {"scopes": ["ReadEverything"]})
    assert answer.status_code == 422
    assert "ReadEnterprise" in answer.text
    assert shop.try_to_ask("PUT", "/-/federation/platforms/nobody", {"scopes": []}).status_code == 404
    grant_scopes(shop, "ofn", "WriteEnterprise", "WriteProducts", "WriteOrders")
    path = "/api/dfc/enterprises/shop/platforms/litefarm"
    assert status(shop, oidc.token("ofn-client"), path) == 401


def test_portals_read_and_write_scopes_in_their_own_form(shop: Shop, oidc: Oidc) -> None:
    path = "/api/dfc/enterprises/shop/platforms/ofn"
    scopes = [
        {"@id": f"https://example.com/scopes/{name}", "@type": "dfc-t:Scope"} for name in ("ReadProducts", "ReadOrders")
    ]
    document = {"@context": PORTAL, "@id": path, "dfc-t:hasAssignedScopes": {"@type": "rdf:List", "@list": scopes}}
    answer = request(shop, shop.token, path, method="PUT", content=json.dumps(document))
    assert answer.status_code == 200, answer.text
    assert answer.json()["localId"] == "ofn"
    (first_platform, second_platform, *_) = request(shop, shop.token, "/api/dfc/enterprises/shop/platforms").json()[
        "dfc-t:platforms"
    ]["@list"]
    scope_iris = [scope["@id"] for scope in first_platform["dfc-t:hasAssignedScopes"]["@list"]]
    assert [iri.partition("scopes.rdf#")[2] for iri in scope_iris] == ["ReadProducts", "ReadOrders"]
    assert second_platform["dfc-t:hasAssignedScopes"]["@list"] == []
    assert shop.ask("GET", "/-/federation/platforms/ofn")["scopes"] == ["ReadProducts", "ReadOrders"]
    assert request(shop, shop.token, path, method="PUT", content=b"[]").status_code == 422


# ------------------------------------------------------------------------------------------ prices


def prices(shop: Shop, token: str, path: str = "/api/dfc/enterprises/shop/catalog_items") -> dict[str, list[int]]:
    """The prices that the caller sees, by the name of the product."""
    document = read(request(shop, token, path).content)
    shown: dict[str, list[int]] = {}
    for item in document.all(DfcItem):
        product = document.get(DfcProduct, item.product)
        offered = sorted(row.price.amount for row in document.all(DfcOffer) if row.price and row.item == item.iri)
        shown[product.name if product else ""] = offered
    return shown


def test_each_platform_sees_only_the_price_that_it_pays(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        hubs, schools = (create_category(tx, shop.id, name=name) for name in ("Hubs", "Schools"))
        customer = create_customer(tx, shop.id, email="hub@example.org", name="The hub", categories=[hubs.id])
        set_price(tx, shop.id, shop.items["carrots"], 150, category_id=hubs.id)
        set_price(tx, shop.id, shop.items["carrots"], 100, category_id=schools.id)
    grant_scopes(shop, "ofn", "ReadProducts", customer_id=customer.id)
    grant_scopes(shop, "litefarm", "ReadProducts")
    ofn, litefarm = oidc.token("ofn-client"), oidc.token("litefarm")
    for path in (
        "/api/dfc/enterprises/shop/catalog_items",
        "/api/dfc/Enterprises/shop/SuppliedProducts",
        "/api/dfc/catalog_items",
        "/api/dfc/catalogs/shop-catalog",
    ):
        assert prices(shop, ofn, path)["Carrots"] == [150], path
        assert prices(shop, litefarm, path)["Carrots"] == [250], path
    assert prices(shop, shop.token)["Carrots"] == [100, 150, 250], "the shop's people see all prices"
    for token in (ofn, litefarm):
        content = request(shop, token, "/api/dfc/enterprises/shop/supplied_products").text
        assert "CustomerCategory" not in content
        assert "dfc-b:offeredTo" not in content


def test_a_platform_hears_of_no_customer_category_but_its_own(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        hubs, club = (create_category(tx, shop.id, name=name) for name in ("Hubs", "Club"))
        customer = create_customer(tx, shop.id, name="Hub", email="hub@example.org", categories=[hubs.id])
    grant_scopes(shop, "ofn", "ReadEnterprise", "ReadProducts", customer_id=customer.id)
    token = oidc.token("ofn-client")
    for path in ("/api/dfc/customer_categories/{}", "/organizations/shop/customer-categories/{}/index"):
        assert [status(shop, token, path.format(row.id)) for row in (hubs, club)] == [200, 404]
        assert status(shop, shop.token, path.format(club.id)) == 200
    listed = request(shop, token, "/organizations/shop/customer-categories").text
    assert ("Hubs" in listed, "Club" in listed) == (True, False)


def test_an_offer_to_others_has_no_address_for_a_platform(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        schools = create_category(tx, shop.id, name="Schools")
        set_price(tx, shop.id, shop.items["carrots"], 100, category_id=schools.id)
        offers = {row.price: row.id for row in item_by_id(tx, shop.id, shop.items["carrots"]).offers}
    grant_scopes(shop, "ofn", "ReadProducts")
    token = oidc.token("ofn-client")
    assert status(shop, token, f"/api/dfc/offers/{offers[250]}") == 200
    assert status(shop, token, f"/api/dfc/offers/{offers[100]}") == 404
    assert status(shop, shop.token, f"/api/dfc/offers/{offers[100]}") == 200


def test_a_platform_sees_nothing_that_it_could_not_order(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        schools = create_category(tx, shop.id, name="Schools")
        change_item(tx, shop.id, shop.items["juice"], item_by_id(tx, shop.id, shop.items["juice"]).version, hidden=True)
        soap = item_by_id(tx, shop.id, shop.items["soap"])
        change_item(tx, shop.id, soap.id, soap.version, shown_to=[schools.id])
        remove_price(tx, shop.id, shop.items["honey"])
    grant_scopes(shop, "ofn", "ReadProducts")
    token = oidc.token("ofn-client")
    assert sorted(prices(shop, token)) == ["Carrots", "Chicken"]
    assert status(shop, token, f"/api/dfc/catalog_items/{shop.items['soap']}") == 404
    grant_scopes(shop, "ofn", "WriteProducts")
    assert len(prices(shop, token)) == 5, "who may change products sees all of them"


def test_the_tag_of_a_catalogue_differs_for_other_prices(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        hubs = create_category(tx, shop.id, name="Hubs")
        customer = create_customer(tx, shop.id, email="hub@example.org", name="The hub", categories=[hubs.id])
        set_price(tx, shop.id, shop.items["carrots"], 150, category_id=hubs.id)
    grant_scopes(shop, "ofn", "ReadProducts", customer_id=customer.id)
    path, token = "/api/dfc/enterprises/shop/catalog_items", oidc.token("ofn-client")
    tag = request(shop, token, path).headers["ETag"]
    assert request(shop, token, path, headers={"If-None-Match": tag}).status_code == 304
    grant_scopes(shop, "ofn", "ReadProducts")
    assert request(shop, token, path, headers={"If-None-Match": tag}).status_code == 200


# ------------------------------------------------------------------------------------------ accounts


def test_grants_to_an_account_of_a_platform_are_for_nobody_else_there(shop: Shop, oidc: Oidc) -> None:
    """Hub X and hub Y use the same platform; only X was granted anything."""
    grant_scopes(shop, "ofn-hub-x", "ReadProducts")
    path = "/api/dfc/enterprises/shop/catalog_items"
    hub_x = {"email": "x@hub.example", "email_verified": True}
    assert status(shop, oidc.token("ofn-client", **hub_x), path) == 200
    assert status(shop, oidc.token("ofn-client", sub="x@hub.example"), path) == 404
    assert status(shop, oidc.token("ofn-client", email="y@hub.example", email_verified=True), path) == 404
    assert status(shop, oidc.token("ofn-client", email="x@hub.example", email_verified=False), path) == 404
    assert status(shop, oidc.token("ofn-client", email="x@hub.example"), path) == 404
    assert status(shop, oidc.token("litefarm", **hub_x), path) == 404, "the same account of another client"
    grant_scopes(shop, "ofn-hub-z", "ReadProducts")
    assert status(shop, oidc.token("ofn-client", sub="7f3c"), path) == 200
    grant_scopes(shop, "ofn", "ReadProducts")
    assert status(shop, oidc.token("ofn-client", email="y@hub.example", email_verified=True), path) == 200


# ------------------------------------------------------------------------------------------ tokens


def test_a_personal_token_holds_what_its_scopes_say(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        (owner,) = list_members(tx, shop.id)
        narrow_token = make_token(tx, owner.person_id, name="Small", scopes={"enterprise:read"}).secret
    goods = "/api/dfc/enterprises/shop/supplied_products"
    assert (status(shop, shop.token), status(shop, shop.token, goods)) == (200, 200)
    assert (status(shop, narrow_token), status(shop, narrow_token, goods)) == (200, 403)
    assert status(shop, narrow_token + "x") == 401


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "https://other.example"}, id="for another"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"iss": "https://other.example"}, id="of another issuer"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"exp": 1}, id="that is over"),
        pytest.param({"nbf": 2**40}, id="that has not begun"),
        pytest.param({"client_id": "unknown"}, id="of a platform that nobody knows"),
        pytest.param({"client_id": None}, id="of no platform"),
        pytest.param({"azp": "litefarm"}, id="of two platforms"),
    ],
)
def test_a_token_is_refused(shop: Shop, oidc: Oidc, claims: dict[str, Any]) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise")
    assert status(shop, oidc.token("ofn-client")) == 200
    assert status(shop, oidc.token("ofn-client", **claims)) == 401


def test_the_platform_may_be_named_as_the_authorised_party(shop: Shop, oidc: Oidc) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise")
    assert status(shop, oidc.token("ofn-client", client_id=None, azp="ofn-client")) == 200


def test_a_token_that_is_not_signed_as_it_says_is_refused(shop: Shop, oidc: Oidc) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise")
    head, body, signature = oidc.token("ofn-client").split(".")
    for header in ({"alg": "none"}, {"alg": "HS256", "kid": "key-1"}, {"alg": "ES256", "kid": "key-1"}):
        forged_header = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        assert status(shop, f"{forged_header}.{body}.{signature}") == 401
        assert status(shop, f"{forged_header}.{body}.") == 401
    assert status(shop, f"{head}.{body}.{signature[:-8]}AAAAAAAA") == 401
    assert status(shop, "a.b.c") == 401


def test_keys_change_and_are_not_asked_for_more_often_than_needed(shop: Shop, oidc: Oidc, clock: ManualClock) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise")
    old_token = oidc.token("ofn-client")
    assert [status(shop, old_token) for _ in range(3)] == [200, 200, 200]
    assert oidc.asked == 1
    oidc.rotate("EC")
    new_token = oidc.token("ofn-client")
    assert [status(shop, new_token) for _ in range(3)] == [401, 401, 401]  # the keys were fetched a moment ago
    assert oidc.asked == 1
    clock.advance(minutes=6)
    new_token, old_token = oidc.token("ofn-client"), oidc.token("ofn-client", exp=2**40)
    assert status(shop, new_token) == 200
    assert oidc.asked == 2
    clock.advance(minutes=50)
    assert status(shop, old_token) == 200
    assert oidc.asked == 2


def test_known_keys_do_for_a_day_while_the_issuer_is_down(shop: Shop, oidc: Oidc, clock: ManualClock) -> None:
    grant_scopes(shop, "ofn", "ReadEnterprise")
    token = oidc.token("ofn-client", exp=2**40)
    assert status(shop, token) == 200
    oidc.down = True
    clock.advance(hours=23)
    assert status(shop, token) == 200
    clock.advance(hours=2)
    assert status(shop, token) == 401


# ------------------------------------------------------------------------------------------ writing


def test_a_platform_changes_goods_only_with_the_right_to_and_is_named_in_the_journal(shop: Shop, oidc: Oidc) -> None:
    path, token = f"/api/dfc/catalog_items/{shop.items['honey']}", oidc.token("ofn-client")
    document = {"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "dfc-b:stockLimitation": 9}

    def push() -> Any:
        return request(shop, token, path, method="PATCH", json=document, headers={"If-Match": "*"})

    assert push().status_code == 404
    grant_scopes(shop, "ofn", "ReadProducts", "WriteOrders")
    assert (push().status_code, push().json()["code"]) == (403, "scope")
    grant_scopes(shop, "ofn", "WriteProducts")
    assert push().status_code == 200
    with shop.instance.store.read() as tx:
        lot_id = products_of_items(tx, shop.id, [shop.items["honey"]])[shop.items["honey"]].lot_id
        assert movements_of(tx, shop.id, lot_id)[0].note == "Open Food Network"
