"""The office: prices and stock in a grid, saved all or not at all, and never over somebody else's change."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update

from commensal.catalogs.items import hide_items, item_by_id
from commensal.catalogs.listings import listed_for
from commensal.catalogs.offers import set_price
from commensal.enterprises.tables import enterprise
from commensal.products.products import create_product
from commensal.products.values import SuppliedProduct
from commensal.products.vat import rates_of
from commensal.stock.lots import lot_by_id
from commensal.testing.placed import a_lot, a_shop, an_item

from .conftest import Browser, Form, Stall, list_many
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner, statements

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

GRID = f"{OFFICE}/products"


def price_of(stall: Stall, item: str) -> int:
    with stall.instance.store.read() as tx:
        return item_by_id(tx, "shop", item).offers[0].price


def stock_of(stall: Stall, lot: str) -> Decimal:
    with stall.instance.store.read() as tx:
        return lot_by_id(tx, "shop", lot).on_hand


def test_sizes_of_one_lot_share_one_stock(owner: Browser, stall: Stall) -> None:
    page = owner.go(GRID)
    fields = (
        page.form("").fields if page.forms[0].action == "" and page.forms[0].method == "post" else page.forms[1].fields
    )
    assert fields[f"price/{stall.small}"] == "2.40"
    assert fields[f"price/{stall.large}"] == "10.50"
    assert fields[f"stock/{stall.heap}"] == "12"
    assert [name for name in page.ids() if name.startswith("stock/")].count(f"stock/{stall.heap}") == 1


def grid_of(browser: Browser) -> Form:
    return next(form for form in browser.page.forms if any(name.startswith("price/") for name in form.fields))


def save(browser: Browser, **typed: str) -> None:
    """Changes fields of the grid and presses the button."""
    grid = next(
        form for form in browser.page.forms if form.method == "post" and any("price/" in name for name in form.fields)
    )
    unknown = set(typed) - set(grid.fields)
    assert not unknown, unknown
    browser.post(browser.at, **{**grid.fields, **typed})


def test_prices_and_stock_are_saved_together(owner: Browser, stall: Stall) -> None:
    owner.go(GRID)
    save(owner, **{f"price/{stall.small}": "2,60", f"price/{stall.eggs}": "2.20", f"stock/{stall.heap}": "20,5"})
    assert "3 changes saved." in owner.page.text
    assert price_of(stall, stall.small) == 260
    assert price_of(stall, stall.eggs) == 220
    assert stock_of(stall, stall.heap) == Decimal("20.5")


def test_in_french_numbers_stand_with_a_comma_and_what_was_not_touched_is_no_change(
    owner: Browser, stall: Stall
) -> None:
    owner.go(GRID)
    owner.send("/language", ("language", "fr"))
    assert grid_of(owner).fields[f"price/{stall.small}"] == "2,40"
    save(owner, **{f"stock/{stall.heap}": "20,5"})
    assert (price_of(stall, stall.small), stock_of(stall, stall.heap)) == (240, Decimal("20.5"))
    assert grid_of(owner).fields[f"stock/{stall.heap}"] == "20,5"


def test_one_mistake_saves_nothing_and_loses_nothing(owner: Browser, stall: Stall) -> None:
    owner.go(GRID)
    save(owner, **{f"price/{stall.small}": "2,60", f"price/{stall.large}": "4,2O"})
    assert owner.status == 422
    assert "'4,2O' is not a number" in owner.page.text
    grid = grid_of(owner)
    assert grid.fields[f"price/{stall.small}"] == "2,60"
    assert grid.fields[f"price/{stall.large}"] == "4,2O"
    assert price_of(stall, stall.small) == 240


def test_a_change_of_somebody_else_is_shown_and_not_overwritten(owner: Browser, stall: Stall) -> None:
    owner.go(GRID)
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.small, 250)
    save(owner, **{f"price/{stall.small}": "2.60"})
    assert "Somebody has changed this to 2.50 meanwhile" in owner.page.text
    assert price_of(stall, stall.small) == 250
    save(owner)
    assert price_of(stall, stall.small) == 260, "pressed again, it is meant so"


def confirm(browser: Browser, **fields: str) -> None:
    """Ticks the box beside the prices in question, and presses the button once more."""
    (box,) = [attributes for _, attributes in browser.page.elements if attributes.get("name") == "prices_right"]
    browser.post(browser.at, **{**grid_of(browser).fields, "prices_right": box["value"], **fields})


def test_a_price_that_looks_like_a_slip_is_asked_about_once(owner: Browser, stall: Stall) -> None:
    an_order(stall, small=2)
    assert "orders that are placed keep theirs." in owner.go(GRID).text
    assert "It is the price of your own shop." not in owner.page.text
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(is_producer=True))
    assert "theirs. It is the price of your own shop. Hubs of this site keep theirs" in owner.go(GRID).text
    save(owner, **{f"price/{stall.small}": "24", f"price/{stall.eggs}": "2.20", f"stock/{stall.heap}": "20"})
    assert "Is this price right? Nothing is saved yet." in owner.page.text
    assert "Carottes: €2.40 → €24.00 1 order that is still to be handed over keeps the old price." in owner.page.text
    assert (price_of(stall, stall.small), price_of(stall, stall.eggs)) == (240, 215)
    save(owner, **{f"price/{stall.small}": "0"})
    assert "€2.40 → €0.00" in owner.page.text, "the box is for the price that was shown"
    confirm(owner)
    assert (price_of(stall, stall.small), price_of(stall, stall.eggs)) == (0, 220)
    assert stock_of(stall, stall.heap) == Decimal(20)
    change_ticked(owner, stall.large, by_percent="-95")
    assert "€10.50 → €0.53" in owner.page.text
    assert price_of(stall, stall.large) == 1050
    confirm(owner, apply="ticked")
    assert price_of(stall, stall.large) == 53
    save(owner, **{f"price/{stall.eggs}": "-1"})
    assert "A price cannot be less than zero." in owner.page.text
    assert f"price/{stall.eggs}-problem" in owner.page.ids()


def test_what_was_not_touched_is_not_written(owner: Browser, stall: Stall) -> None:
    owner.go(GRID)
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.large, 999)
    save(owner, **{f"price/{stall.small}": "2.60"})
    assert price_of(stall, stall.large) == 999


def test_less_than_is_ordered_is_refused_at_its_field(owner: Browser, stall: Stall) -> None:
    an_order(stall, small=5)
    owner.go(GRID)
    save(owner, **{f"stock/{stall.heap}": "3"})
    assert owner.status in (409, 422)
    assert "5 kg of Carottes are ordered" in owner.page.text
    assert f"stock/{stall.heap}-problem" in owner.page.ids()
    assert stock_of(stall, stall.heap) == 12


def test_a_packer_reads_prices_and_changes_none(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    page = browser.go(GRID)
    assert not [name for name in page.ids() if name.startswith(("price/", "stock/"))]
    assert "grid" not in str([each for tag, each in page.elements if tag == "script"]), (
        "the script looks for what is not there"
    )
    name = f"price/{stall.small}"
    browser.post(GRID, **{name: "1", f"was/{name}": "2.40"})
    assert browser.status == 403
    assert price_of(stall, stall.small) == 240


def test_a_search_finds_by_product_and_producer_without_accents(owner: Browser, stall: Stall) -> None:
    page = owner.go(f"{GRID}?q=oeufs")
    assert "Œufs" in page.text
    assert "Carottes" not in page.text
    assert "No product fits." in owner.go(f"{GRID}?q=zzz").text


# ------------------------------------------------------------------------------------------- a long list


def test_every_one_of_1400_goods_is_reached_by_pages_and_by_a_search(owner: Browser, stall: Stall) -> None:
    items = list_many(stall, 1400)
    page = owner.go(GRID)
    assert "1403 products · page 1 of 29" in page.text
    reached = set[str]()
    for number in range(1, 30):
        reached |= {name.removeprefix("price/") for name in owner.go(f"{GRID}?q=&page={number}").ids()}
    assert set(items) <= reached
    assert "1 product" not in owner.go(f"{GRID}?q=the+1399").text, "a list on one page needs no number"
    assert f"price/{items[-1]}" in owner.page.ids()


def test_the_last_of_1400_goods_is_changed_and_its_page_stays(owner: Browser, stall: Stall) -> None:
    item = list_many(stall, 1400)[-1]
    here = f"{GRID}?q=the&page=28"
    owner.go(here)
    save(owner, **{f"price/{item}": "3.10", f"stock/lot-{item}": "7"})
    assert "2 changes saved." in owner.page.text
    assert (price_of(stall, item), stock_of(stall, f"lot-{item}")) == (310, Decimal(7))
    assert grid_of(owner).fields[f"price/{item}"] == "3.10"
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", item, 320)
    save(owner, **{f"price/{item}": "3.30"})
    assert "Somebody has changed this to 3.20 meanwhile" in owner.page.text


def test_a_long_list_asks_no_more_statements_than_a_short_one(owner: Browser, stall: Stall) -> None:
    owner.client.get(GRID)  # what is read once and kept
    few = statements(owner, stall, GRID)
    list_many(stall, 1400)
    assert statements(owner, stall, GRID) == few
    assert statements(owner, stall, f"{GRID}?page=29") == few


def test_own_goods_that_only_others_sell_stand_among_1400(owner: Browser, stall: Stall) -> None:
    list_many(stall, 1400)
    with stall.instance.store.write() as tx:
        zest = create_product(
            tx,
            enterprise_id="shop",
            name="Zeste",
            product_type="apples",
            quantity=Decimal(1),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(4),
        )
    assert "not sold here" in owner.go(f"{GRID}?q=zeste").text
    assert f"stock/{zest.lot_id}" in owner.page.ids()


def test_all_of_many_goods_that_are_not_offered_are_reached(owner: Browser, stall: Stall) -> None:
    items = list_many(stall, 450)
    with stall.instance.store.write() as tx:
        hide_items(tx, "shop", items)
    text = owner.go(f"{GRID}/not-offered").text
    while further := [link for link in owner.page.links() if link.startswith("?after=")]:
        text += owner.go(f"{GRID}/not-offered{further[0]}").text
    assert [number for number in range(450) if f"Thé {number:04}" not in text] == []


# ------------------------------------------------------------------------------------------- many at once


def change_ticked(browser: Browser, *items: str, **fields: str) -> None:
    """Ticks the rows of these items, fills in the form below and presses its button."""
    ticks = {f"tick/{item}": "1" for item in items}
    browser.post(browser.at, **{**grid_of(browser).fields, **ticks, **fields, "apply": "ticked"})


def product_of(stall: Stall, item: str) -> SuppliedProduct:
    with stall.instance.store.read() as tx:
        return listed_for(tx, "shop", None, item_ids=[item])[0].product


def test_ticked_rows_get_other_prices_a_rate_and_a_kind_together(owner: Browser, stall: Stall) -> None:
    owner.go(GRID)
    typed = {f"price/{stall.small}": "2.45"}
    change_ticked(owner, stall.small, stall.eggs, by_percent="-10", to_vat="20", to_kind="Bakery", **typed)
    assert "3 changes saved." in owner.page.text
    assert [price_of(stall, item) for item in (stall.small, stall.eggs, stall.large)] == [221, 194, 1050]
    changed, same = product_of(stall, stall.eggs), product_of(stall, stall.large)
    with stall.instance.store.read() as tx:
        rates = [rate.rate for rate in rates_of(tx, "shop", changed.id)]
    assert (rates[-1], len(rates), changed.product_type) == (Decimal(20), 2, "bakery")
    assert same.product_type != "bakery"


def test_ticked_rows_are_not_offered_and_come_back(owner: Browser, stall: Stall) -> None:
    an_order(stall, eggs=1)
    owner.go(GRID)
    change_ticked(owner, stall.eggs, not_offered="1")
    assert "1 order that is still to be handed over holds them" in owner.page.text
    assert f"price/{stall.eggs}" not in owner.page.ids()
    owner.go(f"{GRID}/not-offered")
    assert "Œufs par 6" in owner.page.text
    owner.send("", **{f"tick/{stall.eggs}": "1"})
    assert f"price/{stall.eggs}" in owner.page.ids()


@pytest.mark.parametrize(
    ("items", "fields", "text"),
    [
        (["eggs"], {}, "Say what is to change in the ticked rows."),
        ([], {"by_percent": "5"}, "Tick at least one row."),
        (["eggs"], {"by_percent": "-101"}, "Give a percent between -100 and 1000"),
        (["eggs"], {"to_vat": "twenty", "by_percent": "5"}, "VAT"),
    ],
)
def test_a_mistake_in_many_changes_saves_nothing_and_keeps_what_was_typed(
    owner: Browser, stall: Stall, items: list[str], fields: dict[str, str], text: str
) -> None:
    owner.go(GRID)
    ticked = [getattr(stall, name) for name in items]
    change_ticked(owner, *ticked, **fields, **{f"price/{stall.large}": "11"})
    assert (owner.status, text in owner.page.text) == (422, True)
    assert (price_of(stall, stall.eggs), price_of(stall, stall.large)) == (215, 1050)
    kept = grid_of(owner).fields
    assert kept[f"price/{stall.large}"] == "11"
    assert {name: kept[name] for name in fields} == fields
    assert [name for name in kept if name.startswith("tick/")] == [f"tick/{item}" for item in ticked]


def test_the_kind_of_goods_is_said_by_their_producer(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        a_shop(tx, "farm", is_producer=True)
        lot = a_lot(tx, "farm", name="Pain")
        bread = an_item(tx, lot, "shop", name="Pain", price=300, enterprise_id="farm")
    owner.go(GRID)
    change_ticked(owner, bread, to_vat="20", by_percent="10")
    assert (owner.status, "Their producer says the kind and the VAT of Pain" in owner.page.text) == (422, True)
    assert price_of(stall, bread) == 300
    owner.go(GRID)
    change_ticked(owner, bread, by_percent="10")
    assert price_of(stall, bread) == 330


def test_the_level_of_an_alert_is_set_and_taken_away_in_the_grid(owner: Browser, stall: Stall) -> None:
    def level() -> Decimal | None:
        with stall.instance.store.read() as tx:
            return lot_by_id(tx, "shop", stall.heap).low_level

    field = f"low/{stall.heap}"
    owner.go(GRID)
    save(owner, **{field: "12,5"})
    assert (grid_of(owner).fields[field], level()) == ("12.5", Decimal("12.5"))
    assert "running low" in owner.page.text
    assert "1 stock runs low" in owner.go(OFFICE).text
    owner.go(GRID)
    save(owner, **{field: "-3"})
    assert (owner.status, level()) == (422, Decimal("12.5"))
    owner.go(GRID)
    save(owner, **{field: "", f"stock/{stall.heap}": "12"})
    assert level() is None
    assert "runs low" not in owner.go(OFFICE).text


def test_own_goods_that_only_others_sell_have_their_stock_and_their_alert_here(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        nuts = create_product(
            tx,
            enterprise_id="shop",
            name="Noix",
            product_type="apples",
            quantity=Decimal(1),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(4),
        )
    assert "not sold here" in owner.go(GRID).text
    save(owner, **{f"stock/{nuts.lot_id}": "7", f"low/{nuts.lot_id}": "5"})
    with stall.instance.store.read() as tx:
        lot = lot_by_id(tx, "shop", nuts.lot_id)
    assert (lot.on_hand, lot.low_level) == (Decimal(7), Decimal(5))
