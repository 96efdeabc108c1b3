"""The shop: the page of one's own account."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commensal.enterprises.customers import create_customer, customers_of_person
from commensal.enterprises.tables import enterprise_plugin
from commensal.people.people import Person, add_person, new_person
from commensal_account.accounts import open_account, write_entry

from .conftest import PASSWORD, Browser, Stall, buy, stored_orders, to_the_checkout

PLUGINS = ("shop", "office", "cash", "pickup", "account")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def a_person(stall: Stall, email: str = "ada@example.org", name: str = "Ada") -> Person:
    with stall.instance.store.write() as tx:
        added = add_person(tx, new_person(email=email, name=name, password=PASSWORD, language="en"), confirmed=True)
    assert added is not None
    return added


@pytest.fixture
def ada(browser: Browser, stall: Stall) -> Browser:
    a_person(stall)
    browser.log_in()
    browser.go("/account")
    return browser


def test_name_and_telephone_are_changed_for_the_next_orders(ada: Browser) -> None:
    ada.send("/account/me", name="Ada Lovelace", phone="06 39 98 58 66", language="fr")
    assert (ada.status, ada.page.form("/account/me").fields["name"]) == (200, "Ada Lovelace")
    ada.send("/account/me", name="", phone="1")
    assert (ada.status, ada.page.form("/account/me").fields["phone"]) == (422, "1")
    assert "Indiquez votre nom." in ada.page.text
    form = ada.go("/account").form("/account/me").fields
    ada.send("/account/me", name="Ada L.")
    ada.post("/account/me", **{**form, "name": "Somebody"})  # the form of another tab
    assert (ada.status, ada.go("/account").form("/account/me").fields["name"]) == (422, "Ada L.")


def test_a_new_password_logs_the_other_devices_out(ada: Browser, stall: Stall) -> None:
    other = Browser(ada.client.__class__(ada.client.app, base_url=str(ada.client.base_url)))
    other.log_in()
    ada.send("/account/password", old="not this one", new="another long password")
    assert (ada.status, "This is not your password." in ada.page.text) == (422, True)
    ada.send("/account/password", old=PASSWORD, new="another long password")
    assert "Your password is changed." in ada.page.text
    other.go("/account")
    assert other.at.startswith("/login")


def test_a_lost_telephone_is_logged_out(ada: Browser) -> None:
    other = Browser(ada.client.__class__(ada.client.app, base_url=str(ada.client.base_url)))
    other.client.headers["user-agent"] = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    other.log_in()
    assert "Firefox · Android" in ada.go("/account").text
    (lost,) = (
        form["value"]
        for tag, form in ada.page.elements
        if tag == "button" and form.get("name") == "session" and form["value"] != "others"
    )
    ada.post("/account/sessions", session=lost)
    assert ("Logged out there." in ada.page.text, "Firefox · Android" in ada.page.text) == (True, False)
    ada.post("/account/sessions", session=lost)  # twice does no harm
    assert ada.status == 200
    other.go("/account")
    assert other.at.startswith("/login")


def test_the_account_at_a_hub_is_read_by_its_owner_alone(browser: Browser, stall: Stall) -> None:
    a_person(stall)
    a_person(stall, "bob@example.org", "Bob")
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="account", settings={}, version=1))
        customer = create_customer(tx, "shop", email="ada@example.org", name="Ada")
        create_customer(tx, "shop", email="bob@example.org", name="Bob")
        open_account(tx, "shop", customer.id)
        write_entry(tx, "shop", customer.id, "paid in", 4000, note="an envelope", person_id=None)
    browser.log_in()
    browser.go("/account")
    assert ("€40.00 on the account" in browser.page.text, "an envelope" in browser.page.text) == (True, True)
    browser.send("/logout")
    browser.log_in("bob@example.org")
    assert "on the account" not in browser.go("/account").text


def test_the_account_begins_with_the_next_order_and_the_balance(ada: Browser, stall: Stall) -> None:
    assert "My next order" not in ada.page.text
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="account", settings={}, version=1))
    to_the_checkout(ada, stall, small=1)
    buy(ada, stall)
    order = ada.at.partition("?")[0]
    with stall.instance.store.write() as tx:
        (customer,) = customers_of_person(tx, str(stored_orders(stall)[0]["person_id"]))
        open_account(tx, "shop", customer.id)
    text = ada.go("/account").text
    words = ("My next order", "on the account", "Save", "Change the password", "Download my data")
    places = [text.index(each) for each in words]
    assert places == sorted(places)
    ids = {attributes.get("id") for _, attributes in ada.page.elements}
    jumps = [link.removeprefix("#") for link in ada.page.links() if link.startswith("#")]
    assert (len(jumps) > 5, set(jumps) - ids) == (True, set())
    ada.post(f"{order}/cancel")
    assert "My next order" not in ada.go("/account").text
