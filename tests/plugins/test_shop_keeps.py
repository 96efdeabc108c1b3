"""What shoppers typed is not lost by a second tab, a search, a way back, an ended session or another language."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, update

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise
from commensal.instance import Instance
from commensal.orders.cart import CART_STAYS, forget_carts
from commensal.orders.fulfil import complete_due
from commensal.orders.tables import cart_line, customer_order
from commensal.parts.pages.post_redirect_get import LASTS, forget_shown_pages
from commensal.parts.pages.tables import shown_page
from commensal.parts.serving.work import work_of
from commensal.people.people import Person
from commensal.people.tables import person_session
from commensal_shop.pages import routes

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def _in_the_cart(browser: Browser, stall: Stall) -> dict[str, str]:
    """Returns the values of the fields of the sale's page, by product."""
    browser.go(SALE)
    fields = browser.page.form("/cart").fields
    return {name: fields[f"items/{getattr(stall, name)}"] for name in ("small", "large", "eggs")}


# ------------------------------------------------------------------------------------------------ the basket


def test_two_tabs_of_one_sale_do_not_wipe_each_others_basket(browser: Browser, stall: Stall) -> None:
    first_tab, second_tab = browser.go(SALE), browser.go(SALE)
    browser.page = first_tab
    browser.send("/cart", **{f"items/{stall.small}": "2"})
    browser.page = second_tab
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    assert _in_the_cart(browser, stall) == {"small": "2", "large": "", "eggs": "1"}


def test_what_was_changed_in_a_tab_counts_and_a_zero_takes_out(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "2", f"items/{stall.eggs}": "3"})
    old_page = browser.go(SALE)
    browser.go(f"{SALE}/cart")
    browser.send("/cart", **{f"items/{stall.eggs}": "4"})
    browser.page = old_page
    browser.send("/cart", **{f"items/{stall.small}": "0"})
    assert _in_the_cart(browser, stall) == {"small": "", "large": "", "eggs": "4"}


@pytest.mark.parametrize("button", [("then", "search"), None])
def test_a_search_keeps_what_was_typed(browser: Browser, stall: Stall, button: tuple[str, str] | None) -> None:
    """Either its own button is pressed or another one."""
    browser.go(SALE)
    browser.send("/cart", button, **{f"items/{stall.small}": "2", "q": "œufs"})
    assert browser.at == f"{SALE}?q=%C5%93ufs"
    browser.send("/cart", ("then", "search"), **{f"items/{stall.eggs}": "1", "q": ""})
    assert browser.at == SALE
    browser.send("/cart", ("then", "search"), **{f"items/{stall.small}": "3"})  # Enter in a field presses this button
    assert browser.at == SALE
    assert _in_the_cart(browser, stall) == {"small": "3", "large": "", "eggs": "1"}


