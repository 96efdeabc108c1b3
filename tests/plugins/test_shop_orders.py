"""My order: shown, changed, cancelled and paid by its owner or with a guest's secret, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from commensal.base.clock import ManualClock
from commensal.catalogs.tables import offer
from commensal.enterprises.guest_policy import change_guest_policy
from commensal.enterprises.plugins import enable_plugin
from commensal.orders.fulfil import hand_order_over, order_is_ready
from commensal.orders.lock import locked_order
from commensal.orders.tables import guest_order
from commensal.payments.payments import payments_of, receive_payment
from commensal.payments.refunds import refund
from commensal.people.people import Person
from commensal.sale_sessions.tables import coordination_supplier
from commensal.testing.placed import a_placed_order

from .conftest import Browser, Stall, buy, stored_orders, to_the_checkout
from .test_shop_fronts import choose

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

LOOK, CHANGE = ("then", "look"), ("then", "change")
NO_NUMBERS = ("１２", "-1", "1,5", "²", "1" + "0" * 5000)


@pytest.fixture
def order_page(browser: Browser, stall: Stall) -> str:
    """The address of a guest's order of two small bags of carrots and one box of eggs."""
    to_the_checkout(browser, stall, small=2, eggs=1)
    buy(browser, stall, collector="Lise")
    return browser.at


def test_an_order_is_changed_after_its_new_total_was_seen(browser: Browser, stall: Stall, order_page: str) -> None:
    assert "Collected by Lise" in browser.page.text
    browser.go(f"{order_page}/change")
    browser.send("", LOOK, **{f"items/{stall.small}": "3", f"items/{stall.eggs}": "0"})
    assert "Your order after the change" in browser.page.text
    assert stored_orders(stall)[0]["total"] == 715  # nothing has changed yet
    browser.send("", CHANGE, collector="Lise, next door")
    assert browser.at == order_page
    assert stored_orders(stall)[0]["total"] == 720
    assert "Collected by Lise, next door" in browser.page.text
    assert "Please bring €7.20" in browser.page.text


def test_who_has_to_confirm_an_order_first_is_told_how_to_pay_afterwards(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        change_guest_policy(tx, "shop", guests="link", orders_of_mailbox=9, orders_of_network=9)
    to_the_checkout(browser, stall, small=2, eggs=1)
    buy(browser, stall)
    assert "Please confirm your order by" in browser.page.text
    assert "to be confirmed" in browser.page.text
    assert "Saturday, 6 June 2026" in browser.page.text
    assert "How to pay" not in browser.page.text
    with stall.instance.store.write() as tx:
        tx.execute(update(guest_order).values(confirm_by=None))  # as the link in the e-mail does
    assert "How to pay" in browser.go(browser.at).text


def test_a_change_is_not_made_at_another_total_than_was_seen(browser: Browser, stall: Stall, order_page: str) -> None:
    browser.go(f"{order_page}/change")
    browser.send("", LOOK, **{f"items/{stall.small}": "3"})
    browser.send("", CHANGE, **{f"items/{stall.small}": "4"})
    assert browser.status == 409
    assert "The total has changed from €9.55 to €11.95" in browser.page.text
    assert stored_orders(stall)[0]["total"] == 715


def test_a_change_that_cannot_be_says_why(browser: Browser, stall: Stall, order_page: str) -> None:
    for quantities, status, expected in (
        ({f"items/{stall.small}": "20"}, 409, "Only 10 kg of Carottes are left"),
        ({f"items/{stall.small}": "0", f"items/{stall.eggs}": "0"}, 409, "Nothing would be left of this order"),
        ({f"items/{stall.small}": "x"}, 422, "x is not a number of pieces."),
        *(({f"items/{stall.small}": text}, 422, "is not a number of pieces.") for text in NO_NUMBERS),
    ):
        browser.go(f"{order_page}/change")
        browser.send("", LOOK, **quantities)
        assert browser.status == status
        assert expected in browser.page.text
    assert stored_orders(stall)[0]["version"] == 1


def test_more_at_a_new_price_stands_beside_what_was_ordered_before(
    browser: Browser, stall: Stall, order_page: str
) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(offer).where(offer.c.item_id == stall.small).values(price=400))
    browser.go(f"{order_page}/change")
    browser.send("", LOOK, **{f"items/{stall.small}": "3"})
    browser.send("", CHANGE)
    assert stored_orders(stall)[0]["total"] == 715 + 400
    page = browser.go(f"{order_page}/change").text
    assert "2 × 1 kg, €2.40" in page
    assert "1 × 1 kg, €4.00" in page
    assert browser.page.form("").fields[f"items/{stall.small}"] == "3"
    browser.send("", LOOK, **{f"items/{stall.small}": "2"})
    browser.send("", CHANGE)
    assert stored_orders(stall)[0]["total"] == 715


