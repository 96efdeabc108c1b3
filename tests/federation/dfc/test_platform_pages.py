"""Pages on which an enterprise's people let platforms read, take in goods of their own account, and link a platform."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.api.authenticate import session_cookie
from commensal.enterprises.tables import enterprise_member
from commensal.instance.settings import InstanceSettings
from commensal.parts.serving.app import make_app
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.products import products_of
from commensal.testing.shop import Shop
from commensal_federation.linked_catalogues.links import links_of
from commensal_federation.platforms.accounts import named_accounts
from commensal_federation.platforms.scopes import granted_scopes

from ...plugins.conftest import PASSWORD, Browser
from .distant import Distant, Said
from .platforms import settings_with

SELLING, BUYING = "/office/shop/hubs/platforms", "/office/shop/producers/platforms"


@pytest.fixture
def settings() -> InstanceSettings:
    known = settings_with("https://login.example")
    return replace(known, plugins={**known.plugins, "enabled": ["office", "federation"]})


def opens(shop: Shop, role: str = "owner") -> Browser:
    """The browser of a member of the shop."""
    with shop.instance.store.write() as tx:
        person = add_person(
            tx, new_person(email="ada@example.org", name="Ada", password=PASSWORD, language="en"), confirmed=True
        )
        assert person is not None
        row = {"enterprise_id": shop.id, "person_id": person.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        secret = begin_session(tx, person).secret
    browser = Browser(TestClient(make_app(shop.instance), base_url="http://testserver", raise_server_exceptions=False))
    browser.client.cookies.set(session_cookie("http://testserver"), secret)
    return browser


def test_an_owner_lets_a_platform_read_and_order_and_takes_it_back(shop: Shop) -> None:
    browser = opens(shop)
    assert SELLING in browser.go("/office/shop/hubs").links()
    browser.go(SELLING)
    assert "Open Food Network" in browser.page.text
    for step, scopes in (("order", {"ReadEnterprise", "ReadProducts", "ReadOrders", "WriteOrders"}), ("", set())):
        browser.go(SELLING)
        browser.send(f"{SELLING}?then=let", ("platform", "ofn"), step=step)
        assert "It holds at once" in browser.page.text
        with shop.instance.store.read() as tx:
            assert granted_scopes(tx, "ofn", shop.id) == scopes
    for platform, step, status in (("ofn", "everything", 409), ("nobody", "read", 404)):
        browser.post(f"{SELLING}?then=let", platform=platform, step=step)
        assert browser.status == status


def test_an_owner_lets_one_account_in_without_the_operator_and_removes_it(shop: Shop) -> None:
    browser = opens(shop)
    typed = {"issuer": "https://login.example ofn-client", "account": "nine@hub.example", "name": "Hub Nine"}
    browser.go(SELLING)
    browser.send(f"{SELLING}?then=name", **typed, step="order")
    assert "It holds at once" in browser.page.text
    assert "An account that you have named: nine@hub.example" in browser.page.text
    with shop.instance.store.read() as tx:
        (named,) = named_accounts(tx, shop.id)
        assert "WriteOrders" in granted_scopes(tx, named.id, shop.id)
        assert granted_scopes(tx, "ofn", shop.id) == frozenset()
    browser.send(f"{SELLING}?then=name", issuer="https://login.example", client="", account="a", step="read")
    assert (browser.status, "Please fill this in." in browser.page.text) == (422, True)
    browser.post(f"{SELLING}?then=name", issuer="https://evil.example", client="c", account="a", step="read")
    assert browser.status == 422
    browser.go(SELLING)
    browser.send(f"{SELLING}?then=forget", ("platform", named.id))
    assert "Hub Nine" not in browser.page.text
    with shop.instance.store.read() as tx:
        assert granted_scopes(tx, named.id, shop.id) == frozenset()


def test_only_who_may_grant_names_accounts(shop: Shop) -> None:
    browser = opens(shop, "viewer")
    typed = {"issuer": "https://login.example ofn-client", "account": "a", "step": "write"}
    browser.post(f"{SELLING}?then=name", **typed)
    assert browser.status in (403, 404)
    with shop.instance.store.read() as tx:
        assert named_accounts(tx, shop.id) == []


def test_a_producer_takes_in_the_goods_of_an_account_at_another_platform(shop: Shop) -> None:
    """Nobody who runs the instance is needed; the key goes to the platform, and is shown on no page."""
    browser = opens(shop)
    with Distant() as there:
        url = there.say("/catalogue", *there.goods(1, stock=4), *there.goods(2, name="Pears", stock=5))
        typed = {"url": url, "auth": "api_key", "secret": "very-secret"}
        browser.go(SELLING)
        browser.send(f"{SELLING}?then=take-in", ("trial", "1"), **typed)
        assert "This is what would happen" in browser.page.text
        assert _names(shop).isdisjoint({"Pears", "Apples 1"})
        browser.send(f"{SELLING}?then=take-in", **typed)
        assert "New: 2. Changed: 0." in browser.page.text
        assert {"Pears", "Apples 1"} <= _names(shop)
        assert {request.headers["x-api-token"] for request in there.asked} == {"very-secret"}
        assert "very-secret" not in browser.page.text
        browser.send(f"{SELLING}?then=take-in", **typed)
        assert "New: 0. Changed: 0. As before: 2." in browser.page.text


def test_goods_are_worked_out_before_the_turn_to_write(shop: Shop) -> None:
    """While others write, so that a large document holds nobody up."""
    browser = opens(shop)
    with Distant() as there:
        url = there.say("/catalogue", *there.goods(1, stock=4))
        browser.go(SELLING)
        with shop.instance.store.write():
            browser.send(f"{SELLING}?then=take-in", ("trial", "1"), url=url, auth="api_key", secret="very-secret")
        assert "This is what would happen" in browser.page.text


def test_what_cannot_be_taken_in_is_named_with_what_would_be_right(shop: Shop) -> None:
    browser = opens(shop)
    with Distant() as there:
        url = there.say("/catalogue", *there.goods(1, name=""))
        browser.go(SELLING)
        browser.send(f"{SELLING}?then=take-in", url=url, auth="")
        assert "Nothing was taken in: mend this first" in browser.page.text
        assert f"{there.base}/products/1 dfc-b:name" in browser.page.text
        there.pages["/closed"] = Said(status=401)
        browser.send(f"{SELLING}?then=take-in", url=f"{there.base}/closed", auth="")
        assert browser.status == 409
        browser.send(f"{SELLING}?then=take-in", url=url, auth="token", secret="")
        assert browser.status == 422
        assert "Give the key of your account there." in browser.page.text
    browser.send(f"{SELLING}?then=take-in", url="file:///etc/passwd", auth="")
    assert browser.status == 422


def test_a_hub_links_a_platform_reads_it_again_and_takes_it_off_sale(shop: Shop) -> None:
    browser = opens(shop)
    assert BUYING in browser.go("/office/shop/producers").links()
    with Distant() as there:
        url = there.say("/catalogue", *there.goods(1, stock=4), *there.goods(2, name=""))
        typed = {"url": url, "name": "The Orchard", "auth": "token", "secret": "very-secret", "margin": "12,5 %"}
        browser.go(BUYING)
        browser.send(f"{BUYING}?then=link", **typed)
        assert "The goods come in within a few minutes" in browser.page.text
        shop.run_jobs()
        browser.go(BUYING)
        assert "1 product" in browser.page.text
        assert "1 thing was noticed" in browser.page.text
        assert "very-secret" not in browser.page.text
        (link,) = _links(shop)
        browser.send(f"{BUYING}?then=read", ("link", link))
        browser.post(f"{BUYING}?then=unlink", link=link)
        assert _links(shop) == []
        browser.go(BUYING)
        browser.send(f"{BUYING}?then=link", url=url, auth="", margin="much")
        assert browser.status == 422
        assert "Give a margin in percent" in browser.page.text


def test_who_may_not_change_goods_sees_no_form_and_is_refused(shop: Shop) -> None:
    browser = opens(shop, role="packer")
    for path, then in ((SELLING, "take-in"), (SELLING, "let"), (BUYING, "link")):
        browser.post(f"{path}?then={then}", platform="ofn", step="read", auth="")
        assert browser.status in (403, 404)
    assert _links(shop) == []


def _names(shop: Shop) -> set[str]:
    with shop.instance.store.read() as tx:
        return {row.product.name for row in products_of(tx, shop.id)}


def _links(shop: Shop) -> list[str]:
    with shop.instance.store.read() as tx:
        return [link.id for link in links_of(tx, enterprise_id=shop.id)]
