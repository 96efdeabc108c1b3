"""Legal pages of the shop: published texts, or what the software knows; terms are accepted by ordering."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from commensal.enterprises.legal_texts import LegalKind, LegalText, publish_legal_text
from commensal.enterprises.tables import enterprise

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


TERMS = "/hubs/shop/legal/terms"


def publish(stall: Stall, kind: LegalKind, html: str, version: int = 0, *, of_hub: bool = True) -> LegalText:
    with stall.instance.store.write() as tx:
        texts = {"en": html}
        return publish_legal_text(tx, kind, version, texts, enterprise_id="shop" if of_hub else None)


def test_every_page_links_the_legal_notice_of_whoever_publishes_it(browser: Browser, stall: Stall) -> None:
    instance_links, hub_links = (
        {"/legal/notice", "/legal/privacy"},
        {"/hubs/shop/legal/notice", "/hubs/shop/legal/privacy"},
    )
    assert instance_links <= set(browser.go("/").links())
    for address in ("/hubs/shop", SALE):
        assert hub_links <= set(browser.go(address).links()), address
        assert TERMS not in browser.page.links(), "there are none"
    for address in (*instance_links, *hub_links, "/legal/accessibility"):
        browser.go(address)
        assert browser.status == 200, address


def test_a_hub_without_texts_shows_what_the_software_knows(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(
            update(enterprise).where(enterprise.c.id == "shop").values(street="2 rue du Four", vat_number="FR12")
        )
    notice, privacy = browser.go("/hubs/shop/legal/notice"), browser.go("/hubs/shop/legal/privacy")
    assert "2 rue du Four" in notice.text
    assert "VAT number: FR12" in notice.text
    assert "Notes on orders: 30 days after the distribution." in privacy.text
    for kind in ("terms", "accessibility"):  # only the hub itself can write its terms, and the site is the instance's
        browser.go(f"/hubs/shop/legal/{kind}")
        assert browser.status == 404, kind


def test_published_texts_are_shown_clean_and_marked_with_their_language(browser: Browser, stall: Stall) -> None:
    publish(stall, "notice", "<p>Les Paniers, <b>SCIC</b></p><script>x()</script>")
    browser.reads("fr")
    page = browser.go("/hubs/shop/legal/notice")
    assert "Les Paniers, SCIC" in page.text
    assert "Mentions légales" in page.text
    assert ("div", {"lang": "en"}) in page.elements
    assert "script" not in {tag for tag, _ in page.elements}


def test_the_terms_of_sale_are_accepted_by_ordering_and_stand_with_the_order(browser: Browser, stall: Stall) -> None:
    old = publish(stall, "terms", "<p>Bring bags.</p>")
    for address in ("/hubs/shop", SALE):
        assert TERMS in browser.go(address).links(), address
    to_the_checkout(browser, stall, small=1)
    assert "/hubs/shop/legal/terms" in browser.page.links()
    buy(browser, stall)
    (row,) = stored_orders(stall)
    assert row["terms_id"] == old.id
    publish(stall, "terms", "<p>No bags.</p>", 1)
    assert f"/legal/versions/{old.id}" in browser.page.links()
    assert "Bring bags." in browser.go(f"/legal/versions/{old.id}").text


def test_terms_that_change_while_somebody_orders_are_shown_before_they_are_accepted(
    browser: Browser, stall: Stall
) -> None:
    to_the_checkout(browser, stall, small=1)
    new = publish(stall, "terms", "<p>No bags.</p>")
    page = browser.send("", ORDER, **CONTACT, shipping=stall.slots[0], payment_method="cash:cash")
    assert "Accept the terms of sale." in page.text
    assert stored_orders(stall) == []
    assert "/hubs/shop/legal/terms" in page.links()
    browser.send("", ORDER)
    assert [row["terms_id"] for row in stored_orders(stall)] == [new.id]