def test_another_page_of_the_sale_keeps_what_was_typed(
    browser: Browser, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commensal_shop.sale.AT_ONCE", 2)
    browser.go(SALE)
    browser.send("/cart", ("then", "page/2"), **{f"items/{stall.small}": "2"})
    assert browser.at == f"{SALE}?page=2"
    browser.send("/cart", ("then", "search"), **{f"items/{stall.eggs}": "1"})
    assert browser.at == f"{SALE}?page=2"
    monkeypatch.undo()
    assert _in_the_cart(browser, stall) == {"small": "2", "large": "", "eggs": "1"}


def test_a_quantity_that_is_none_stops_a_search_and_stays_to_be_corrected(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", ("then", "search"), **{f"items/{stall.small}": "many", "q": "œufs"})
    assert browser.status == 422
    fields = browser.page.form("/cart").fields
    assert (fields[f"items/{stall.small}"], fields["q"]) == ("many", "œufs")


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [("carotte", True), ("CAROTTES", True), ("œuf", True), ("oeufs", True), ("biologiques", True), ("poires", False)],
)
def test_a_search_finds_plurals_and_singulars_with_and_without_accents(
    browser: Browser, stall: Stall, typed: str, is_found: bool
) -> None:
    browser.go(f"{SALE}?q={typed}")
    assert ("/cart" in str([form.action for form in browser.page.forms])) is True
    assert bool([name for name in browser.page.form("/cart").fields if name.startswith("items/")]) is is_found


# ------------------------------------------------------------------------------------------------ the checkout


def test_a_guest_whose_basket_must_change_keeps_the_whole_form(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, large=2)
    stall.count(stall.heap, 7)
    typed = {**CONTACT, "phone": "06 39 98 58 66", "note": "Je viens à vélo."}
    browser.send("", ORDER, **typed, shipping=stall.slots[1], payment_method="cash:cash")
    assert browser.at == f"{SALE}/cart"
    browser.send("/cart", ("then", "checkout"), **{f"items/{stall.large}": "1"})
    fields = browser.page.form("").fields
    assert {name: fields[name] for name in ("name", "email", "phone", "note", "shipping", "payment_method")} == {
        **typed,
        "shipping": stall.slots[1],
        "payment_method": "cash:cash",
    }
    browser.send("", ORDER)
    (row,) = stored_orders(stall)
    assert (row["name"], row["note"]) == (typed["name"], typed["note"])


def test_another_language_keeps_the_form_of_the_checkout(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, name="Bob Le Goff", email="no address", shipping=stall.slots[0])
    assert browser.status == 422
    browser.send("/language", ("language", "fr"))
    assert "Commander" in browser.page.text
    assert browser.page.form("").fields["name"] == "Bob Le Goff"


def test_the_language_switch_keeps_the_search(browser: Browser, stall: Stall) -> None:
    browser.go(f"{SALE}?q=carottes&page=1")
    browser.send("/language", ("language", "fr"))
    assert browser.at == f"{SALE}?q=carottes&page=1"
    assert "Mettre au panier" in browser.page.text


def test_what_was_typed_at_a_checkout_goes_with_its_cart(
    browser: Browser, stall: Stall, instance: Instance, clock: ManualClock
) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ("then", "update"), **CONTACT, shipping=stall.slots[0])
    drafts = select(func.count()).select_from(customer_order).where(customer_order.c.email == CONTACT["email"])
    clock.advance(days=1, minutes=150)
    for waiting_time, carts_left in ((timedelta(0), 1), (CART_STAYS, 0)):
        clock.advance(seconds=waiting_time.total_seconds())
        with instance.store.write() as tx:
            forget_carts(tx)
            assert tx.value(drafts) == carts_left
    with instance.store.read() as tx:
        assert tx.all(select(cart_line)) == []


# ------------------------------------------------------------------------------------------------ the way back


def test_a_page_that_answers_a_form_has_an_address_to_come_back_to(browser: Browser, stall: Stall) -> None:
    """RFC 9110, 15.4.4: the browser does not send the form again."""
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, name="Bob Le Goff", email="no address")
    address, status = browser.at, browser.status
    assert (urlsplit(address).path, status) == (f"{SALE}/checkout", 422)
    browser.go(f"{SALE}/cart")
    browser.go(address)
    assert (browser.status, browser.page.form("").fields["name"]) == (422, "Bob Le Goff")
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0], payment_method="cash:cash")
    assert browser.at.startswith("/orders/guest/")


def test_no_form_of_the_shop_is_answered_by_a_page_itself(
    browser: Browser, stall: Stall, ada: Person, instance: Instance
) -> None:
    """Every address that takes a form gets an empty one, from a guest and from a person with an account. What is not
    there, and too many requests, are answered at once: they must not cause a write."""
    forms = [route.path for route in routes(instance) if "POST" in route.methods]  # type: ignore[attr-defined]
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    of_guest, order = browser.at, str(stored_orders(stall)[0]["id"])
    values = {"session": "shop-session", "order": order, "secret": of_guest.rpartition("/")[2], "code": "code"}
    assert len(forms) > 20
    browser_of_ada = browser.another()
    browser_of_ada.log_in()
    for visitor in (browser, browser_of_ada):
        for path in sorted(forms, key=lambda path_of_form: "log" in path_of_form):  # the log-out comes last
            for name, value in values.items():
                path = path.replace(f"{{{name}}}", value)
            answer = visitor.client.post(path, data={}, follow_redirects=False)
            html = answer.headers.get("content-type", "").startswith("text/html")
            assert answer.status_code in (303, 404, 429) or not html, (path, answer.status_code)
            if answer.status_code == 303:
                assert visitor.client.get(answer.headers["location"]).status_code != 405, path


def test_an_answer_is_kept_for_an_hour_and_nobody_reads_it_in_the_database(
    browser: Browser, stall: Stall, instance: Instance, clock: ManualClock
) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, name="Bob Le Goff", email="no address")
    address = browser.at
    with instance.store.read() as tx:
        stored = str(tx.all(select(shown_page)))
    assert "Goff" not in stored
    assert address.rpartition("=")[2] not in stored
    clock.advance(seconds=LASTS.total_seconds())
    with instance.store.write() as tx:
        assert forget_shown_pages(tx) == 1
    browser.go(address)
    assert (browser.status, "This did not work yet" in browser.page.text) == (200, False)
    assert {"forget_shown_pages", "forget_carts"} <= {job.name for job in work_of(instance).periodic}


