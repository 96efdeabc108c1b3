"""Who has ordered already adds to that order, in the shop, until the sale closes."""

from __future__ import annotations

import pytest

from commensal.base.clock import ManualClock
from commensal.trade.people.people import Person

from .conftest import SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def has_ordered(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)


@pytest.mark.parametrize("as_member", [False, True])
def test_what_is_taken_after_an_order_joins_it(browser: Browser, stall: Stall, ada: Person, as_member: bool) -> None:
    if as_member:
        browser.log_in()
    has_ordered(browser, stall)
    order_page = browser.at
    assert "You have already ordered: order 1, €2.40" in browser.go(SALE).text
    browser.send("/cart", **{f"items/{stall.eggs}": "2"})
    browser.send("/cart", ("then", "join"))
    assert browser.at == f"{SALE}/join"
    assert "Total before: €2.40." in browser.page.text
    form = browser.page.form("").fields
    browser.send("")
    assert browser.at == order_page
    browser.post(f"{SALE}/join", **form)  # once more
    (row,) = stored_orders(stall)
    assert row["total"] == 240 + 2 * 235
    assert "Your basket is empty" in browser.go(f"{SALE}/cart").text


def test_more_of_the_same_is_added_to_what_was_ordered(browser: Browser, stall: Stall) -> None:
    has_ordered(browser, stall)
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "2"})
    browser.go(f"{SALE}/join")
    browser.send("")
    (row,) = stored_orders(stall)
    assert row["total"] == 3 * 240


def test_what_is_gone_meanwhile_is_said_and_stays_in_the_basket(browser: Browser, stall: Stall) -> None:
    has_ordered(browser, stall)
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "2"})
    browser.go(f"{SALE}/join")
    stall.count(stall.nests, 1)
    browser.send("")
    assert browser.at == f"{SALE}/cart"
    assert "Only 1 piece is left." in browser.page.text
    assert browser.go(f"{SALE}/cart").form("/cart").fields[f"items/{stall.eggs}"] == "2"
    assert stored_orders(stall)[0]["total"] == 240


def test_another_total_than_the_one_on_the_page_is_not_ordered(browser: Browser, stall: Stall) -> None:
    has_ordered(browser, stall)
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    browser.go(f"{SALE}/join")
    browser.send("", total="1")
    assert browser.status == 409
    assert stored_orders(stall)[0]["total"] == 240


def test_nobody_is_offered_the_order_of_somebody_else(browser: Browser, stall: Stall) -> None:
    has_ordered(browser, stall)
    stranger = browser.another()
    stranger.go(SALE)
    stranger.send("/cart", **{f"items/{stall.eggs}": "1"})
    assert "You have already ordered" not in stranger.page.text
    stranger.go(f"{SALE}/join")
    assert stranger.at == f"{SALE}/cart"
    stranger.post(f"{SALE}/join", cart="x", total="1")
    assert stranger.at == f"{SALE}/cart"


def test_a_closed_sale_leads_to_the_next_one_and_adds_nothing(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    has_ordered(browser, stall)
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    form = browser.go(f"{SALE}/join").form("").fields
    clock.advance(days=2)
    browser.post(f"{SALE}/join", **form)
    assert stored_orders(stall)[0]["total"] == 240
    assert "This sale closed on" in browser.go(SALE).text
