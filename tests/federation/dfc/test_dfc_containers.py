"""The paths of the *DFC LDP Container Discovery API* 2.0: each is served, or refused with a reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from commensal.catalogs.catalogs import catalogs_of
from commensal.enterprises.customer_categories import create_category
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcAddress,
    DfcCatalog,
    DfcCategory,
    DfcEnterprise,
    DfcItem,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPerson,
    DfcPhone,
    DfcProduct,
    DfcSocialMedia,
    Thing,
)

from .oidc import Oidc
from .platforms import grant_scopes, offer_of, request, settings_with

CONTEXT = "https://w3id.org/dfc/ontology/context/context_2.0.0.json"
VERSION = {"x-dfc-version": "2.0.0"}

# Every path of the document (33), the methods that are served besides GET, and what the answer holds.
SERVED: dict[str, tuple[str, type[Thing] | None]] = {
    "/webid": ("", None),
    "/identity-service": ("", None),
    "/users/{user}/webid": ("", None),
    "/users/{user}/prefs": ("", None),
    "/users/{user}/privateTypeIndex": ("", None),
    "/organizations": ("", DfcEnterprise),
    "/organizations/{organization}": ("", DfcEnterprise),
    "/organizations/{organization}/catalogs": ("", DfcCatalog),
    "/organizations/{organization}/catalogs/{catalog}/index": ("", DfcItem),
    "/organizations/{organization}/supplied-products": ("POST", DfcProduct),
    "/organizations/{organization}/supplied-products/{product}/index": ("PUT PATCH", DfcProduct),
    "/organizations/{organization}/orders": ("POST", DfcOrder),
    "/organizations/{organization}/orders/{order}/index": ("PUT PATCH DELETE", DfcOrder),
    "/organizations/{organization}/orders/{order}/orderlines": ("POST", DfcLine),
    "/organizations/{organization}/orders/{order}/orderlines/{line}/index": ("PUT PATCH DELETE", DfcLine),
    "/organizations/{organization}/addresses": ("", DfcAddress),
    "/organizations/{organization}/addresses/{organization}/index": ("", DfcAddress),
    "/organizations/{organization}/customer-categories": ("", DfcCategory),
    "/organizations/{organization}/customer-categories/{category}/index": ("", DfcCategory),
    "/organizations/{organization}/social-medias": ("", DfcSocialMedia),
    "/organizations/{organization}/social-medias/{organization}.1/index": ("", DfcSocialMedia),
    "/persons/{organization}/index": ("", DfcPerson),
    "/phone-numbers/{organization}/index": ("", DfcPhone),
}
NOT_KEPT = {
    f"/organizations/{{organization}}/{name}{member}": name
    for name in ("certifications", "template-sale-sessions", "physical-places", "affiliated-to")
    for member in ("", "/some/index")
}
ELSEWHERE = {  # served by the plugin `transport`
    "/organizations/{organization}/routes": "/api/dfc/organizations/shop/routes",
    "/organizations/{organization}/routes/some/index": "/api/dfc/routes/some",
}


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


@pytest.fixture
def token(shop: Shop, oidc: Oidc) -> str:
    profile = {
        "social_media": "https://www.instagram.com/farm",
        "contact_name": "Ada Lovelace",
        "phone": "+33123456789",
    }
    headers = {"If-Match": request(shop, shop.token, "/api/enterprises/shop").headers["ETag"]}
    changed = request(shop, shop.token, "/api/enterprises/shop", method="PATCH", json=profile, headers=headers)
    assert changed.status_code == 200, changed.text
    grant_scopes(shop, "ofn", "ReadEnterprise", "WriteProducts", "WriteOrders")
    return oidc.token("ofn-client")


def ask(shop: Shop, token: str, path: str, *, method: str = "GET", **kwargs: Any) -> httpx.Response:
    """A request for a path or an address of ours."""
    headers = {**VERSION, **kwargs.pop("headers", {})}
    path = path.removeprefix("http://testserver")
    answer: httpx.Response = request(shop, token, path, method=method, headers=headers, **kwargs)
    return answer


def an_order(shop: Shop, *lines: tuple[str, object, str], **properties: str) -> dict[str, Any]:
    """An order as the document shows it: relative names, and quantities of a unit."""
    nodes = [
        {
            "@id": f"#line-{number}",
            "@type": "dfc-b:OrderLine",
            "dfc-b:concerns": offer_of(shop, name),
            "dfc-b:hasQuantity": {
                "@type": "dfc-b:QuantitativeValue",
                "dfc-b:hasUnit": f"dfc-m:{unit}",
                "dfc-b:value": value,
            },
        }
        for number, (name, value, unit) in enumerate(lines, start=1)
    ]
    order = {"@id": "#order", "@type": "dfc-b:Order", **properties}
    if nodes:
        order["dfc-b:hasPart"] = [node["@id"] for node in nodes]  # type: ignore[assignment]
    order["dfc-b:belongsTo"] = f"http://testserver/api/dfc/sale_sessions/{shop.session_id}"
    return {"@context": CONTEXT, "@graph": [order, *nodes]}


def place(shop: Shop, token: str, *lines: tuple[str, object, str]) -> httpx.Response:
    path = f"/organizations/{shop.id}/orders"
    answer = ask(shop, token, path, method="POST", json=an_order(shop, *lines))
    assert answer.status_code == 201, answer.text
    return answer


def pieces_of(answer: httpx.Response) -> list[int]:
    assert answer.is_success, answer.text
    return [int(line.quantity.value) for line in read(answer.content).all(DfcLine) if line.quantity]


def names_of(shop: Shop, token: str) -> dict[str, str]:
    """What stands for the names in the paths of the document."""
    with shop.instance.store.write() as tx:
        category = create_category(tx, shop.id, name="Members")
        catalog = catalogs_of(tx, shop.id)[0]
    order = place(shop, token, ("carrots", 2, "Piece"))
    lines = read(order.content).all(DfcLine)
    products = read(ask(shop, token, f"/organizations/{shop.id}/supplied-products").content).all(DfcProduct)
    user = ask(shop, token, "/identity-service", method="HEAD", follow_redirects=False).headers["Location"]
    addresses = {"product": products[0].iri, "order": order.headers["Location"], "line": lines[0].iri, "user": user}
    ids = {name: address.split("/")[-2] for name, address in addresses.items()}
    return {"organization": shop.id, "category": category.id, "catalog": catalog.id, **ids}


def test_every_path_of_the_document_is_served_or_refused_with_a_reason(shop: Shop, token: str) -> None:
    assert len(SERVED) + len(NOT_KEPT) + len(ELSEWHERE) == 33
    names = names_of(shop, token)
    for path, (methods, kind) in SERVED.items():
        address = path.format_map(names)
        answer = ask(shop, token, address, follow_redirects=False)
        assert answer.status_code == (303 if path == "/identity-service" else 200), (path, answer.text)
        assert answer.headers["x-dfc-version"] == "2.0.0", path
        if kind is not None:
            assert read(answer.content).all(kind), (path, answer.text)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            status = ask(shop, token, address, method=method, content=b"{").status_code
            assert (status == 405) is (method not in methods.split()), (path, method, status)
    for path, name in NOT_KEPT.items():
        answer = ask(shop, token, path.format_map(names))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_kept"), path
        assert answer.json()["title"].endswith("."), name
    for path, place in ELSEWHERE.items():
        answer = ask(shop, token, path.format_map(names), follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (307, f"http://testserver{place}")


def test_a_caller_finds_the_way_from_the_webid_to_a_price(shop: Shop, token: str) -> None:
    """As the document describes discovery: nothing but addresses of answers."""
    service = ask(shop, "", "/webid").json()["dfc-t:hasIdentityService"]
    webid = ask(shop, token, service, method="HEAD", follow_redirects=False).headers["Location"]
    agent = ask(shop, "", webid.partition("#")[0]).json()["@graph"][1]
    assert agent["@id"] == webid
    preferences = ask(shop, token, agent["pim:preferencesFile"]["@id"]).json()["@graph"][1]
    index = ask(shop, token, preferences["solid:privateTypeIndex"]["@id"]).json()["@graph"]
    (organization,) = (node["solid:instance"]["@id"] for node in index if "solid:instance" in node)
    answer = ask(shop, token, organization)
    (node,) = (node for node in answer.json()["@graph"] if node["@id"] == organization)
    assert node["@type"] == "dfc-b:Organization"
    catalogs = ask(shop, token, node["dfc-b:manages"])
    (container,) = (node for node in catalogs.json()["@graph"] if "ldp:contains" in node)
    assert container["@type"] == "ldp:Container"  # connectors read one type; the header has the other
    assert '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"' in catalogs.headers["Link"]
    (member,) = container["ldp:contains"]
    assert member.startswith(f"{container['@id']}/")
    catalog = read(ask(shop, token, member).content)
    assert catalog.version == "2.0"
    assert len(catalog.all(DfcOffer)) == len(shop.items)
    for product in catalog.all(DfcProduct):
        assert product.iri.startswith(node["dfc-b:supplies"])
        assert read(ask(shop, token, product.iri).content).get(DfcProduct, product.iri) == product


def test_nobody_reads_anothers_index_or_enterprise(shop: Shop, token: str, oidc: Oidc) -> None:
    user = ask(shop, token, "/identity-service", method="HEAD", follow_redirects=False).headers["Location"]
    litefarm, user = oidc.token("litefarm"), user.partition("/webid")[0]
    assert ask(shop, "", "/identity-service", method="HEAD").status_code == 401
    for document in ("prefs", "privateTypeIndex"):
        assert ask(shop, litefarm, f"{user}/{document}").status_code == 404
        assert ask(shop, "", f"{user}/{document}").status_code == 401
    names = names_of(shop, token)
    for path in SERVED:
        if "{organization}" in path:
            assert ask(shop, litefarm, path.format_map(names)).status_code == 404, path
            assert ask(shop, "", path.format_map(names)).status_code == 401, path
    neighbour = shop.neighbour()
    for path in SERVED:
        if "{organization}/" in path and path.count("{") > 1 and "{organization}.1" not in path:
            address = path.format_map({**names, "organization": neighbour.id})
            assert ask(shop, shop.token, address).status_code in (403, 404), path


def test_an_order_in_kilograms_is_as_many_pieces(shop: Shop, token: str) -> None:
    """A piece of chicken has two kilograms."""
    answer = place(shop, token, ("chicken", 4.0, "Kilogram"), ("carrots", 3, "Piece"))
    assert sorted(pieces_of(answer)) == [2, 3]
    assert answer.headers["Content-Location"] == answer.headers["Location"]
    assert answer.headers["Location"].startswith(f"http://testserver/organizations/{shop.id}/orders/")
    again = ask(shop, token, answer.headers["Location"])
    assert read(again.content).one(DfcOrder).iri == answer.headers["Location"]
    path = f"/organizations/{shop.id}/orders"
    part = ask(shop, token, path, method="POST", json=an_order(shop, ("chicken", 1.5, "Kilogram")))
    assert part.status_code == 422, part.text


def test_two_orders_with_the_same_relative_name_are_two(shop: Shop, token: str) -> None:
    """The document's example calls every order "#order"."""
    addresses = {place(shop, token, ("carrots", number, "Piece")).headers["Location"] for number in (1, 2)}
    assert len(addresses) == 2


