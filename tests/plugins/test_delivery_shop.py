"""Orders with delivery through the pages of the shop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert

from commensal.enterprises.tables import enterprise_plugin
from commensal_delivery.slots import add_slot, slots_of
from commensal_delivery.zones import DeliverySettings
from commensal_pickup.tables import pickup_slot

PLUGINS = ("shop", "cash", "pickup", "delivery", "bank")
SALE = "/sales/shop-session"
ZONES = {"zones": [{"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 400}]}
TOURS = {"address/street": "2 rue Colbert", "address/postcode": "37000", "address/city": "Tours"}
ORDER = ("then", "order")


@pytest.fixture
def round_id(stall: Any) -> str:
    """A round of deliveries of the stall's sale, as the form names it."""
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="delivery", settings=ZONES, version=1))
        begins_at = tx.now + timedelta(days=2, hours=5)
        ends_at = begins_at + timedelta(hours=2)
        slot = add_slot(
            tx, DeliverySettings(), "shop", "shop-session", capacity=1, begins_at=begins_at, ends_at=ends_at
        )
    return f"delivery:{slot.id}"


def to_the_checkout(browser: Any, stall: Any) -> None:
    browser.go(SALE)
    browser.send(f"{SALE}/cart", **{f"items/{stall.eggs}": "2"})
    browser.send("/cart", ("then", "checkout"))
    assert browser.at == f"{SALE}/checkout"


def buy(browser: Any, shipping: str, **fields: str) -> None:
    contact = {"name": "Bob Le Goff", "email": "bob@example.org", "payment_method": "cash:cash"}
    browser.send("", ORDER, **{**contact, "shipping": shipping, **fields})


def test_a_guest_has_their_order_brought(browser: Any, stall: Any, round_id: str) -> None:
    to_the_checkout(browser, stall)
    assert "Delivery, Saturday" in browser.page.text
    buy(browser, round_id, **TOURS)
    assert "total" in browser.page.text, "first they are shown what it costs"
    buy(browser, round_id, **TOURS)
    assert browser.status == 200, browser.page.text
    assert browser.at.startswith("/orders/guest/")
    assert "2 rue Colbert" in browser.page.text
    assert "Delivery to Tours" in browser.page.text
    other_browser = browser.another()
    to_the_checkout(other_browser, stall)
    assert "full" in other_browser.page.text


def test_who_lives_elsewhere_is_told_so_and_nothing_is_ordered(browser: Any, stall: Any, round_id: str) -> None:
    to_the_checkout(browser, stall)
    buy(browser, round_id, **{**TOURS, "address/postcode": "12345"})
    assert browser.status == 422
    assert "We do not deliver to 12345." in browser.page.text
    assert round_id not in browser.page.values("shipping")
    assert stall.slots[0] in browser.page.values("shipping"), "they may still collect it"
    with stall.instance.store.read() as tx:
        assert [slot.taken for slot in slots_of(tx, "shop", "shop-session")] == [0]


def test_where_everything_is_brought_nobody_orders_without_saying_where(
    browser: Any, stall: Any, round_id: str
) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(delete(pickup_slot))
    to_the_checkout(browser, stall)
    browser.send("", ("then", "update"), **{**TOURS, "address/postcode": "12345"})
    assert "We do not deliver to 12345." in browser.page.text
    assert browser.page.values("shipping") == []
    browser.send("", ORDER, name="Bob", email="bob@example.org", payment_method="cash:cash")
    assert browser.status == 422
    assert "We do not deliver to 12345." in browser.page.text
    with stall.instance.store.read() as tx:
        assert [slot.taken for slot in slots_of(tx, "shop", "shop-session")] == [0]


def test_who_collects_finds_a_calendar_on_the_page_of_their_order(browser: Any, stall: Any, round_id: str) -> None:
    to_the_checkout(browser, stall)
    buy(browser, stall.slots[0])
    (calendar,) = [link for link in browser.page.links() if link.endswith(".ics")]
    assert browser.client.get(calendar).text.startswith("BEGIN:VCALENDAR\r\n")
