"""E-mails about orders bought on the pages: how to pay, where to collect, and a link that opens the order."""

from __future__ import annotations

import email
import re
from email.policy import default as modern
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import order_is_ready
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.tables import order_link
from commensal.orders.values import Order, Wish
from commensal.parts.mail import deliver
from commensal.parts.serving.work import work_of
from commensal.payments.begin import change_payment_method, payment_under_way
from commensal.payments.methods import choose_method
from commensal.payments.payments import payments_of, receive_payment
from commensal.people.people import Person
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.tables import job
from commensal_pickup.places import change_place, places_of

from .conftest import Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


class Mails:
    """The folder of e-mails, which are written there if no server is set."""

    def __init__(self, stall: Stall) -> None:
        self.stall, self.seen = stall, 0

    def arrive(self) -> list[str]:
        """Returns the texts of e-mails sent since the last call, each on one line."""
        tick(self.stall.instance, work_of(self.stall.instance))
        paths = (self.stall.instance.folder / deliver.FOLDER).glob("*.eml")
        files = sorted(paths, key=lambda file: file.stat().st_mtime_ns)
        new_files, self.seen = files[self.seen :], len(files)
        messages = [email.message_from_bytes(file.read_bytes(), policy=modern) for file in new_files]
        bodies = [message.get_body(("plain",)) for message in messages]
        return [" ".join(str(body.get_content()).split()) for body in bodies if body is not None]


@pytest.fixture
def mails(stall: Stall) -> Mails:
    return Mails(stall)


def _links(text: str) -> list[str]:
    return [urlsplit(url).path for url in re.findall(r"https?://\S+/orders/\S+", text)]


def _change_by_hub(stall: Stall, **changes: object) -> Order:
    """The hub changes the only order."""
    (row,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        order = locked_order(tx, str(row["id"]), enterprise_id="shop")
        return change_order(tx, stall.instance.hooks, order, by_hub=True, **changes)  # type: ignore[arg-type]


def _pay_in_cash(stall: Stall, amount: int) -> None:
    """The hub receives `amount` cents for the only order."""
    (row,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=str(row["id"]),
            method="cash:cash",
            amount=amount,
            idempotency_key="till",
            person_id=None,
        )


# ------------------------------------------------------------------------------------------------ how to pay


def test_the_confirmation_waits_until_it_can_say_how_to_pay(browser: Browser, stall: Stall, mails: Mails) -> None:
    """The workers are quick: one runs between the order and its payment."""
    wish = Wish(
        items={stall.eggs: 1},
        name="Bob",
        email="bob@example.org",
        language="en",
        shipping=stall.slots[0],
        payment_method="cash:cash",
    )
    with stall.instance.store.write() as tx:
        place_order(tx, stall.instance.hooks, "shop-session", wish, secret="s" * 43)
    assert mails.arrive() == []
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    (text,) = mails.arrive()
    assert "Please bring €2.40" in text, text
    assert "To pay: €2.40" in text


def test_a_payment_that_the_browser_never_began_is_begun_for_the_confirmation(
    stall: Stall, mails: Mails, clock: ManualClock
) -> None:
    wish = Wish(
        items={stall.eggs: 1},
        name="Bob",
        email="bob@example.org",
        language="en",
        shipping=stall.slots[0],
        payment_method="cash:cash",
    )
    with stall.instance.store.write() as tx:
        place_order(tx, stall.instance.hooks, "shop-session", wish, secret="s" * 43)
    clock.advance(seconds=31)
    (text,) = mails.arrive()
    assert "Please bring €2.35" in text


def test_an_order_without_a_way_to_pay_is_confirmed_at_once(stall: Stall, mails: Mails) -> None:
    wish = Wish(items={stall.eggs: 1}, name="Bob", email="bob@example.org", language="en", shipping=stall.slots[0])
    with stall.instance.store.write() as tx:
        place_order(tx, stall.instance.hooks, "shop-session", wish, secret="s" * 43)
    (text,) = mails.arrive()
    assert "To pay: €2.35" in text
    assert "You can pay on the page of your order." in text


def test_a_card_that_was_declined_is_told_with_what_to_do(browser: Browser, stall: Stall, mails: Mails) -> None:
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "bank", "settings": {}, "version": 1}
        tx.execute(enterprise_plugin.insert().values(row))
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall, payment_method="bank:card")
    (text,) = mails.arrive()
    assert "Your bank has said no." in text
    assert "You can pay on the page of your order." in text


@pytest.mark.parametrize(("by_hub", "paid"), [(False, 0), (True, 0), (True, 480)])
def test_a_changed_order_asks_for_its_new_amount(
    browser: Browser, stall: Stall, mails: Mails, by_hub: bool, paid: int
) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    mails.arrive()
    if paid:
        _pay_in_cash(stall, paid)
    if by_hub:
        _change_by_hub(stall, items={stall.small: 3})
    else:
        browser.go(f"{browser.at}/change")
        browser.send("", ("then", "look"), **{f"items/{stall.small}": "3"})
        browser.send("", ("then", "change"))
    (text,) = mails.arrive()
    assert f"Please bring €{(720 - paid) / 100:.2f}" in text, text
    assert "Please bring €4.80" not in text
    (row,) = stored_orders(stall)
    with stall.instance.store.read() as tx:
        payment = payment_under_way(payments_of(tx, "shop", str(row["id"])))
    assert payment is not None
    assert payment.amount == 720 - paid


