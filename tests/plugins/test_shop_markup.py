"""Every page in every state has valid HTML, is labelled, translated and safe, and costs as much with many products as
with few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, update

from commensal.base.clock import ManualClock
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.tables import enterprise
from commensal.orders.tables import customer_order
from commensal.people.people import Person
from commensal.products.tables import supplied_product
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.testing.placed import a_lot, an_item
from commensal.testing.texts import translations_in
from commensal_pickup.tables import pickup_place

from .conftest import CONTACT, ORDER, PASSWORD, SALE, Browser, Page, Stall, buy, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

ROOT = Path(__file__).parents[2]
OURS = ("/-/shop/static/", "/-/commensal/static/")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def tour(browser: Browser, stall: Stall, clock: ManualClock) -> Iterator[tuple[str, Page]]:
    """Yields all pages of the shop in the states that differ; ends long after the sale."""
    for url in ("/legal/notice", "/legal/privacy", "/legal/accessibility", "/hubs/shop/legal/notice"):
        yield url, browser.go(url)
    for url in ("/", "/?q=xyzzy", "/hubs/shop", SALE, f"{SALE}?q=xyzzy", f"{SALE}/cart", "/orders", "/nowhere"):
        yield url, browser.go(url)
    browser.go(SALE)
    yield "wrong quantities", browser.send("/cart", **{f"items/{stall.small}": "x", f"items/{stall.eggs}": "?"})
    browser.go(SALE)
    yield "too many", browser.send("/cart", **{f"items/{stall.small}": "9", f"items/{stall.large}": "2"})
    yield "basket", browser.send("/cart", **{f"items/{stall.small}": "2", f"items/{stall.large}": "0"})
    yield "full basket", browser.go(SALE)
    yield "checkout", browser.go(f"{SALE}/checkout")
    yield "wrong checkout", browser.send("", ORDER, name="", email="bob@", phone="1" * 50)
    yield "other total", browser.send("", ORDER, **CONTACT, phone="", shipping=stall.slots[1])
    yield "order", browser.send("", ORDER, note="Je viens\nà vélo.")
    order_page = browser.at
    yield "change", browser.go(f"{order_page}/change")
    yield "new total", browser.send("", ("then", "look"), **{f"items/{stall.small}": "1"})
    yield "wrong change", browser.send("", ("then", "look"), **{f"items/{stall.small}": "x"})
    yield "cancel", browser.go(f"{order_page}/cancel")
    yield "cancelled", browser.send("")
    for url in ("/login", "/signup", "/forgot", "/reset/code"):
        yield url, browser.go(url)
    yield "wrong reset", browser.post("/reset/code", password="x")
    browser.go("/forgot")
    yield "told", browser.send("/forgot", email="a@example.org")
    browser.go("/signup")
    yield "wrong sign-up", browser.send("/signup", name="", email="x", password="x")
    browser.go("/login")
    yield "wrong log-in", browser.send("/login", email="a@example.org", password="x")
    browser.log_in()
    yield "no orders", browser.go("/orders")
    yield "confirm", browser.go("/confirm/code")
    yield "wrong code", browser.send("/confirm/code")
    to_the_checkout(browser, stall, eggs=1)
    buy(browser, stall)
    yield "my order", browser.page
    yield "my orders", browser.go("/orders")
    clock.advance(days=-2)
    yield "coming", browser.go(SALE)
    yield "front before", browser.go("/")
    clock.advance(days=5)
    yield "closed", browser.go(SALE)
    yield "closed basket", browser.go(f"{SALE}/cart")


def test_pages_are_sound_and_everything_is_labelled(
    browser: Browser, stall: Stall, ada: Person, clock: ManualClock
) -> None:
    for name, page in tour(browser, stall, clock):
        ids = page.ids()
        assert len(ids) == len(set(ids)), f"{name}: an id is there twice"
        tags = [tag for tag, _ in page.elements]
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1), name
        ids_with_label = {attributes["for"] for tag, attributes in page.elements if tag == "label"}
        for tag, attrs in page.elements:
            for attribute in ("aria-describedby", "aria-labelledby"):
                for word in attrs.get(attribute, "").split():
                    assert word in ids, f"{name}: {attribute} names {word}"
            if tag in ("input", "textarea", "select") and attrs.get("type") != "hidden":
                assert attrs["id"] in ids_with_label, f"{name}: {attrs} has no label"
            if attrs.get("aria-invalid") == "true":
                assert attrs["aria-describedby"], name
            if tag == "a" and attrs["href"].startswith("#"):
                assert attrs["href"][1:] in ids, f"{name}: a link to {attrs['href']} leads nowhere"
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(level <= previous + 1 for previous, level in pairwise(levels)), f"{name}: {levels}"


def test_nothing_in_a_page_is_code_or_style(browser: Browser, stall: Stall, ada: Person, clock: ManualClock) -> None:
    for name, page in tour(browser, stall, clock):
        for tag, attributes in page.elements:
            assert tag not in ("style", "iframe"), name
            assert tag != "script" or attributes["src"].startswith(OURS), f"{name}: {attributes}"
            assert not [attribute for attribute in attributes if attribute.startswith("on") or attribute == "style"], (
                f"{name}: {tag} {attributes}"
            )


def test_pages_say_what_they_are(browser: Browser, stall: Stall) -> None:
    response = browser.client.get(SALE, headers={"Accept-Language": "fr"})
    assert response.headers["content-language"] == "fr"
    assert response.headers["cache-control"] == "private, no-cache"  # nothing personal is in it yet
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert '<html lang="fr"' in response.text
    style = browser.client.get("/-/shop/static/shop.css")
    assert (style.status_code, style.headers["content-type"].partition(";")[0]) == (200, "text/css")


def test_french_pages_have_no_english_left(browser: Browser, stall: Stall, ada: Person, clock: ManualClock) -> None:
    browser.client.cookies.set("language", "fr")
    english = _english()
    assert len(english) > 150
    for name, page in tour(browser, stall, clock):
        english_left = [text for text in english if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", page.text)]
        assert english_left == [], f"{name}: {english_left}"


def _english() -> list[str]:
    """Returns the parts of English texts between their values, if the French text differs; none as short as "pays",
    which is a word of both languages, as are "closes" ("les commandes sont closes") and "places"."""
    texts = set()
    for file in ROOT.glob("*/commensal*/locale/fr/LC_MESSAGES/*.po"):
        for text, forms in translations_in(file).items():
            pieces = [piece.strip(" .,:;()“”") for line in text for piece in re.split(r"\{\w+\}", line)]
            texts |= {piece for piece in pieces if len(piece) > 4 and not any(piece in form for form in forms)}
    return sorted(texts - {"closes", "places"})


def test_what_people_write_stays_text(browser: Browser, stall: Stall, ada: Person, clock: ManualClock) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(description=f"<p>Bon</p>{EVIL}<a href='javascript:alert(1)'>x</a>"))
        tx.execute(update(catalog_item).values(name=EVIL))
        tx.execute(update(coordination).values(name=EVIL))
        tx.execute(update(sale_session).values(note=EVIL))
        tx.execute(update(pickup_place).values(name=EVIL[:80], note=EVIL))
        tx.execute(
            update(enterprise).values(name=EVIL, city=EVIL, street=EVIL, phone=EVIL, description=f"<p>{EVIL}</p>")
        )
    pages = dict(tour(browser, stall, clock))
    with stall.instance.store.write() as tx:
        tx.execute(update(customer_order).values(name=EVIL, email=EVIL, phone=EVIL, note=EVIL, shipping_label=EVIL))
    clock.advance(days=-3)
    pages |= {url: browser.go(url) for url in ("/orders", *(pages["my orders"].links()), f"{SALE}?q={EVIL}")}
    stranger = browser.another()
    stranger.go("/login")
    pages["typed"] = stranger.send("/login", email=EVIL, password=PASSWORD, next=EVIL)
    assert EVIL in pages[SALE].text
    assert sum("<script>alert(1)</script>" in page.text for page in pages.values()) > 20
    for name, page in pages.items():
        for tag, attributes in page.elements:
            assert tag != "script" or attributes["src"].startswith(OURS), name
            assert tag != "img" or attributes["src"] != "x", name
            assert not [attribute for attribute in attributes if attribute.startswith("on")], (
                f"{name}: {tag} {attributes}"
            )
            assert not attributes.get("href", "").startswith("javascript:"), name


def test_a_page_costs_as_many_statements_with_many_products_as_with_few(browser: Browser, stall: Stall) -> None:
    statements: list[str] = []
    event.listen(stall.instance.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def cost(action: Callable[[], object]) -> int:
        count_before = len(statements)
        action()
        assert browser.status == 200
        return len(statements) - count_before

    to_the_checkout(browser, stall, small=1)
    urls = ("/", "/hubs/shop", SALE, f"{SALE}/cart", f"{SALE}/checkout")
    cost_with_few = [cost(lambda url=url: browser.go(url)) for url in urls]  # type: ignore[misc]
    with stall.instance.store.write() as tx:
        item_ids = [an_item(tx, a_lot(tx, name=f"P{n}"), name=f"P{n}") for n in range(40)]
    browser.go(SALE)
    browser.send("/cart", **{f"items/{item}": "1" for item in item_ids})
    cost_with_many = [cost(lambda url=url: browser.go(url)) for url in urls]  # type: ignore[misc]
    assert cost_with_many == cost_with_few
    assert max(cost_with_many) <= 40


def test_many_products_come_in_pages(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        for number in range(300):
            an_item(tx, a_lot(tx, name=f"P{number}"), name=f"P{number}")
    first_page = browser.go(SALE)
    assert "Page 1 of 2" in first_page.text
    second_page = browser.send("/cart", ("then", "page/2"))
    assert "Page 2 of 2" in second_page.text
    fields = [{id for id in page.ids() if id.startswith("items/")} for page in (first_page, second_page)]
    assert [len(field) for field in fields] == [300, 3]
    assert not fields[0] & fields[1]
