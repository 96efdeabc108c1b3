"""Pages and feeds of hubs and producers, and what everybody may keep of them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest
from sqlalchemy import event, insert, update
from starlette.applications import Starlette

from commensal.base.clock import ManualClock
from commensal.base.errors import Unfit
from commensal.enterprises.tables import enterprise, enterprise_plugin
from commensal.parts.pages import cached_pages
from commensal.people.people import Person
from commensal.products.tables import supplied_product
from commensal.testing.placed import a_lot, an_item
from commensal_shop.settings import Accent, Settings

from .conftest import SALE, Browser, Page, Stall

CSS = Path(__file__).parents[2] / "plugins/commensal_shop/static/shop.css"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def choose(stall: Stall, **settings: object) -> None:
    """Gives the shop these settings for its pages."""
    row = {"enterprise_id": "shop", "plugin": "shop", "settings": settings, "version": 1}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(row))


def is_producer(stall: Stall, **values: object) -> None:
    """Makes the shop, whose own goods it sells, a producer whose page everybody may see."""
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(is_producer=True, **values))


# ------------------------------------------------------------------------------------------------ people


@sqlite
def test_a_search_for_a_hub_that_finds_none_does_not_say_that_no_sale_is_open(browser: Browser, stall: Stall) -> None:
    text = browser.go("/?q=zzzz").text
    assert "No hub is called “zzzz”." in text
    assert "No sale is open" not in text


def test_a_producer_has_a_page_with_where_they_are_and_what_they_sell(browser: Browser, stall: Stall) -> None:
    is_producer(
        stall,
        description="<p>Maraîchage</p>",
        phone="02 47 00 00 00",
        latitude=Decimal("47.39"),
        longitude=Decimal("0.69"),
    )
    choose(stall, opening_hours="le samedi matin")
    page = browser.go("/producers/shop")
    assert "Maraîchage" in page.text
    assert "le samedi matin" in page.text
    links = page.links()
    assert "tel:0247000000" in links
    assert "https://www.openstreetmap.org/?mlat=47.39&mlon=0.69#map=16/47.39/0.69" in links
    assert f"{SALE}?producer=shop" in links
    assert browser.go("/producers/nobody").text
    assert browser.status == 404


@sqlite
def test_who_is_no_producer_has_no_such_page(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(is_producer=False))
    browser.go("/producers/shop")
    assert browser.status == 404


def a_farm(stall: Stall, slug: str, **values: object) -> None:
    """Writes a producer whose turnips are in the sale."""
    with stall.instance.store.write() as tx:
        row = tx.one(enterprise.select().where(enterprise.c.id == "shop"))
        farm = {**row, "id": slug, "slug": slug, "name": f"La Ferme {slug}", "is_producer": True, "is_hub": False}
        tx.execute(insert(enterprise).values({**farm, **values}))
        an_item(tx, a_lot(tx, slug, name="Navets"), name="Navets", enterprise_id=slug)


def test_the_page_of_a_hub_names_those_whose_goods_it_sells(browser: Browser, stall: Stall) -> None:
    place = {"latitude": Decimal("47.39"), "longitude": Decimal("0.69")}
    a_farm(stall, "near", city="Tours", **place)
    a_farm(stall, "hidden", visibility="hidden")
    a_farm(stall, "idle")
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(**place))
        tx.execute(
            update(supplied_product).where(supplied_product.c.enterprise_id == "idle").values(archived_at=tx.now)
        )
    page = browser.go("/hubs/shop")
    assert [link for link in page.links() if link.startswith("/producers/")] == ["/producers/near"]
    assert "La Ferme near" in page.text
    assert "Tours · 1 km" in page.text
    assert "hidden" not in page.text
    assert "/producers/" not in str(browser.go("/hubs/other").links())


@sqlite
def test_a_hidden_producer_is_named_and_not_linked(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(visibility="link"))
    a_farm(stall, "farm", visibility="hidden", name="La Ferme")
    page = browser.go(SALE)
    assert "La Ferme" in page.text
    assert "/producers/farm" not in page.links()
    assert "/producers/shop" in page.links()


@sqlite
def test_the_shelves_that_a_hub_puts_first_come_first(browser: Browser, stall: Stall) -> None:
    choose(stall, shelves=["groceries"], accent="plum")
    page = browser.go(SALE)
    assert [attributes["id"] for tag, attributes in page.elements if tag == "h2"] == [
        "shelf-groceries",
        "shelf-vegetables",
    ]
    for each in (page, browser.go("/sales/shop-session/cart"), browser.go("/hubs/shop/tell")):
        assert dict(each.elements)["html"]["data-accent"] == "plum"


@sqlite
def test_a_page_without_its_data_says_so_in_the_look_of_the_shop(browser: Browser, stall: Stall) -> None:
    engine = stall.instance.store.engine
    engine.dispose()
    file = Path(str(engine.url.database))
    for each in file.parent.glob(f"{file.name}*"):
        each.rename(f"{each}.away")
    file.mkdir()  # nothing can be opened under this name
    answer = browser.client.get(f"{SALE}?q=oeufs")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    page = Page(answer.text)
    assert "We cannot answer right now. Nothing was done; please try again in a moment." in page.text
    assert page.text.count("in a moment") == 1
    assert {f"{SALE}?q=oeufs", "/"} <= set(page.links()), "the same page again, or the sales"


# ------------------------------------------------------------------------------------------------ software


@sqlite
def test_feeds_tell_of_open_sales(browser: Browser, stall: Stall) -> None:
    calendar = browser.client.get("/hubs/shop/distributions.ics")
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Halle Saint-Jean – Vente de juin" in calendar.text
    feed = browser.client.get("/hubs/shop/sales.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["title"] for item in feed["items"]] == ["Vente de juin"]
    assert feed["items"][0]["url"].endswith(SALE)
    atom = ElementTree.fromstring(browser.client.get("/hubs/shop/sales.atom").text)  # noqa: S314 - our own
    assert atom.findtext("{*}entry/{*}title") == "Vente de juin"


@sqlite
def test_a_hidden_hub_has_no_feeds(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).values(visibility="hidden"))
    assert {browser.client.get(f"/hubs/shop/{name}").status_code for name in ("sales.atom", "sales.json")} == {404}


@sqlite
def test_a_sale_is_shown_in_frames_of_websites_that_the_hub_names_and_of_no_others(
    browser: Browser, stall: Stall
) -> None:
    assert browser.client.get(f"{SALE}/frame").status_code == 404
    choose(stall, shown_on=["https://www.example.org"])
    frame = browser.client.get(f"{SALE}/frame")
    assert "Carottes" in frame.text
    assert "<form" not in frame.text
    assert frame.headers["content-security-policy"].endswith("frame-ancestors https://www.example.org")
    shop = browser.client.get(SALE)
    assert shop.headers["content-security-policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(
    "site",
    [
        "http://example.org",
        "https://*",
        "https://a.org/x",
        "https://a.org; script-src *",
        "https://u@a.org",
        "x",
        "https://a.org:80 *",
        "https://a.org:80;report-uri https://b.org",
        "https://a.org:",
    ],
)
def test_a_website_that_may_show_a_sale_is_an_origin_and_nothing_more(site: str) -> None:
    with pytest.raises(Unfit):
        Settings(shown_on=(site,))


# ------------------------------------------------------------------------------------------------ what browsers keep


@sqlite
@pytest.mark.parametrize("path", ["/", "/hubs/shop", SALE])
def test_browsers_keep_pages_that_are_the_same_for_everybody_and_ask_whether_they_changed(
    browser: Browser, stall: Stall, ada: Person, path: str
) -> None:
    first = browser.client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    again = browser.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stall.count(stall.nests, 1)
    changed = browser.client.get(SALE, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    browser.log_in()
    personal = browser.client.get(path)
    assert (personal.headers["cache-control"], "etag" in personal.headers) == ("no-store", False)


def test_visitors_get_the_page_of_the_one_before_until_something_is_committed(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    first = browser.client.get(SALE)
    statements: list[str] = []
    event.listen(stall.instance.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    statement_counts = []
    for _ in range(50):  # a commit in another database of the same PostgreSQL makes a page anew as well
        again = browser.another().client.get(SALE)
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        statement_counts.append(len(statements))
        statements.clear()
    assert 0 in statement_counts
    stall.count(stall.nests, 3)
    assert "only 3 left" not in first.text
    assert "only 3 left" in browser.client.get(SALE).text
    clock.advance(days=9)
    assert "This sale closed" in browser.client.get(SALE).text


@sqlite
def test_no_page_of_a_member_a_basket_or_another_language_is_shown_to_others(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    stranger, member = browser.another(), browser.another()
    member.log_in()
    browser.go(SALE)
    browser.send(f"{SALE}/cart", **{f"items/{stall.eggs}": "1"})
    seen: dict[str, list[str]] = {}
    for _ in range(2):  # each of them before and after each other
        for name, visitor in {"basket": browser, "stranger": stranger, "member": member}.items():
            seen.setdefault(name, []).append(visitor.go(SALE).text)
    assert ["Basket (1)" in text for texts in seen.values() for text in texts] == [True, True] + [False] * 4
    assert ["Log out" in text for texts in seen.values() for text in texts] == [False] * 4 + [True, True]
    stranger.reads("fr")
    assert "Commandes" in stranger.go(SALE).text
    assert "Nothing is called" in browser.another().go(f"{SALE}?q=zzz").text


@sqlite
@pytest.mark.parametrize("spelling", ["/hubs/shop%0A", "/hubs/%09shop", "/hubs/shop%0D", "/hubs/shop%3F", "/hubs/SHOP"])
def test_another_spelling_of_a_path_finds_no_kept_page(browser: Browser, stall: Stall, spelling: str) -> None:
    assert browser.client.get(spelling).status_code == 404
    for _ in range(5):  # a commit in another database of the same PostgreSQL would make a page anew
        kept = browser.client.get("/hubs/shop")
        assert kept.status_code == 200
        assert browser.client.get(spelling).status_code == 404
        assert browser.client.get("/hubs/shop").content == kept.content


@sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "elsewhere.example"},
        {"Host": "testserver/hubs/shop#"},
        {"Host": "testserver/hubs/shop?"},
        {"X-Forwarded-Host": "elsewhere.example"},
        {"X-Original-URL": "/hubs/shop"},
        {"Cookie": "language=<b>"},
    ],
    ids=str,
)
def test_no_header_of_a_visitor_changes_the_page_of_others(
    browser: Browser, stall: Stall, headers: dict[str, str]
) -> None:
    pages = {path: browser.client.get(path).content for path in ("/", "/hubs/shop")}
    stall.count(stall.nests, 7)  # what was kept is old now
    for path in pages:
        browser.client.get(path, headers=headers)
    assert {path: browser.client.get(path).content for path in pages} == pages


@sqlite
def test_kept_pages_take_bounded_room(browser: Browser, stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_pages, "_ROOM", 12_000)
    for number in range(12):
        browser.go(f"/?q={number}")
    app = browser.client.app
    assert isinstance(app, Starlette)
    pages = app.state.cached_pages._pages
    assert 0 < len(pages) < 12
    assert sum(len(page.body) for page in pages.values()) <= 12_000


@sqlite
def test_pages_of_a_basket_or_a_secret_address_are_never_kept(browser: Browser, stall: Stall) -> None:
    for path in ("/login", "/confirm/code", "/reset/code", "/orders/guest/secret", f"{SALE}/cart"):
        assert browser.client.get(path).headers["cache-control"] == "no-store", path
    browser.go(SALE)
    browser.send("/cart", **{f"items/{stall.eggs}": "1"})
    assert browser.client.get(SALE).headers["cache-control"] == "no-store"


# ------------------------------------------------------------------------------------------------ colours


def _colours(css: str) -> dict[str, dict[str, str]]:
    """Returns the variables of each `:root` rule in this part of the stylesheet, by accent; "" is that of all."""
    rules = re.findall(r":root(?:\[data-accent=\"(\w+)\"\])? \{([^}]*)\}", css)
    return {accent: dict(re.findall(r"--([\w-]+): (#\w{6})", body)) for accent, body in rules}


def _contrast(first: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _scheme(name: str) -> dict[str, dict[str, str]]:
    """Returns the colours of a scheme, "light" or "dark", by accent."""
    css = CSS.read_text("utf-8").partition("@media print")[0]
    block = re.compile(r"@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}", re.S)
    return _colours("\n".join(block.findall(css)) if name == "dark" else block.sub("", css))


@pytest.mark.parametrize("accent", get_args(Accent))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_accent_can_be_read(scheme: str, accent: str) -> None:
    colours = _scheme(scheme)
    chosen = {**colours[""], **colours.get(accent, {})}
    assert accent == "green" or accent in colours
    for text, ground in (
        ("leaf", "ground"),
        ("leaf", "sheet"),
        ("leaf", "leaf-tint"),
        ("leaf-deep", "leaf-tint"),
        ("on-leaf", "leaf"),
        ("ink", "leaf-tint"),
        ("quiet", "leaf-tint"),
    ):
        assert _contrast(chosen[text], chosen[ground]) >= 4.5, (text, ground)
