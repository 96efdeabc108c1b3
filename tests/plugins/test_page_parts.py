"""What a plugin adds to pages of the shop and the office, and what it is asked when an order changes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from commensal import (
    HeadLink,
    HeadMeta,
    Invalid,
    Order,
    OrderDraft,
    PageLine,
    PagePart,
    Problem,
    ProductField,
    hookimpl,
)
from commensal.base.clock import ManualClock
from commensal.hooks import specifications
from commensal.parts.serving.app import make_app
from commensal.testing import RunJobs, Shop
from commensal.testing.instances import Instances, Plan, client_of
from commensal.testing.probe import shorten
from commensal.testing.shop import open_shop

CALLS: list[tuple[str, str, int]] = []  # of page_parts: the page, its subject, the number of products on it
CHANGES: list[tuple[str, int, int]] = []  # of order_changing: by whom, pieces before and after
MOST_PIECES = 9
HANGS = threading.Event()  # while it is set, page_parts hangs until the test is over
OVER = threading.Event()


@hookimpl
def page_parts(page: str, subject: str, subjects: Sequence[str], order: OrderDraft | None) -> list[PagePart]:
    CALLS.append((page, subject, len(subjects)))
    if HANGS.is_set():
        OVER.wait(30)
    pieces = sum(line.quantity for line in order.lines) if order else 0
    lines = [PageLine(text=f"Seen on <{page}>", detail=f"with {pieces} pieces", url="/-/tags/", action="More")]
    label, fact = PageLine(text="Only <here>"), PageLine(text="Way", detail="12 km")
    rows = [PagePart(title="", subject=product, lines=[label, fact]) for product in subjects[:1]]
    head: list[HeadMeta | HeadLink] = [
        HeadMeta(name="og:locale", content=f"<{page}>"),
        HeadMeta(name="geo.placename", content="Tours"),
        HeadLink(rel="alternate", url="/-/tags/feed", type="application/json"),
    ]
    return [PagePart(title="Tags", lines=lines), PagePart(title="Nothing else", lines=[], head=head), *rows]


@hookimpl
def product_fields() -> list[ProductField]:
    return [
        ProductField(name="returnable", kind="flag", english="returnable", french="consigné", shown="badge"),
        ProductField(name="sugar", kind="number", english="sugar", french="sucre", shown="badge"),
        ProductField(
            name="worth", kind="amount", english="value of the jar", french="bocal", most=10_000, shown="line"
        ),
    ]


@hookimpl
def order_changing(order: OrderDraft, before: Order | None, by: str) -> Sequence[Problem] | None:
    pieces_before, pieces = (
        sum(line.quantity for line in lines) for lines in (before.lines if before else (), order.lines)
    )
    CHANGES.append((by, pieces_before, pieces))
    if pieces > MOST_PIECES:
        return [Problem("too_heavy", "The bike carries {most} pieces.", "/items", {"most": MOST_PIECES})]
    return None


@pytest.fixture
def shop(
    commensal_instances: Instances, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """A shop that uses this module as the plugin `tags`, and waits for it on a busy machine too."""
    hook = specifications.page_parts
    monkeypatch.setattr(hook, "contract", replace(hook.contract, timeout=60.0))
    CALLS.clear()
    CHANGES.clear()
    plan = Plan(plugins=("shop", "office", "cash", "tags"), modules={"tags": sys.modules[__name__]})
    with ExitStack() as stack:
        instance = stack.enter_context(commensal_instances.open(tmp_path / "instance", plan, clock=clock))
        client = stack.enter_context(client_of(make_app(instance)))
        yield (opened := open_shop(instance, client, RunJobs(instance, clock), plan))
        opened.check()


def calls_of(page: str) -> list[tuple[str, int]]:
    return [(subject, products) for name, subject, products in CALLS if name == page]


def test_rows_of_products_carry_labels_and_facts_of_plugins_after_one_call(shop: Shop) -> None:
    html = shop.page(f"/sales/{shop.session_id}").text
    assert calls_of("shop/sale") == [(shop.session_id, 5)]
    assert "<li>Only &lt;here&gt;</li>" in html
    assert "<strong>Way:</strong> 12 km" in html
    assert "Seen on &lt;shop/sale&gt;" in html


@pytest.mark.parametrize(
    ("language", "badges", "line"),
    [
        ("en", ("Returnable", "Sugar: 12.5"), "<strong>Value of the jar:</strong> €1.50"),
        (
            "fr",
            ("Consigné", "Sucre\N{NO-BREAK SPACE}: 12,5"),
            "<strong>Bocal\N{NO-BREAK SPACE}:</strong> 1,50\N{NO-BREAK SPACE}€",
        ),
    ],
)
def test_rows_of_products_say_what_a_badge_and_an_amount_mean(
    shop: Shop, language: str, badges: Sequence[str], line: str
) -> None:
    juice = next(
        each["product"] for each in shop.ask("GET", "/products")["items"] if each["product"]["name"] == "Juice"
    )
    values = {"tags": {"returnable": True, "sugar": "12.5", "worth": 150}}
    shop.ask("PATCH", f"/products/{juice['id']}", {"plugin_fields": values}, version=juice["version"])
    html = shop.page(f"/sales/{shop.session_id}", language=language).text
    assert [badge for badge in badges if f"<li>{badge}</li>" not in html] == []
    assert line in html


def test_the_page_of_a_product_in_the_office_has_a_place_for_plugins(shop: Shop) -> None:
    juice = next(
        each["product"] for each in shop.ask("GET", "/products")["items"] if each["product"]["name"] == "Juice"
    )
    html = shop.office(f"/products/{juice['id']}").text
    assert calls_of("product") == [(juice["id"], 0)]
    assert "Seen on &lt;product&gt;" in html
    assert html.index("Seen on") > html.index("</form>"), "below what the producer writes"


def test_rows_of_goods_in_the_office_carry_labels_and_facts_of_plugins_after_one_call(shop: Shop) -> None:
    html = shop.office("/products").text
    assert calls_of("products") == [("", 5)]
    assert html.count("Only &lt;here&gt;</span>") == html.count("Way: 12 km</span>") == 1
    assert html.index("Only &lt;here&gt;") < html.index("</table>") < html.index("Seen on &lt;products&gt;")


def test_a_plugin_that_hangs_costs_a_page_its_parts_and_nothing_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(specifications.page_parts, monkeypatch)
    OVER.clear()
    HANGS.set()
    try:
        pages = [shop.page(path) for path in (f"/sales/{shop.session_id}", "/hubs/shop")]
    finally:
        HANGS.clear()
        OVER.set()
    assert [page.status_code for page in pages] == [200, 200]
    assert "Carrots" in pages[0].text
    assert not any("Seen on" in page.text for page in pages)


def test_the_other_pages_of_the_shop_have_a_place_for_plugins(shop: Shop) -> None:
    order = shop.order(person=shop.somebody())
    add_to_cart(shop, pieces=2)
    pages = {
        "shop/hub": ("/hubs/shop", shop.id),
        "shop/product": (f"/sales/{shop.session_id}/items/{shop.items['carrots']}", product_of(shop, "Carrots")),
        "shop/cart": (f"/sales/{shop.session_id}/cart", shop.session_id),
        "shop/checkout": (f"/sales/{shop.session_id}/checkout", shop.session_id),
    }
    for page, (path, subject) in pages.items():
        html = shop.page(path).text
        assert f"Seen on &lt;{page}&gt;" in html, page
        assert "<h2></h2>" not in html, "what stands on a row elsewhere has no title"
        assert '<a href="/-/tags/">More</a>' in html
        head, _, body = html.partition("</head>")
        assert f'<meta property="og:locale" content="&lt;{page}&gt;">' in head
        assert '<meta name="geo.placename" content="Tours">' in head
        assert '<link rel="alternate" href="/-/tags/feed" type="application/json">' in head
        assert "Nothing else" not in body, "a part without lines is not shown"
        assert {called_subject for called_subject, _ in calls_of(page)} == {subject}
        assert ("with 2 pieces" in html) == (page in ("shop/cart", "shop/checkout"))
    assert order.number == 1


def product_of(shop: Shop, name: str) -> str:
    products = [stocked["product"] for stocked in shop.ask("GET", "/products")["items"]]
    return str(next(product["id"] for product in products if product["name"] == name))


def test_a_product_has_a_page_of_its_own_with_all_that_is_written_of_it(shop: Shop) -> None:
    sale, path = f"/sales/{shop.session_id}", f"/sales/{shop.session_id}/items/{shop.items['carrots']}"
    carrots = f"/products/{product_of(shop, 'Carrots')}"
    version = shop.ask("GET", carrots)["version"]
    shop.ask("PATCH", carrots, {"description": "<p>From a sandy field.</p>"}, version=version)
    assert f'<a href="{path}">More about this product<' in shop.page(sale).text
    html = shop.page(path).text
    assert "From a sandy field." in html[html.index("<details open>") :]
    assert ("<title>Carrots –" in html, "<h1>Carrots</h1>" in html) == (True, True)
    assert '<meta property="og:title" content="Carrots –' in html
    assert "Only &lt;here&gt;" in html, "what a plugin says of the product"
    assert f"items/{shop.items['carrots']}" in html, "and its field"
    assert "Honey" not in html
    assert f'href="{sale}"' in html
    assert shop.page(f"{sale}/items/no-such-item").status_code == 404
    shop.close()
    assert shop.page(path).url.path == sale


def test_what_a_head_holds_changes_nothing_for_browsers() -> None:
    for name in ("viewport", "referrer", 'x" onload="', ""):
        with pytest.raises(ValueError, match="not a name of a fact"):
            HeadMeta(name=name, content="")
    with pytest.raises(ValueError, match="loads nothing"):
        HeadLink(rel="stylesheet", url="/-/tags/tags.css")
    for url in ("//elsewhere.example", "javascript:alert(1)", "http://elsewhere.example"):
        with pytest.raises(ValueError, match="neither a path"):
            HeadLink(rel="alternate", url=url)


def add_to_cart(shop: Shop, pieces: int) -> None:
    shop.client.headers["Origin"] = "http://testserver"
    sent = {"was": "", f"items/{shop.items['carrots']}": str(pieces)}
    assert shop.client.post(f"/sales/{shop.session_id}/cart", data=sent).status_code == 200


def test_whoever_changes_an_order_plugins_are_asked_and_may_refuse(shop: Shop) -> None:
    shop.order({"carrots": 4, "chicken": 1})
    shop.change({"carrots": 5, "chicken": 1})
    shop.change({"carrots": 6, "chicken": 1}, by_hub=True)
    shop.weigh({"chicken": "1.9"})
    assert CHANGES == [("customer", 0, 5), ("customer", 5, 6), ("hub", 6, 7), ("scales", 7, 7)]
    for by_hub in (False, True):
        with pytest.raises(Invalid, match="The bike carries 9 pieces") as refused:
            shop.change({"carrots": 10}, by_hub=by_hub)
        assert refused.value.problems[0].where == "/items"
    with pytest.raises(Invalid, match="The bike carries 9 pieces"):
        shop.order({"carrots": 10}, by_hub=True)
    assert sum(line.quantity for line in shop.see().lines) == 7