def test_nobody_who_has_paid_too_much_is_asked_to_pay(browser: Browser, stall: Stall, mails: Mails) -> None:
    to_the_checkout(browser, stall, small=3)
    buy(browser, stall)
    _pay_in_cash(stall, 720)
    _change_by_hub(stall, items={stall.small: 2})
    text = mails.arrive()[-1]
    assert "Paid too much; it will be given back to you: €2.40" in text
    assert "Please bring" not in text


def test_the_page_of_an_order_does_not_ask_for_the_amount_before_a_change(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    _change_by_hub(stall, items={stall.small: 3})
    browser.go(browser.at)
    assert "Please bring €4.80" not in browser.page.text


def test_who_pays_another_way_is_told_that_way(browser: Browser, stall: Stall, mails: Mails) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    mails.arrive()
    (row,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        plugin = {"enterprise_id": "shop", "plugin": "bank", "settings": {}, "version": 1}
        tx.execute(enterprise_plugin.insert().values(plugin))
    chosen = choose_method(stall.instance, str(row["id"]), "bank:card", "en")
    with stall.instance.store.write() as tx:
        order = locked_order(tx, str(row["id"]), enterprise_id="shop")
        assert change_payment_method(tx, stall.instance.hooks, order, chosen).payment_method == "bank:card"
    (text,) = mails.arrive()
    assert "Your bank has said no." in text, "the card was asked for the money"
    assert "Please bring" not in text


# ------------------------------------------------------------------------------------------------ where


def _move_place(stall: Stall, **fields: str) -> None:
    with stall.instance.store.write() as tx:
        (hall,) = [place for place in places_of(tx, "shop") if place.name == "Salle des fêtes"]
        change_place(tx, "shop", hall.id, hall.version, **fields)  # type: ignore[arg-type]


def test_street_and_door_of_the_pickup_place_are_told(browser: Browser, stall: Stall, mails: Mails) -> None:
    _move_place(stall, street="3 rue du Lavoir", postcode="37000", city="Tours", note="Blue door,\nring twice")
    to_the_checkout(browser, stall, small=1)
    assert "3 rue du Lavoir, 37000 Tours" in browser.page.text
    assert "Blue door, ring twice" in browser.page.text
    buy(browser, stall)
    assert "3 rue du Lavoir, 37000 Tours" in browser.page.text
    assert "Blue door, ring twice" in browser.page.text
    (text,) = mails.arrive()
    assert "3 rue du Lavoir, 37000 Tours Blue door, ring twice" in text
    (row,) = stored_orders(stall)
    assert (row["shipping_address"], row["shipping_note"]) == ("3 rue du Lavoir, 37000 Tours", "Blue door,\nring twice")


def test_a_place_that_has_moved_is_told_where_it_is_now(browser: Browser, stall: Stall, mails: Mails) -> None:
    _move_place(stall, street="3 rue du Lavoir")
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    mails.arrive()
    _move_place(stall, street="8 place du Marché")
    (row,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        order_is_ready(tx, locked_order(tx, str(row["id"]), enterprise_id="shop"))
    (text,) = mails.arrive()
    assert "8 place du Marché" in text
    browser.go(browser.at)
    assert "8 place du Marché" in browser.page.text
    assert "3 rue du Lavoir" not in text + browser.page.text


# ------------------------------------------------------------------------------------------------ the link


@pytest.mark.parametrize("kind", ["changed", "ready", "cancelled"])
def test_every_later_mail_to_a_guest_opens_the_order(browser: Browser, stall: Stall, mails: Mails, kind: str) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    mails.arrive()
    (row,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        order = locked_order(tx, str(row["id"]), enterprise_id="shop")
        if kind == "changed":
            change_order(tx, stall.instance.hooks, order, items={stall.small: 1}, by_hub=True)
        elif kind == "ready":
            order_is_ready(tx, order)
        else:
            cancel_order(tx, stall.instance.hooks, order, by_hub=True)
    (text,) = mails.arrive()
    (link,) = _links(text)
    assert link.startswith("/orders/guest/")
    other_browser = browser.another()
    other_browser.go(link)
    assert (other_browser.status, "Order 1" in other_browser.page.text) == (200, True)


def test_a_person_is_led_to_the_order_in_their_account(
    browser: Browser, stall: Stall, mails: Mails, ada: Person
) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall, name="Ada", email="ada@example.org")
    mails.arrive()
    _change_by_hub(stall, items={stall.small: 1})
    (text,) = mails.arrive()
    (row,) = stored_orders(stall)
    assert _links(text) == [f"/orders/{row['id']}"]
    with stall.instance.store.read() as tx:
        assert tx.all(select(order_link)) == []


def test_secrets_of_links_are_stored_neither_before_nor_after_they_are_sent(
    browser: Browser, stall: Stall, mails: Mails
) -> None:
    to_the_checkout(browser, stall, small=2)
    buy(browser, stall)
    _change_by_hub(stall, items={stall.small: 1})
    with stall.instance.store.read() as tx:
        assert not any("secret" in row["payload"] for row in tx.all(select(job.c.payload)))
    secrets = [link.rpartition("/")[2] for text in mails.arrive() for link in _links(text)]
    assert len(set(secrets)) == 2
    with stall.instance.store.read() as tx:
        stored_rows = str([*tx.all(select(order_link)), *tx.all(select(job))])
    assert not any(secret in stored_rows for secret in secrets)