def test_an_order_that_cannot_be_cancelled_any_more_says_whose_goods_stay(
    browser: Browser, stall: Stall, order_page: str
) -> None:
    with stall.instance.store.write() as tx:
        row = {"coordination_id": "shop-sale", "enterprise_id": "shop", "closes_at": tx.now}
        tx.execute(insert(coordination_supplier).values(row))
    browser.post(f"{order_page}/cancel")
    assert browser.status == 409
    assert "Part of this order is being prepared and cannot be cancelled." in browser.page.text
    for name in ("Carottes", "Œufs par 6"):
        assert f"Halle Saint-Jean needs its orders earlier, and they have closed: {name} stays" in browser.page.text
    assert stored_orders(stall)[0]["state"] == "Held"


def test_two_who_change_one_order_do_not_overwrite_each_other(browser: Browser, stall: Stall, order_page: str) -> None:
    browser.go(f"{order_page}/change")
    other_browser = browser.another()
    other_browser.go(f"{order_page}/change")
    other_browser.send("", LOOK, **{f"items/{stall.small}": "1"})
    other_browser.send("", CHANGE)
    browser.send("", LOOK, **{f"items/{stall.small}": "5"})
    assert browser.status == 422
    assert "Somebody has changed this meanwhile." in browser.page.text


def test_an_order_is_cancelled_after_a_question(browser: Browser, stall: Stall, order_page: str) -> None:
    browser.go(f"{order_page}/cancel")
    assert "Do you want to cancel this order of €7.15?" in browser.page.text
    assert stored_orders(stall)[0]["state"] == "Held"
    browser.send("")
    assert browser.at == order_page
    assert "cancelled" in browser.page.text
    assert "Please bring" not in browser.page.text
    assert "it is your key to this order" not in browser.page.text, "nothing is left to be changed"
    browser.post(f"{order_page}/cancel")
    assert browser.at == order_page
    (row,) = stored_orders(stall)
    assert row["state"] == "Cancelled"
    browser.send("/again")
    assert (browser.at, "Carottes" in browser.page.text) == ("/sales/shop-session/cart", True), "by mistake"
    with stall.instance.store.read() as tx:
        assert [payment.state for payment in payments_of(tx, "shop", str(row["id"]))] == ["Cancelled"]


def test_what_was_given_back_is_shown(browser: Browser, stall: Stall, order_page: str) -> None:
    payment_fields = {"enterprise_id": "shop", "order_id": str(stored_orders(stall)[0]["id"]), "method": "cash:cash"}
    with stall.instance.store.write() as tx:
        receive_payment(tx, **payment_fields, amount=715, idempotency_key="paid", person_id=None)
    browser.go(f"{order_page}/change")
    browser.send("", LOOK, **{f"items/{stall.eggs}": "0"})
    assert "You have paid €7.15: €2.35 comes back to you." in browser.page.text
    assert "obligation to pay" not in browser.page.text
    assert "What you have paid, €7.15, comes back to you." in browser.go(f"{order_page}/cancel").text
    browser.post(f"{order_page}/cancel")
    assert "The hub will give back what is too much." in browser.go(order_page).text
    with stall.instance.store.write() as tx:
        refund(tx, **payment_fields, amount=715, idempotency_key="back", person_id=None)  # type: ignore[arg-type]
    page = browser.go(order_page).text
    assert "Received so far: €7.15. Given back on Thursday, 4 June 2026: €7.15." in page
    assert "will give back" not in page


