"""Everything that a document names can be fetched by its own IRI, and is the same there."""

from __future__ import annotations

from typing import Any

import pytest

from commensal.catalogs.catalogs import catalogs_of
from commensal.enterprises.customer_categories import create_category
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import (
    DfcCatalog,
    DfcCategory,
    DfcItem,
    DfcOffer,
    DfcPerson,
    DfcProduct,
    DfcSession,
    Thing,
)

from .oidc import Oidc
from .platforms import V2, grant_scopes, request, settings_with


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


def get_document(shop: Shop, iri: str, *, accept: str = "*/*") -> DfcDocument:
    answer = request(shop, shop.token, iri.removeprefix("http://testserver"), accept=accept)
    assert answer.status_code == 200, answer.text
    return read(answer.content)


@pytest.mark.parametrize("kind", [DfcProduct, DfcItem, DfcOffer])
@pytest.mark.parametrize("accept", ["*/*", V2])
def test_a_thing_is_the_same_alone(shop: Shop, kind: type[Thing], accept: str) -> None:
    catalogue = get_document(shop, "/api/dfc/enterprises/shop/supplied_products", accept=accept)
    assert catalogue.all(kind)
    for row in catalogue.all(kind):
        document = get_document(shop, row.iri, accept=accept)
        assert document.get(kind, row.iri) == row
        assert document.version == ("2.0" if accept == V2 else "1.16")


def test_who_has_a_thing_already_is_told_so(shop: Shop) -> None:
    iri = (
        get_document(shop, "/api/dfc/enterprises/shop/catalog_items")
        .all(DfcItem)[0]
        .iri.removeprefix("http://testserver")
    )
    first_answer = request(shop, shop.token, iri)
    second_answer = request(
        shop, shop.token, iri, headers={"If-None-Match": f'"other", W/{first_answer.headers["ETag"]}'}
    )
    assert (second_answer.status_code, second_answer.content) == (304, b"")
    newer = request(shop, shop.token, iri, accept=V2, headers={"If-None-Match": first_answer.headers["ETag"]})
    assert newer.status_code == 200


def test_a_catalog_comes_page_by_page(shop: Shop) -> None:
    with shop.instance.store.read() as tx:
        (catalog,) = catalogs_of(tx, shop.id)
    path, pages, iris = f"/api/dfc/catalogs/{catalog.id}?limit=2", 0, []
    while path:
        answer = request(shop, shop.token, path)
        page = read(answer.content)
        assert page.one(DfcCatalog).name == catalog.name
        iris += [row.iri for row in page.all(DfcItem)]
        pages += 1
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<http://testserver")
    assert pages == 3
    assert len(iris) == len(set(iris)) == 5


def test_sales_and_categories_are_there(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        members = create_category(tx, shop.id, name="Members")
    assert get_document(shop, f"/api/dfc/customer_categories/{members.id}").one(DfcCategory).name == "Members"
    sale = get_document(shop, "/api/dfc/enterprises/shop/sale_sessions").one(DfcSession)
    assert sale.closes_at == shop.session.closes_at
    whole = get_document(shop, sale.iri)
    assert whole.one(DfcSession) == sale
    assert {offer.sessions for offer in whole.all(DfcOffer)} == {(sale.iri,)}
    assert len(whole.all(DfcOffer)) == len(shop.items)


def test_people_read_themselves_and_nobody_else(shop: Shop) -> None:
    other_person = shop.somebody()
    own_person = shop.client.get("/api/me", headers={"Authorization": f"Bearer {shop.token}"}).json()
    assert get_document(shop, f"/api/dfc/persons/{own_person['id']}").one(DfcPerson).email == "owner-shop@example.org"
    assert request(shop, shop.token, f"/api/dfc/persons/{other_person.id}").status_code == 404


def test_a_platform_reads_what_it_was_granted_and_nobody_elses(shop: Shop, oidc: Oidc) -> None:
    token, neighbour = oidc.token("ofn-client"), shop.neighbour()
    grant_scopes(shop, "ofn", "ReadProducts")

    def status(items: Any, kind: str = "catalog_items") -> int:
        return int(request(shop, token, f"/api/dfc/{kind}/{items['carrots']}").status_code)

    assert status(shop.items) == 200
    assert status(neighbour.items) == 404
    assert request(shop, token, f"/api/dfc/sale_sessions/{shop.session_id}").status_code == 403
