"""Gift cards through the pages: chosen in the shop, paid with an order or alone, and seen in the office."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commensal import receive_payment
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.testing import RunJobs
from commensal_vouchers.sold_cards import latest_card_sales

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, stored_orders, to_the_checkout
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup", "vouchers")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

GIFT, SOLD = "/hubs/shop/gift-card", f"{OFFICE}/money/gift-cards"


@pytest.fixture(autouse=True)
def sold(stall: Stall) -> None:
    row = {"enterprise_id": "shop", "plugin": "vouchers", "settings": {"gift_cards": True}, "version": 1}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(row))


def choose(browser: Browser, **fields: str) -> None:
    browser.go(GIFT)
    browser.send(GIFT, **fields)


def pay(stall: Stall, run_jobs: RunJobs) -> None:
    (order,) = stored_orders(stall)
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=str(order["id"]),
            method="cash:cash",
            amount=int(str(order["total"])),
            idempotency_key="1",
            person_id=None,
        )
    run_jobs()


def test_a_guest_buys_a_card_alone_and_reads_its_code_once_it_is_paid(
    browser: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    assert GIFT in browser.go("/hubs/shop").links()
    choose(browser, amount="5000", recipient="zoe@example.org", giver="Bob", message="Bon appétit")
    assert (browser.at, browser.status) == (f"{SALE}/checkout", 200)
    assert browser.page.values("shipping") == [], "nothing is collected"
    browser.send("", ORDER, **CONTACT, payment_method="cash:cash")
    assert browser.at.startswith("/orders/guest/")
    order_page = browser.at
    assert "The code comes as soon as the order is paid." in browser.page.text
    assert not {"collected", "Collection"} & {*browser.page.text.split()}
    pay(stall, run_jobs)
    with stall.instance.store.read() as tx:
        (sale,) = latest_card_sales(tx, "shop", limit=5)
    assert (sale.amount, sale.recipient, sale.message) == (5000, "zoe@example.org", "Bon appétit")
    assert "50.00 · GC-" in browser.go(order_page).text.replace("€", "")
    assert "sent to zoe@example.org" in browser.page.text


def test_a_card_joins_what_is_in_the_basket_already(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, eggs=2)
    assert f"{GIFT}?sale=shop-session" in browser.go(f"{SALE}/cart").links()
    choose(browser, own="12,50")
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0], payment_method="cash:cash")
    (order,) = stored_orders(stall)
    assert (order["products_total"], order["adjustments_total"], order["fulfilment_state"]) == (
        430,
        1250,
        "Unfulfilled",
    )


@pytest.mark.parametrize("own", ["1e-999999999", "many", "0", "1000"])
def test_an_amount_that_a_card_cannot_have_is_refused_and_nothing_typed_is_lost(
    browser: Browser, stall: Stall, own: str
) -> None:
    choose(browser, own=own, message="Bon appétit")
    assert (browser.status, browser.at.partition("?")[0]) == (422, GIFT)
    fields = browser.page.form(GIFT).fields
    assert (fields["own"], fields["message"]) == (own, "Bon appétit")


def test_a_sale_that_closes_while_a_card_is_chosen_is_told_and_nothing_typed_is_lost(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    browser.go(GIFT)
    form = browser.page.form(GIFT)
    clock.advance(days=9)
    browser.post(GIFT, **{**form.fields, "message": "Bon appétit"})
    assert (browser.status, "none is open now" in browser.page.text) == (409, True)


def test_a_hub_that_sells_none_has_no_such_page(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(enterprise_plugin.update().where(enterprise_plugin.c.plugin == "vouchers").values(settings={}))
    assert GIFT not in browser.go("/hubs/shop").links()
    browser.go(GIFT)
    assert browser.status == 404


def test_the_treasurer_sees_what_was_sold_and_what_is_owed_and_sends_a_card_again(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    guest = owner.another()
    choose(guest, amount="2000")
    guest.send("", ORDER, **CONTACT, payment_method="cash:cash")
    owner.go(f"{OFFICE}/money")
    assert SOLD in owner.page.links()
    assert "to be paid" in owner.go(SOLD).text
    pay(stall, run_jobs)
    text = owner.go(SOLD).text
    assert ("not used yet" in text, "On all gift cards, also those that you have made: €20.00" in text) == (True, True)
    with stall.instance.store.read() as tx:
        (sale,) = latest_card_sales(tx, "shop", limit=5)
    owner.send(SOLD, sale=sale.id)
    assert "mailed once more" in owner.page.text
    sent_before = len(list((stall.instance.folder / "mail").glob("*")))
    run_jobs()
    assert len(list((stall.instance.folder / "mail").glob("*"))) == sent_before + 1
    report = (
        "/api/enterprises/shop/reports/vouchers/gift_cards?language=en&format=csv&since=2026-06-01&until=2026-06-30"
    )
    assert "bought" in owner.client.get(report).text


def test_who_packs_reads_no_gift_cards(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.go(SOLD)
    assert browser.status in (403, 404)


def test_a_basket_with_a_card_and_no_goods_says_what_waits_at_the_checkout(browser: Browser, stall: Stall) -> None:
    assert "Your basket is empty." in browser.go(f"{SALE}/cart").text
    choose(browser, amount="2000")
    for page in (f"{SALE}/cart", SALE):
        text = browser.go(page).text
        assert "Your basket is empty." not in text, page
        assert "This waits for you at the checkout:" in text, page
        assert "€20.00" in text, page
    browser.go(f"{SALE}/cart")
    assert f"{SALE}/checkout" in browser.page.links()
    browser.go(f"{SALE}/checkout")
    browser.send("", ("then", f"remove/{code_at_checkout(browser)}"))
    assert "Your basket is empty." in browser.go(f"{SALE}/cart").text


def test_the_basket_shows_a_card_beside_the_goods(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, eggs=2)
    choose(browser, amount="2000")
    assert "This waits for you at the checkout:" in browser.go(f"{SALE}/cart").text


def code_at_checkout(browser: Browser) -> str:
    return next(value for name, value in browser.page.form("").fields.items() if name.startswith("codes/"))