def test_after_the_close_an_order_stays_as_it_is(
    browser: Browser, stall: Stall, order_page: str, clock: ManualClock
) -> None:
    browser.go(f"{order_page}/change")
    clock.advance(days=1, hours=1)
    browser.send("", LOOK, **{f"items/{stall.small}": "1"})
    assert browser.status == 409
    assert "Orders closed on Friday, 5 June 2026, 12:00. Your order stays as it is." in browser.page.text
    browser.post(f"{order_page}/cancel")
    assert "Orders closed on Friday, 5 June 2026, 12:00. Your order stays as it is." in browser.page.text
    assert stored_orders(stall)[0]["state"] == "Held"
    assert f"{order_page}/change" not in browser.go(order_page).links()
    for address in ("change", "cancel"):
        browser.go(f"{order_page}/{address}")
        assert browser.at == order_page


def test_the_page_says_how_far_an_order_is(browser: Browser, stall: Stall, order_page: str) -> None:
    (row,) = stored_orders(stall)
    hub: dict[str, Any] = {"enterprise_id": "shop"}
    choose(stall, accent="plum")
    with stall.instance.store.write() as tx:
        order_is_ready(tx, locked_order(tx, str(row["id"]), **hub))
    assert "ready to collect" in browser.go(order_page).text
    browser.go(f"{order_page}/receipt")
    assert browser.at == order_page, "it is not paid yet"
    with stall.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, str(row["id"]), **hub))
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=str(row["id"]),
            method="cash:cash",
            amount=715,
            idempotency_key="x",
            person_id=None,
        )
    text = browser.go(order_page).text
    assert "collected" in text
    assert "paid" in text
    assert "Please bring" not in text
    assert "Received so far: €7.15." in text
    receipt = browser.go(f"{order_page}/receipt").text
    for words in ("Receipt for order 1", "Sold by", "CollectedThursday, 4 June 2026", "of which VAT 5.5%", ": €7.15."):
        assert words in receipt, words
    assert dict(browser.page.elements)["html"]["data-accent"] == "plum", "the colour of the hub"


def test_a_payment_that_fails_leaves_the_order_and_can_be_tried_again(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "bank", {})
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall, payment_method="bank:card")
    assert "Your bank has said no." in browser.page.text
    assert [row["state"] for row in stored_orders(stall)] == ["Held"]
    browser.send("/pay", payment_method="cash:cash")
    assert "Please bring €2.40" in browser.page.text


def test_a_way_to_pay_that_is_not_offered_is_refused(browser: Browser, stall: Stall, order_page: str) -> None:
    browser.post(f"{order_page}/pay", payment_method="stripe:card", attempt="1")
    assert browser.status == 409
    assert "This way to pay is not offered for this order." in browser.page.text


def test_orders_of_others_are_not_there(browser: Browser, stall: Stall, order_page: str, ada: Person) -> None:
    (row,) = stored_orders(stall)
    stranger = browser.another()
    stranger.go(f"/orders/{row['id']}")
    assert stranger.at.startswith("/login?next=")
    stranger.log_in()
    for address in (f"/orders/{row['id']}", "/orders/no-such-order", "/orders/guest/not-the-secret"):
        for subpage in ("", "/change", "/cancel"):
            stranger.go(f"{address}{subpage}")
            assert stranger.status == 404, address
        stranger.post(f"{address}/cancel")
        assert stranger.status == 404
    assert stored_orders(stall)[0]["state"] == "Held"


def test_a_basket_is_no_order(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, small=1)
    browser.go(f"/orders/{browser.page.form('').fields['cart']}")
    assert browser.status == 404


def test_my_orders_need_a_log_in_and_come_in_pages(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.go("/orders")
    assert browser.at == "/login?next=/orders"
    browser.log_in()
    assert "You have not ordered anything yet." in browser.go("/orders").text
    with stall.instance.store.write() as tx:
        newest_ids = [a_placed_order(tx, person_id=ada.id) for _ in range(21)][::-1]
    first_page = browser.go("/orders")
    shown_ids = [link.removeprefix("/orders/") for link in first_page.links() if link.startswith("/orders/")]
    assert shown_ids == newest_ids[:20]
    (older,) = (link for link in first_page.links() if link.startswith("/orders?after="))
    assert f"/orders/{newest_ids[20]}" in browser.go(older).links()
