"""Who has ordered already adds to that order, in the shop, until the sale closes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.people.people import Person
from commensal.sale_sessions.tables import coordination, sale_session, session_item

from .conftest import SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def has_ordered(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)


def open_next_sale(stall: Stall) -> str:
    """Opens a sale of the same goods that closes after the one of the stall. Returns its address."""
    with stall.instance.store.write() as tx:
        sale, session = tx.one(select(coordination)), tx.one(select(sale_session))
        times = {name: session[name] + timedelta(days=7) for name in ("closes_at", "begins_at", "ends_at")}
        tx.execute(insert(coordination).values({**sale, "id": "next-sale", "closes_at": times["closes_at"]}))
        row = {**session, **times, "id": "next-session", "coordination_id": "next-sale"}
        tx.execute(insert(sale_session).values(row))
        for item in tx.all(select(session_item)):
            tx.execute(insert(session_item).values(session_id="next-session", item_id=item["item_id"]))
    return "/sales/next-session"


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
    next_sale = open_next_sale(stall)
    assert next_sale in browser.go(SALE).links()


def test_an_order_is_put_into_the_next_basket_once_more(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    to_the_checkout(browser, stall, small=2, eggs=1)
    buy(browser, stall)
    order_page = browser.at
    assert "Order this again" not in browser.page.text
    next_sale = open_next_sale(stall)
    clock.advance(days=3)
    stall.count(stall.nests, 1)  # which is ordered
    for _ in range(2):
        browser.go(order_page)
        browser.send("/again")
    assert browser.at == f"{next_sale}/cart"
    fields = browser.page.form("/cart").fields
    assert {name: value for name, value in fields.items() if name.startswith("items/")} == {
        f"items/{stall.small}": "2"
    }, "eggs are sold out"


def test_place_telephone_and_note_of_an_order_change_until_the_close(browser: Browser, stall: Stall) -> None:
    has_ordered(browser, stall)
    browser.go(f"{browser.at}/change")
    browser.send("", ("then", "look"), shipping=stall.slots[1], phone="06 00 00 00 00", note="Je viens\nà vélo.")
    assert "€3.90" in browser.page.text  # with the place's price
    assert browser.page.form("").fields["shipping"] == stall.slots[1]
    browser.send("", ("then", "change"))
    (row,) = stored_orders(stall)
    assert (row["shipping"], row["phone"], row["note"]) == (stall.slots[1], "06 00 00 00 00", "Je viens\nà vélo.")
    assert row["total"] == 240 + 150
    browser.go(f"{browser.at}/change")
    browser.send("", ("then", "look"), phone="06 12")
    assert "This is not a telephone number" in browser.page.text
    browser.send("", ("then", "look"), phone="0" * 50)
    assert browser.status == 422
