"""A delivered order, bought by forms alone: its address is asked, shown, and may be changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_plugin
from commensal_delivery.slots import add_slot
from commensal_delivery.zones import DeliverySettings, Zone

from .conftest import CONTACT, ORDER, Browser, Stall, stored_orders, to_the_checkout

PLUGINS = ("shop", "cash", "pickup", "delivery", "bank")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

ZONES = DeliverySettings(zones=(Zone(id="tours", name="Tours", postcodes=("37*",), price=300),))
KEPT = {"zones": [{"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 300}]}
UPDATE = ("then", "update")
DOOR = "plugin_fields/delivery/door_code"
HOME = {"address/street": "2 rue Colbert", "address/postcode": "37000", "address/city": "Tours"}


@pytest.fixture
def van(stall: Stall) -> str:
    """A round in the evening of the distribution. Returns the value of the choice."""
    plugin_row = {"enterprise_id": "shop", "plugin": "delivery", "settings": KEPT, "version": 1}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(plugin_row))
        begins_at = tx.now + timedelta(days=2, hours=5)
        ends_at = begins_at + timedelta(hours=2)
        slot = add_slot(tx, ZONES, "shop", "shop-session", capacity=5, begins_at=begins_at, ends_at=ends_at)
    return f"delivery:{slot.id}"


def test_an_order_is_brought_to_the_address_that_was_typed(browser: Browser, stall: Stall, van: str) -> None:
    to_the_checkout(browser, stall, small=1)
    assert "Delivery address" in browser.page.text
    assert browser.page.form("").fields["total"] == "240"  # collecting costs nothing
    browser.send("", UPDATE, shipping=van, **HOME)
    assert browser.page.form("").fields["total"] == "540"
    browser.send("", ORDER, **CONTACT)
    (row,) = stored_orders(stall)
    address = row["address"]
    assert isinstance(address, dict)
    assert (row["total"], address["street"], address["postcode"]) == (540, "2 rue Colbert", "37000")
    assert "2 rue Colbert, 37000 Tours" in browser.page.text


def test_a_field_of_a_plugin_is_asked_kept_while_one_looks_around_and_shown(
    browser: Browser, stall: Stall, van: str
) -> None:
    to_the_checkout(browser, stall, small=1)
    assert "Door code" in browser.page.text
    browser.send("", UPDATE, shipping=van, **HOME, **{DOOR: "12B"})
    browser.go("/sales/shop-session/cart")
    browser.go("/sales/shop-session/checkout")
    assert browser.page.form("").fields[DOOR] == "12B"
    browser.send("", ORDER, **CONTACT, shipping=van, **{DOOR: "x" * 41})
    assert browser.status == 422
    browser.send("", ORDER, **CONTACT, **{DOOR: "13C"})
    assert [row["plugin_fields"] for row in stored_orders(stall)] == [{"delivery": {"door_code": "13C"}}]
    assert "13C" in browser.page.text


def test_a_field_of_a_plugin_is_asked_and_shown_in_a_language_that_a_catalogue_brings(
    browser: Browser, stall: Stall, van: str
) -> None:
    browser.reads("de")
    to_the_checkout(browser, stall, small=1)
    assert "Türcode" in browser.page.text
    browser.send("", UPDATE, shipping=van, **HOME)
    browser.send("", ORDER, **CONTACT, **{DOOR: "13C"})
    assert ("Türcode" in browser.page.text, "Door code" in browser.page.text) == (True, False)


def test_who_collects_leaves_no_door_code(browser: Browser, stall: Stall, van: str) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, **CONTACT, **{DOOR: "13C"}, shipping=stall.slots[0])
    assert [row["plugin_fields"] for row in stored_orders(stall)] == [{}]


def test_without_an_address_nothing_is_brought_and_every_field_says_so(
    browser: Browser, stall: Stall, van: str
) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", UPDATE, shipping=van)
    browser.send("", ORDER, **CONTACT)
    assert browser.status == 422
    invalid = {attributes["id"] for _, attributes in browser.page.elements if attributes.get("aria-invalid") == "true"}
    assert invalid == {"address/street", "address/postcode", "address/city"}
    assert stored_orders(stall) == []


def test_where_nobody_goes_the_round_is_not_offered_and_the_fields_stay(
    browser: Browser, stall: Stall, van: str
) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", UPDATE, shipping=van, **{**HOME, "address/postcode": "75001"})
    assert van not in browser.page.values("shipping")
    assert browser.page.form("").fields["address/postcode"] == "75001"
    browser.send("", UPDATE, **{"address/postcode": "37600"})
    assert van in browser.page.values("shipping")


def test_who_collects_leaves_no_address(browser: Browser, stall: Stall, van: str) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, **CONTACT, **HOME, shipping=stall.slots[0])
    assert [row["address"] for row in stored_orders(stall)] == [None]
    browser.go(f"{browser.at}/change")
    assert "address/street" not in browser.page.form("").fields


def test_the_address_of_an_order_is_changed(browser: Browser, stall: Stall, van: str) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", UPDATE, shipping=van, **HOME)
    browser.send("", ORDER, **CONTACT)
    order_page = browser.at
    for street, status in (("", 422), ("9 quai Paul Bert", 200)):
        browser.go(f"{order_page}/change")
        browser.send("", ("then", "look"), **{"address/street": street, "address/note": "Sonner"})
        assert browser.status == status
    assert "Your order after the change" in browser.page.text
    browser.send("", ("then", "change"))
    assert browser.at == order_page
    for text in ("9 quai Paul Bert, 37000 Tours", "Sonner"):
        assert text in browser.page.text


def test_where_orders_are_brought_and_for_what_is_told_before_an_address_is_typed(
    browser: Browser, stall: Stall, van: str
) -> None:
    assert "Tours (37…) · €3.00" in browser.go("/hubs/shop").text
    to_the_checkout(browser, stall, small=1)
    assert "Tours (37…) · €3.00" in browser.page.text
