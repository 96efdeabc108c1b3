"""A guest's order becomes a member's through the link in its e-mail, and through nothing that the guest has."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from commensal.catalogs.tables import offer
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.tables import customer, customer_in_category
from commensal.instance import Instance
from commensal.orders.emails import mailed_secret
from commensal.people.people import Person, add_person, new_person
from commensal.storage.database import Transaction
from commensal.storage.jobs.tables import job

from .conftest import PASSWORD, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def mailed_link(instance: Instance) -> str:
    """Returns the path of the link in the last e-mail about an order, which is sent now."""
    with instance.store.write() as tx:
        payload = select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.created_at.desc(), job.c.id.desc())
        return f"/orders/guest/{mailed_secret(tx, tx.value(payload)['order_id'])}"


def _group(tx: Transaction) -> str:
    """A group of the shop, with its only customer."""
    group = create_category(tx, "shop", name="Members").id
    customer_id = tx.value(select(customer.c.id))
    tx.execute(insert(customer_in_category).values(customer_id=customer_id, category_id=group))
    return group


def sends_by_itself(browser: Browser) -> bool:
    """Whether the script of the page sends its form."""
    return any("data-confirms" in attributes for _, attributes in browser.page.elements)


@pytest.fixture
def guest_page(browser: Browser, stall: Stall, ada: Person) -> str:
    """An order with Ada's address by someone who is not logged in. Returns the path of its page."""
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall, email=ada.email)
    return browser.at


def test_who_placed_it_is_told_to_read_their_mail_and_has_nothing_to_press(browser: Browser, guest_page: str) -> None:
    browser.go(guest_page)
    assert "follow the link in our e-mail" in browser.page.text
    assert "Is this order yours?" not in browser.page.text
    browser.post(f"{guest_page}/mine")
    assert browser.status == 422
    assert "Follow the link in the e-mail about this order" in browser.page.text


def test_ada_follows_the_link_and_finds_the_order_among_hers(
    browser: Browser, stall: Stall, instance: Instance, guest_page: str
) -> None:
    ada = browser.another()
    link = mailed_link(instance)
    ada.go(link)
    assert "Do you have an account here?" in ada.page.text
    ada.log_in()
    with instance.store.write() as tx:
        tx.execute(insert(offer).values(id="hers", item_id=stall.small, category_id=_group(tx), price=100, version=1))
    ada.go(link)
    assert "it then costs €2.00 instead of €4.80" in ada.page.text
    assert "It will stand among your orders." in ada.page.text
    assert not sends_by_itself(ada), "somebody else may have typed Ada's address"
    assert stored_orders(stall)[0]["person_id"] is None, "a link alone is followed by machines too"
    ada.send(f"{link}/mine")
    order = stored_orders(stall)[0]
    assert order["total"] == 200
    assert (ada.at, order["identity"]) == (f"/orders/{order['id']}?done=confirmed", "proven")
    assert f"/orders/{order['id']}" in ada.go("/orders").links()
    ada.go(link)
    assert ada.at == f"/orders/{order['id']}", "the e-mail still leads there"
    browser.go(guest_page)
    assert browser.status == 404, "who placed it is out"
    browser.go(link)
    assert browser.at.startswith("/login?next=")


def test_who_has_no_account_proves_their_address_all_the_same(
    browser: Browser, stall: Stall, instance: Instance
) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    link = mailed_link(instance)
    elsewhere = browser.another()
    elsewhere.go(link)
    assert not sends_by_itself(elsewhere), "a program that checks e-mails is not where the order was placed"
    browser.go(link)
    assert sends_by_itself(browser)
    browser.send(f"{link}/mine")
    assert (browser.at, browser.status) == (f"{link}?done=confirmed", 200)
    assert "Your order is confirmed." in browser.page.text
    assert not sends_by_itself(browser)
    assert "Is this order yours?" not in browser.page.text
    assert (stored_orders(stall)[0]["identity"], stored_orders(stall)[0]["person_id"]) == ("proven", None)


def test_somebody_else_who_is_logged_in_is_shown_out(
    browser: Browser, stall: Stall, instance: Instance, guest_page: str
) -> None:
    link = mailed_link(instance)
    ada = browser.another()
    ada.log_in()
    ada.go(link)
    ada.send(f"{link}/mine")
    eve = browser.another()
    with instance.store.write() as tx:
        add_person(tx, new_person(email="eve@example.org", name="Eve", password=PASSWORD, language="en"))
    eve.log_in("eve@example.org")
    eve.go(link)
    assert eve.status == 403
    assert "This order belongs to another account." in eve.page.text