def test_an_orders_own_address_leaves_its_lines_and_their_container_changes_them(shop: Shop, token: str) -> None:
    order = place(shop, token, ("carrots", 2, "Piece"), ("chicken", 2, "Kilogram")).headers["Location"]
    lines = f"{order.removesuffix('/index')}/orderlines"
    put = ask(shop, token, order, method="PUT", json=an_order(shop))
    assert sorted(pieces_of(put)) == [1, 2]
    (carrots,) = (line for line in read(put.content).all(DfcLine) if line.quantity and line.quantity.value == 2)
    assert carrots.iri.startswith(f"{lines}/")
    three = {
        "@id": "#",
        "@type": "dfc-b:OrderLine",
        "dfc-b:hasQuantity": {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": "dfc-m:Piece", "dfc-b:value": 3},
    }
    changed = ask(shop, token, carrots.iri, method="PATCH", json={"@context": CONTEXT, "@graph": [three]})
    assert pieces_of(changed) == [3]
    assert ask(shop, token, read(changed.content).all(DfcLine)[0].iri, method="DELETE").status_code == 204
    assert pieces_of(ask(shop, token, lines)) == [1]
    complete = an_order(shop, **{"dfc-b:hasOrderStatus": "dfc-v:Complete"})
    patched = ask(shop, token, order, method="PATCH", json=complete)
    assert (read(patched.content).one(DfcOrder).state, pieces_of(patched)) == ("Complete", [1])


def test_a_product_is_made_and_changed_by_its_address(shop: Shop, token: str) -> None:
    organization = f"http://testserver/organizations/{shop.id}"
    with shop.instance.store.read() as tx:
        catalog = f"{organization}/catalogs/{catalogs_of(tx, shop.id)[0].id}/index"
    document = {
        "@context": CONTEXT,
        "@graph": [
            {
                "@id": "#",
                "@type": "dfc-b:SuppliedProduct",
                "dfc-b:name": "Organic Tomatoes",
                "dfc-b:suppliedBy": f"{organization}/index",
                "dfc-b:hasType": "dfc-pt:tomato",
                "dfc-b:hasQuantity": {
                    "@type": "dfc-b:QuantitativeValue",
                    "dfc-b:hasUnit": "dfc-m:Kilogram",
                    "dfc-b:value": 1.0,
                },
                "dfc-b:referencedBy": ["#catalog-item"],
            },
            {
                "@id": "#catalog-item",
                "@type": "dfc-b:CatalogItem",
                "dfc-b:references": "#",
                "dfc-b:sku": "TOM-001",
                "dfc-b:stockLimitation": 7,
                "dfc-b:listedIn": catalog,
                "dfc-b:managedBy": f"{organization}/index",
                "dfc-b:offeredThrough": ["#offer"],
            },
            {"@id": "#offer", "@type": "dfc-b:Offer", "dfc-b:offers": "#catalog-item", "dfc-b:hasPrice": "#price"},
            {
                "@id": "#price",
                "@type": "dfc-b:Price",
                "dfc-b:hasUnit": "dfc-m:Euro",
                "dfc-b:value": 2.50,
                "dfc-b:VATrate": 5.5,
            },
        ],
    }
    made = ask(shop, token, f"{organization}/supplied-products", method="POST", json=document)
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert address.startswith(f"{organization}/supplied-products/")
    there = ask(shop, token, address)
    product = read(there.content).one(DfcProduct)
    assert (product.iri, product.name, product.stock) == (address, "Organic Tomatoes", Decimal(7))
    change = {"@context": CONTEXT, "@id": address, "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "Tomatoes"}
    headers = {"If-Match": there.headers["ETag"], "Prefer": "return=minimal"}
    done = ask(shop, token, address, method="PATCH", json=change, headers=headers)
    assert (done.status_code, done.content, done.headers["Preference-Applied"]) == (204, b"", "return=minimal")
    now = ask(shop, token, address)
    assert read(now.content).one(DfcProduct).name == "Tomatoes"
    assert now.headers["ETag"] == done.headers["ETag"] != there.headers["ETag"]
    assert ask(shop, token, address, method="PATCH", json=change, headers=headers).status_code == 412


@pytest.mark.parametrize("kind", ["contacts", "phones", "addresses", "social_media"])
def test_a_part_of_an_enterprise_is_itself_at_its_own_address(shop: Shop, token: str, kind: str) -> None:
    enterprise = read(ask(shop, token, f"/api/dfc/enterprises/{shop.id}").content)
    parts = [thing for iri, thing in enterprise.things.items() if f"/api/dfc/{kind}/" in iri]
    assert parts
    for part in parts:
        assert list(read(ask(shop, token, part.iri).content).things.values()) == [part]
