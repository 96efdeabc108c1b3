"""The page of a sale: shelves, filters, and quantities that are saved where they stand."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, update

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.people.people import Person
from commensal.people.tables import person_session
from commensal.testing.placed import a_lot, an_item

from .conftest import SALE, Browser, Page, Stall, buy, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def save(browser: Browser, pieces: Mapping[str, int], was: str = "", again: str = "") -> dict[str, Any]:
    """Saves quantities by item as the script of the page does. Returns the answer."""
    body = {f"items/{item}": str(number) for item, number in pieces.items()}
    headers = {"Accept": "application/json"}
    response = browser.client.post(f"{SALE}/cart", data={"was": was, "again": again, **body}, headers=headers)
    assert response.headers["cache-control"] == "no-store"
    return {"status": response.status_code, **response.json()}


def open_shelves(page: Page) -> list[bool]:
    return ["open" in attributes for tag, attributes in page.elements if attributes.get("class") == "shelf"]


def headings(browser: Browser) -> list[str]:
    return [attributes["id"] for tag, attributes in browser.page.elements if tag == "h2"]


# ------------------------------------------------------------------------------------------------ saving in place


def test_the_script_saves_a_quantity_and_learns_the_total_with_everything(browser: Browser, stall: Stall) -> None:
    answer = save(browser, {stall.eggs: 2})
    assert answer["items"] == {stall.eggs: 2}
    assert "2 items · €4.70" in answer["dock"]  # with deposits
    assert answer["basket"] == "Basket (2)"
    assert (answer["notice"], answer["problems"]) == ("", {})
    assert browser.go(SALE).form("/cart").fields[f"items/{stall.eggs}"] == "2"


def test_the_dock_tells_what_is_missing_to_the_next_threshold(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="bank", settings={}, version=1))
    assert "€28.50 more and you save €1.50: Packing" in save(browser, {stall.eggs: 10})["dock"]
    assert "you save" not in save(browser, {stall.eggs: 100})["dock"]


def test_two_tabs_that_take_the_same_product_add_up(browser: Browser, stall: Stall) -> None:
    save(browser, {stall.eggs: 1})
    answer = save(browser, {stall.eggs: 3})  # of a tab that was opened before
    assert answer["items"] == {stall.eggs: 4}


def test_a_request_whose_answer_was_lost_counts_once(browser: Browser, stall: Stall) -> None:
    """Even if another tab has changed the basket meanwhile: then it is as the page shows it."""
    save(browser, {stall.eggs: 3})
    save(browser, {stall.eggs: 4}, f"{stall.eggs}:3")  # another tab
    answer = save(browser, {stall.eggs: 3}, again="1")
    assert answer["items"] == {stall.eggs: 3}


def test_more_than_is_left_is_said_beside_the_product(browser: Browser, stall: Stall) -> None:
    answer = save(browser, {stall.large: 3})
    assert answer["problems"] == {stall.large: "Only 2 pieces are left."}
    assert "see your basket" in answer["dock"]


def test_a_quantity_that_is_none_is_refused_with_its_place(browser: Browser, stall: Stall) -> None:
    body = {f"items/{stall.eggs}": "many", "was": ""}
    response = browser.client.post(f"{SALE}/cart", data=body, headers={"Accept": "application/json"})
    assert response.json()["refused"] is True
    assert response.json()["problems"] == {stall.eggs: "many is not a number of pieces."}


def test_a_sale_that_closes_while_somebody_shops_says_so(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    save(browser, {stall.eggs: 1})
    clock.advance(days=2)
    answer = save(browser, {stall.eggs: 2}, f"{stall.eggs}:1")
    assert answer["notice"].startswith("Orders closed on Friday, 5 June 2026, 12:00")
    assert answer["items"] == {stall.eggs: 1}
    assert answer["problems"] == {}, "no quantity would help"


def test_the_last_day_is_counted_down_from_the_servers_time(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    assert "1 day left to order" in browser.go(SALE).text
    assert not [attributes for _, attributes in browser.page.elements if "data-left" in attributes]
    clock.advance(hours=23, minutes=30)
    page = browser.go(SALE)
    assert "30 min left to order" in page.text
    assert [attributes["data-left"] for _, attributes in page.elements if "data-left" in attributes] == ["30"]


def test_who_is_logged_out_meanwhile_is_told_and_finds_both_baskets_after_logging_in(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    browser.log_in()
    save(browser, {stall.small: 2})
    with stall.instance.store.write() as tx:
        tx.execute(update(person_session).values(revoked_at=tx.now))
    body = {f"items/{stall.eggs}": "1", "was": f"{stall.small}:2", "member": "1"}
    answer = browser.client.post(f"{SALE}/cart", data=body, headers={"Accept": "application/json"}).json()
    assert answer["notice"].startswith("You are not logged in any more.")
    browser.go(answer["link"])
    browser.send("/login", email="ada@example.org", password="a long enough password")
    fields = browser.go(SALE).form("/cart").fields
    assert (fields[f"items/{stall.small}"], fields[f"items/{stall.eggs}"]) == ("2", "1")


# ------------------------------------------------------------------------------------------------ shelves and filters


def test_goods_stand_on_shelves_as_people_look_for_them(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        for kind in ("cider", "egg", "natural-yogurt", "honey", "garlic"):
            an_item(tx, a_lot(tx, name=kind), name=kind, product_type=kind)
    browser.reads("fr")
    browser.go(SALE)
    assert headings(browser) == ["shelf-vegetables", "shelf-dairy", "shelf-eggs", "shelf-groceries", "shelf-drinks"]
    assert "Crémerie 1" in browser.page.text
    symbols = {attributes["id"] for tag, attributes in browser.page.elements if tag == "symbol"}
    assert {"drawing-onion", "drawing-eggs"} <= symbols, "garlic looks like an onion, and not like a carrot"
    assert {attributes["href"] for tag, attributes in browser.page.elements if tag == "use"} == {
        f"#{id}" for id in symbols
    }


def test_of_many_goods_those_of_the_first_shelf_and_of_shelves_in_use_are_shown(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        for name, kind in (*((f"Radis {number}", "radish") for number in range(40)), ("Cidre", "cider")):
            an_item(tx, a_lot(tx, name=name), name=name, product_type=kind)
    assert open_shelves(browser.go(SALE)) == [True, False, False]
    assert "Vegetables 41" in browser.page.text
    save(browser, {stall.eggs: 1})
    assert open_shelves(browser.go(SALE)) == [True, True, False]
    assert open_shelves(browser.go(f"{SALE}?q=cidre")) == [True]


def test_what_is_sold_out_stands_last_on_its_shelf(browser: Browser, stall: Stall) -> None:
    stall.count(stall.heap, 0)
    with stall.instance.store.write() as tx:
        an_item(tx, a_lot(tx, name="Navets"), name="Navets")
    text = browser.go(SALE).text
    assert text.index("Navets") < text.index("Carottes")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("without=Eggs", ["shelf-vegetables"]),
        ("label=Organic-AB", ["shelf-vegetables"]),
        ("shelf=groceries", ["shelf-groceries"]),
        ("producer=nobody", []),
        ("q=carotes", ["shelf-vegetables"]),  # a slip
        ("q=bio", ["shelf-vegetables"]),
        ("only=new", []),  # the first sale of a shop has no news
        ("only=usuals", []),  # nobody is logged in
    ],
)
def test_filters_show_what_was_asked_for(browser: Browser, stall: Stall, query: str, shown: list[str]) -> None:
    browser.go(f"{SALE}?{query}")
    assert headings(browser) == shown
    assert ("Show everything" in browser.page.text) is True


def test_what_is_called_by_the_words_comes_before_what_only_has_them(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        for name, kind in (("Pomme de terre", "potato"), ("Pomme Gala", "apples")):
            an_item(tx, a_lot(tx, name=name), name=name, product_type=kind)
    text = browser.go(f"{SALE}?q=pommes").text
    assert text.index("Pomme Gala") < text.index("Pomme de terre")


def test_a_filter_keeps_what_was_typed(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    browser.send("/cart", ("then", "only/new"), **{f"items/{stall.eggs}": "1"})
    assert browser.at == f"{SALE}?only=new"
    browser.send("/cart", ("then", "all"))
    assert browser.at == SALE
    assert browser.page.form("/cart").fields[f"items/{stall.eggs}"] == "1"


def test_usual_goods_are_those_of_the_latest_orders(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, eggs=1)
    buy(browser, stall)
    browser.go(f"{SALE}?only=usuals")
    assert headings(browser) == ["shelf-groceries"]


def test_a_sale_of_three_hundred_products_takes_twenty_kilobytes(browser: Browser, stall: Stall) -> None:
    names = ("Pomme de terre", "Yaourt nature", "Pain de campagne", "Miel de châtaignier", "Jus de pomme", "Carotte")
    kinds = ("potato", "natural-yogurt", "bread", "honey", "fruit-juice", "carrot")
    with stall.instance.store.write() as tx:
        for number in range(298):
            name, kind = names[number % 6], kinds[number % 6]
            lot = a_lot(tx, name=f"{name} {number}", on_hand=str(20 + number))
            an_item(
                tx,
                lot,
                name=f"{name} {number}",
                price=150 + 7 * number,
                product_type=kind,
                unit="Kilogram",
                quantity=Decimal(1 + number % 3),
                description=f"<p>Récolté à la main, parcelle {number}.</p>",
                labels=["Organic-AB", "Organic-EU"],
            )
    page = browser.client.get(SALE, headers={"Accept-Language": "fr", "Accept-Encoding": "identity"})
    assert len(gzip.compress(page.content, 6)) <= 20_000
    script = browser.client.get("/-/shop/static/shop.js").content
    assert len(gzip.compress(script)) <= 10_000
