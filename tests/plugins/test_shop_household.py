"""Two people share the account of one customer, by forms alone."""

from __future__ import annotations

import pytest

from commensal.enterprises.customers import create_customer
from commensal.people.people import Person, add_person, new_person

from .conftest import PASSWORD, SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def test_two_people_share_an_account_order_from_it_and_part(browser: Browser, stall: Stall, ada: Person) -> None:
    bob = new_person(email="bob@example.org", name="Bob Petit", password=PASSWORD, language="en")
    with stall.instance.store.write() as tx:
        record = create_customer(tx, "shop", email=ada.email, name="Ada").id
        add_person(tx, bob, confirmed=True)
    of_bob = browser.another()
    browser.log_in()
    browser.go("/account")
    assert "Share my account with somebody" in browser.page.text
    browser.send("/account/household", invited=bob.email, invited_password="not the password")
    assert (browser.status, "This is not your password." in browser.page.text) == (422, True)
    assert browser.page.form("/account/household").fields["invited"] == bob.email
    browser.send("/account/household", invited_password=PASSWORD)
    assert "The invitation is on its way." in browser.page.text
    assert "bob@example.org invitation sent" in " ".join(browser.page.text.split())

    of_bob.log_in(bob.email)
    of_bob.go("/account")
    assert "Ada Martin invites you to share one customer account at Halle Saint-Jean" in of_bob.page.text
    (invitation,) = (form for form in of_bob.page.forms if "/household-invitations/" in form.action)
    of_bob.send(invitation.action, ("answer", "accept"))
    assert "You share the account of Ada Martin (ada@example.org)." in of_bob.page.text
    assert "Share my account with somebody" not in of_bob.page.text, "only Ada invites to her account"

    to_the_checkout(of_bob, stall, eggs=1)
    buy(of_bob, stall, name="Bob Petit", email=bob.email)
    (order,) = stored_orders(stall)
    assert order["customer_id"] == record
    browser.go("/orders")
    assert "Ordered by Bob Petit" in browser.page.text
    browser.go(f"/orders/{order['id']}")
    assert f"/orders/{order['id']}/change" in browser.page.links()
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "1"})
    assert "Bob Petit has already ordered: order 1" in browser.go(SALE).text
    assert "Add to order 1 of Bob Petit" in browser.go(f"{SALE}/cart").text
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    assert "You have already ordered: order 2" in browser.go(SALE).text, "her own comes first"

    of_bob.go("/account")
    remove = of_bob.page.form(f"/account/household/{record}")
    of_bob.send(remove.action, ("remove", ada.id))
    assert "You share the account of Ada Martin" in of_bob.page.text, "nobody removes the founder"
    (person,) = (attributes["value"] for _, attributes in of_bob.page.elements if attributes.get("name") == "remove")
    of_bob.send(remove.action, ("remove", person))
    assert "You share the account of" not in of_bob.page.text
    of_bob.go(f"/orders/{order['id']}")
    assert of_bob.status == 404
