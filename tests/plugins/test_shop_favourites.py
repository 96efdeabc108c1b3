"""The shop: goods that people have marked with a star come first among their usual ones."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commensal_shop.tables import shop_favourite

from .conftest import SALE, Browser, Stall
from .test_shop_account import a_person

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the statements are plain


def test_a_star_keeps_what_was_typed_and_shows_the_goods_among_the_usual_ones(browser: Browser, stall: Stall) -> None:
    a_person(stall)
    browser.log_in()
    browser.go(SALE)
    browser.send(f"{SALE}/cart", ("then", f"star/{stall.nests}"), **{f"items/{stall.small}": "2"})
    assert browser.at.startswith(SALE)
    assert browser.page.form(f"{SALE}/cart").fields[f"items/{stall.small}"] == "2"
    usual = browser.go(f"{SALE}?only=usuals").text
    assert ("Œufs par 6" in usual, "Carottes" in usual) == (True, False)
    browser.send(f"{SALE}/cart", ("then", f"unstar/{stall.nests}"))
    assert "Œufs par 6" not in browser.go(f"{SALE}?only=usuals").text


def test_guests_have_no_stars_and_nothing_unknown_is_marked(browser: Browser, stall: Stall) -> None:
    assert 'class="star"' not in browser.client.get(SALE).text
    browser.post(f"{SALE}/cart", then=f"star/{stall.nests}", was="")
    a_person(stall)
    browser.log_in()
    browser.post(f"{SALE}/cart", then="star/nothing", was="")
    assert browser.status == 404
    with stall.instance.store.read() as tx:
        assert tx.all(select(shop_favourite)) == []