def test_an_answer_to_somebody_with_an_account_opens_for_them_alone(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    browser.log_in()
    browser.go("/account")
    browser.send("/account/email", email="new@example.org", password="wrong")
    address = browser.at
    assert browser.page.form("/account/email").fields["email"] == "new@example.org"
    stranger = browser.another()
    stranger.go(address)
    assert "new@example.org" not in stranger.page.text
    assert stranger.at.startswith("/login")


# ------------------------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", "Certains produits de votre panier ne peuvent pas être commandés en cette quantité."),
        ("en", "Not everything in your basket can be ordered."),
    ],
)
def test_a_basket_that_cannot_be_ordered_whole_says_so_in_each_language(
    browser: Browser, stall: Stall, language: str, expected: str
) -> None:
    browser.reads(language)
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.large}": "5"})
    assert expected in browser.page.text


def test_a_refused_form_says_so_first_and_has_the_focus(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, name="", email="no address")
    assert browser.page.text.startswith("Error: Checkout")
    assert "Enter your name." in browser.page.text
    (summary,) = [attributes for tag, attributes in browser.page.elements if "autofocus" in attributes]
    assert (summary["role"], summary["tabindex"]) == ("alert", "-1")


@pytest.mark.parametrize("completed", [False, True])
def test_a_sale_that_closes_while_an_order_is_changed_is_named_as_the_reason(
    browser: Browser, stall: Stall, instance: Instance, clock: ManualClock, completed: bool
) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    browser.go(f"{browser.at}/change")
    clock.advance(days=1, hours=2, minutes=1)
    if completed:
        with instance.store.write() as tx:
            complete_due(tx)
    browser.send("", ("then", "look"), **{f"items/{stall.small}": "2"})
    assert "Orders closed on Friday, 5 June 2026, 12:00. Your order stays as it is." in browser.page.text
    assert "changed it" not in browser.page.text
    assert "Order 1" in browser.page.text


def test_who_is_not_logged_in_any_more_is_told_so_and_finds_the_basket(
    browser: Browser, stall: Stall, ada: Person, instance: Instance
) -> None:
    browser.log_in()
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "2"})
    with instance.store.write() as tx:
        tx.execute(update(person_session).values(revoked_at=tx.now))
    browser.go(f"{SALE}/cart")
    assert "You are not logged in any more." in browser.page.text
    assert "empty" not in browser.page.text
    assert f"/login?next={SALE}/cart" in browser.page.links()


@pytest.mark.parametrize("cookie_too", [False, True])
def test_what_is_put_into_a_basket_after_the_session_ended_is_there_after_the_next_log_in(
    browser: Browser, stall: Stall, ada: Person, instance: Instance, cookie_too: bool
) -> None:
    browser.log_in()
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.small}": "2"})
    page = browser.go(SALE)
    with instance.store.write() as tx:
        tx.execute(update(person_session).values(revoked_at=tx.now))
    if cookie_too:
        browser.client.cookies.delete("session")
    browser.page = page
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    assert browser.at.startswith("/login")
    assert "You are not logged in any more." in browser.page.text
    browser.send("/login", email="ada@example.org", password="a long enough password")
    assert browser.at == f"{SALE}/cart"
    assert _in_the_cart(browser, stall) == {"small": "2", "large": "", "eggs": "1"}


def test_a_checkout_that_is_sent_without_a_session_leads_to_the_log_in(
    browser: Browser, stall: Stall, ada: Person, instance: Instance
) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, small=1)
    with instance.store.write() as tx:
        tx.execute(update(person_session).values(revoked_at=tx.now))
    browser.send("", ORDER, shipping=stall.slots[0], payment_method="cash:cash")
    assert browser.at == f"/login?next={SALE}/checkout&lost=1"
    assert stored_orders(stall) == []


# ------------------------------------------------------------------------------------------------ languages


def test_parts_in_the_hubs_language_say_so_on_a_page_in_another(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).values(language="fr"))
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    order = browser.at
    for path, tags in (
        (SALE, {"h1", "h3", "span"}),
        (f"{SALE}/cart", set()),
        ("/", {"a", "p"}),
        (order, {"dd", "span"}),
    ):
        browser.go(path)
        tags_in_french = {
            tag for tag, attributes in browser.page.elements if attributes.get("lang") == "fr" and tag != "button"
        }
        assert tags_in_french >= tags, path
    browser.reads("fr")
    browser.go(SALE)
    assert [
        tag for tag, attributes in browser.page.elements if "lang" in attributes and tag not in ("html", "button")
    ] == []
