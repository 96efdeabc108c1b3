"""A purchase by forms alone, as a guest and as a person, with everything that may come in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from commensal.base.clock import ManualClock
from commensal.catalogs.tables import offer
from commensal.enterprises.tables import enterprise
from commensal.orders.tables import cart_line, customer_order
from commensal.people.people import Person
from commensal.sale_sessions.tables import coordination_supplier
from commensal_pickup.tables import pickup_slot

from .conftest import CONTACT, ORDER, SALE, Browser, Page, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@pytest.mark.parametrize(
    ("language", "button", "pay", "shown_text"),
    [
        ("fr", "Commander avec obligation de paiement", "Merci d’apporter 7,15 €", "Gardez l’adresse de cette page"),
        ("en", "Order with obligation to pay", "Please bring €7.15", "Keep the address of this page"),
    ],
)
def test_a_guest_buys(browser: Browser, stall: Stall, language: str, button: str, pay: str, shown_text: str) -> None:
    browser.reads(language)
    to_the_checkout(browser, stall, small=2, eggs=1)
    assert button in browser.page.text
    buy(browser, stall)
    assert browser.at.startswith("/orders/guest/")
    assert pay in browser.page.text
    assert shown_text in browser.page.text
    (row,) = stored_orders(stall)
    assert (row["total"], row["name"], row["language"]) == (2 * 240 + 215 + 20, "Bob Le Goff", language)
    assert (row["person_id"], row["shipping"]) == (None, stall.slots[0])


def test_a_person_buys_and_finds_the_order_in_their_list(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, eggs=2)
    assert browser.page.form("").fields["name"] == "Ada Martin"
    browser.send("", ("then", "update"), shipping=stall.slots[1])
    assert "ada@example.org" in browser.page.text
    assert "email" not in browser.page.form("").fields, "nobody types another member's address"
    buy(browser, stall, slot=1, name="Ada Martin")
    (row,) = stored_orders(stall)
    assert browser.at == f"/orders/{row['id']}"
    assert (row["person_id"], row["total"], row["secret_hash"]) == (ada.id, 2 * 235 + 150, None)
    assert "Gare, Saturday, 6 June 2026, 17:00 –\u2060 18:00" in browser.page.text
    browser.go("/orders")
    assert f"/orders/{row['id']}" in browser.page.links()
    assert "Halle Saint-Jean" in browser.page.text


def test_the_sale_shows_what_the_law_wants(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    text = browser.page.text
    assert "€10.50 5 kg €2.10/kg" in text  # the price of a kilogram
    assert "€2.40 1 kg €2.40/kg" not in text
    assert "+ €0.20 deposit" in text
    assert "Allergens: Eggs" in text
    assert "Agriculture Biologique (AB)" in text
    assert "€10.50 5 kg €2.10/kg only 2 left" in text
    assert "Orders until Fri 5 Jun, 12:00" in text  # the close of the sale


# ------------------------------------------------------------------------------------------------ sent twice


def test_the_same_checkout_sent_twice_is_one_order(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    browser.post(f"{SALE}/checkout", **form, then="order")
    first_path = browser.at
    browser.post(f"{SALE}/checkout", **form, then="order")
    assert browser.at == first_path
    assert browser.status == 200
    assert len(stored_orders(stall)) == 1


def test_a_person_who_sends_twice_sees_the_one_order(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    for _ in range(2):
        browser.post(f"{SALE}/checkout", **form, email="chloe@example.org", then="order")
    (row,) = stored_orders(stall)
    assert row["email"] == "ada@example.org", "not whose address they forge"
    assert browser.at == f"/orders/{row['id']}"


def test_after_an_order_the_basket_is_empty_and_a_second_order_is_another_one(browser: Browser, stall: Stall) -> None:
    for _ in range(2):
        to_the_checkout(browser, stall, small=1)
        buy(browser, stall)
    assert len(stored_orders(stall)) == 2
    browser.go(f"{SALE}/cart")
    assert "Your basket is empty" in browser.page.text


# ------------------------------------------------------------------------------------------------ in between


def test_who_comes_too_late_is_told_what_is_left_and_keeps_the_basket(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, large=2)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    stall.count(stall.heap, 7)
    browser.post(f"{SALE}/checkout", **form, then="order")
    assert browser.at == f"{SALE}/cart"
    assert "Only 1 piece is left." in browser.page.text
    assert browser.page.form("/cart").fields[f"items/{stall.large}"] == "2"


def test_a_heap_that_two_sizes_share_is_counted_once(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "5", f"items/{stall.large}": "2"})
    assert "Together, the sizes of this product are more than is left." in browser.page.text
    browser.go(f"{SALE}/checkout")
    assert browser.at == f"{SALE}/cart"
    browser.send("/cart", ("then", "checkout"), **{f"items/{stall.small}": "2"})
    assert browser.at == f"{SALE}/checkout"


def test_what_is_sold_out_has_no_field(browser: Browser, stall: Stall) -> None:
    stall.count(stall.nests, 0)
    browser.go(SALE)
    assert "Sold out" in browser.page.text
    assert f"items/{stall.eggs}" not in browser.page.form("/cart").fields


def test_a_supplier_that_closes_earlier_says_so(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    with stall.instance.store.write() as tx:
        cut_off = {"coordination_id": "shop-sale", "enterprise_id": "shop", "closes_at": tx.now + timedelta(hours=1)}
        tx.execute(insert(coordination_supplier).values(cut_off))
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    clock.advance(hours=2)
    browser.go(SALE)
    assert "Orders closed" in browser.page.text
    browser.go(f"{SALE}/checkout")
    assert browser.at == f"{SALE}/cart"
    assert "Orders for Œufs par 6 have closed: its producer needs them earlier." in browser.page.text


def test_a_full_slot_is_said_where_slots_are_chosen(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "note": "Allô", "payment_method": "cash:cash"}
    with stall.instance.store.write() as tx:
        tx.execute(update(pickup_slot).values(taken=2).where(pickup_slot.c.id == stall.slots[0].partition(":")[2]))
    browser.post(f"{SALE}/checkout", **{**form, "shipping": stall.slots[0]}, then="order")
    assert browser.status == 409
    assert "is full; please choose another slot." in browser.page.text
    fields = browser.page.form("").fields
    assert (fields["name"], fields["email"], fields["note"]) == ("Bob Le Goff", "bob@example.org", "Allô")
    browser.send("", ORDER, shipping=stall.slots[1])
    assert browser.status == 409  # the other place has a fee, so the customer sees the new total first
    assert "With this choice the total is €3.90. Please confirm your order." in browser.page.text
    browser.send("", ORDER)
    assert [row["total"] for row in stored_orders(stall)] == [390]


def test_nobody_pays_another_total_than_they_were_shown(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    with stall.instance.store.write() as tx:
        tx.execute(update(offer).where(offer.c.item_id == stall.small).values(price=260))
    browser.post(f"{SALE}/checkout", **form, then="order")
    assert browser.status == 409
    assert "The total has changed from €2.40 to €2.60" in browser.page.text
    assert stored_orders(stall) == []
    browser.send("", ORDER)
    assert [row["total"] for row in stored_orders(stall)] == [260]


def test_all_mistakes_of_a_checkout_are_named_at_once(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, name=" ", email="bob@", phone="x" * 41)
    assert browser.status == 422
    invalid = {
        attributes["id"]: attributes
        for _, attributes in browser.page.elements
        if attributes.get("aria-invalid") == "true"
    }
    assert set(invalid) == {"name", "email", "phone"}
    for fields in invalid.values():
        assert fields["aria-describedby"].split()[-1] in browser.page.ids()
    assert "Choose how you will receive your order." in browser.page.text
    browser.send("", ORDER, name="Bob", email="bob@example.org", phone="abc nonsense")
    assert "This is not a telephone number, like 06 39 98 58 66." in browser.page.text
    assert stored_orders(stall) == []


def test_the_only_way_to_pay_is_chosen_already(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    assert browser.page.form("").fields["payment_method"] == "cash:cash"
    assert browser.page.form("").fields["shipping"] == ""  # of several options, none is preselected


def test_a_total_that_was_not_sent_is_asked_for(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall, total="abc")
    assert browser.status == 422
    assert stored_orders(stall) == []


def test_another_choice_shows_its_total_before_anything_is_ordered(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    assert "Until you choose, this total is with: " in browser.page.text
    browser.send("", ("then", "update"), shipping=stall.slots[1], name="Bob")
    assert browser.status == 200
    assert browser.page.form("").fields["total"] == "390"
    assert "This total is with: " in browser.page.text
    assert browser.page.form("").fields["name"] == "Bob"
    assert stored_orders(stall) == []


# ------------------------------------------------------------------------------------------------ open and closed


def test_a_closed_sale_sells_nothing(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    clock.advance(days=1)
    browser.post(f"{SALE}/checkout", **form, then="order")
    assert browser.at == f"{SALE}/cart"
    assert "Orders closed on Friday, 5 June 2026, 12:00. What is in your basket was not ordered." in browser.page.text
    assert "earlier" not in browser.page.text, "the sale has closed, and not one producer"
    assert "Update the basket" not in browser.page.text, "no quantity would help"
    empty = browser.another().go(f"{SALE}/cart")
    assert ("was not ordered" in empty.text, "/hubs/shop" in empty.links()) == (False, True)
    browser.post(f"{SALE}/cart", **{f"items/{stall.small}": "1"})
    assert browser.at == SALE
    assert "This sale closed on Friday, 5 June 2026, 12:00." in browser.page.text
    assert [form.action for form in browser.page.forms] == ["/hubs/shop/tell", "/language"]
    assert stored_orders(stall) == []


def test_a_coming_sale_shows_its_goods_without_fields(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    clock.advance(days=-2)
    browser.go(SALE)
    assert "This sale opens on Wednesday, 3 June 2026, 12:00." in browser.page.text
    assert "Carottes" in browser.page.text
    assert f"items/{stall.small}" not in browser.page.ids()


def test_a_hidden_shop_is_nowhere(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).values(visibility="hidden"))
    assert SALE not in browser.go("/").links()
    for url in (SALE, f"{SALE}/cart", f"{SALE}/checkout", "/hubs/shop"):
        browser.go(url)
        assert browser.status == 404, url


# ------------------------------------------------------------------------------------------------ the basket


def test_what_is_no_number_is_said_at_its_field_and_the_rest_is_kept(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "two", f"items/{stall.eggs}": "3"})
    assert browser.status == 422
    assert "two is not a number of pieces." in browser.page.text
    fields = browser.page.form("/cart").fields
    assert (fields[f"items/{stall.small}"], fields[f"items/{stall.eggs}"]) == ("two", "3")


def test_a_quantity_beyond_all_measure_is_refused(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "10001"})
    assert browser.status == 422
    assert "A quantity must be between 1 and 10000." in browser.page.text


def test_what_is_not_on_sale_here_does_not_get_into_the_basket(browser: Browser, stall: Stall) -> None:
    browser.post(f"{SALE}/cart", **{"items/no-such-item": "1", f"items/{stall.small}": "1"})
    assert browser.status == 200
    with stall.instance.store.read() as tx:
        assert [row["item_id"] for row in tx.all(select(cart_line.c.item_id))] == [stall.small]


def test_who_only_looks_leaves_no_row(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart")
    assert "Your basket is empty" in browser.page.text
    with stall.instance.store.read() as tx:
        assert tx.value(select(func.count()).select_from(customer_order)) == 0


def test_what_lies_in_the_basket_and_was_not_on_the_page_stays(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "2"})
    browser.go(f"{SALE}?q=carottes")
    assert f"items/{stall.eggs}" not in browser.page.ids()
    browser.send("/cart", **{f"items/{stall.small}": "1"})
    assert browser.page.form("/cart").fields.items() >= {(f"items/{stall.eggs}", "2"), (f"items/{stall.small}", "1")}


def test_a_search_finds_names_kinds_and_producers_without_accents(browser: Browser, stall: Stall) -> None:
    for words, is_shown in (("oeufs", True), ("HALLE saint-jean oeufs", True), ("epicerie", True), ("fromage", False)):
        browser.go(f"{SALE}?q={words}")
        assert ("Œufs par 6" in browser.page.text) is is_shown, words


def test_baskets_of_two_guests_are_two(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    other_browser = browser.another()
    other_browser.go(f"{SALE}/cart")
    assert "Your basket is empty" in other_browser.page.text
    to_the_checkout(other_browser, stall, eggs=1)
    browser.go(f"{SALE}/cart")
    assert f"items/{stall.eggs}" not in browser.page.ids()


def test_the_basket_of_a_guest_comes_along_when_they_log_in(browser: Browser, stall: Stall, ada: Person) -> None:
    to_the_checkout(browser, stall, small=2)
    browser.go(f"/login?next={SALE}/checkout")
    browser.send("/login", email="ada@example.org", password="a long enough password")
    assert browser.at == f"{SALE}/checkout"
    assert "€4.80" in browser.page.text
    with stall.instance.store.read() as tx:
        (row,) = tx.all(select(customer_order.c.person_id, customer_order.c.state))
    assert (row["person_id"], row["state"]) == (ada.id, "Draft")


def test_the_secret_of_a_guest_is_kept_from_scripts_and_other_sites(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    form = browser.page.form("/cart").fields | {f"items/{stall.small}": "1"}
    response = browser.client.post(f"{SALE}/cart", data=form, follow_redirects=False)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("cart=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert response.status_code == 303
    with stall.instance.store.read() as tx:
        assert tx.value(select(customer_order.c.secret_hash)) not in cookie


def test_over_https_the_cart_and_the_language_are_for_this_host_alone(browser: Browser, stall: Stall) -> None:
    """RFC 6265bis: another host of the same domain can set `cart`, but not ``__Host-cart``."""
    app: Any = browser.client.app
    settings = replace(stall.instance.settings, base_url="https://testserver")
    app.state.instance = replace(stall.instance, settings=settings)
    sent = {
        "cart": browser.client.post(f"{SALE}/cart", data={f"items/{stall.eggs}": "1"}, follow_redirects=False),
        "language": browser.client.post("/language", data={"language": "fr"}, follow_redirects=False),
    }
    for name, answer in sent.items():
        words = [attribute.strip() for attribute in answer.headers["set-cookie"].split(";")]
        assert words[0].startswith(f"__Host-{name}=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(words)
        browser.client.cookies.clear()
        page = browser.client.get(f"{SALE}/cart", headers={"Cookie": words[0], "Accept-Language": "en"})
        assert ("Œufs" in page.text, '<html lang="fr"' in page.text) == (name == "cart", name == "language")


def test_a_mistake_made_in_the_basket_shows_what_lies_in_it(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    browser.send("/cart", **{f"items/{stall.eggs}": "-1"})
    assert browser.status == 422
    assert [name for name in browser.page.ids() if name.startswith("items/")] == [
        f"items/{stall.eggs}",
        f"items/{stall.eggs}-problem",
    ]


def test_the_total_follows_the_choice_without_leaving_the_page(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, "shipping": stall.slots[1], "then": "update"}
    answer = browser.client.post(f"{SALE}/checkout", data=form, headers={"Accept": "application/json"})
    page = Page(answer.json()["page"])
    assert page.form("").fields["total"] == str(240 + 150)
    assert "€3.90" in page.text
    assert browser.go(f"{SALE}/checkout").form("").fields["shipping"] == stall.slots[1], "the choice is kept"


def test_a_place_is_named_once_and_its_slots_by_their_time(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    text = browser.page.text.replace("\u00a0", " ").replace("\u2060", "")
    assert "Salle des fêtesSaturday, 6 June 2026" in text
    assert "17:00 – 18:00 · free of charge" in text
