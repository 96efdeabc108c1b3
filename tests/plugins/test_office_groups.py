"""The office: what groups of customers pay, and goods that only they see."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.listings import products_of_items
from commensal.catalogs.offers import remove_price, set_price
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.orders.tables import order_line

from .conftest import Browser, Stall, list_many
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner, statements

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rules are tested on both
GROUPS = f"{OFFICE}/groups"
SESSION = "shop-session"


@pytest.fixture
def helped(stall: Stall) -> str:
    """The id of a group."""
    with stall.instance.store.write() as tx:
        return create_category(tx, "shop", name="Helped").id


def prices_of(stall: Stall, item: str) -> dict[str | None, int]:
    """Prices of an item by the id of the group; None: everybody."""
    with stall.instance.store.read() as tx:
        return {offer.category_id: offer.price for offer in item_by_id(tx, "shop", item).offers}


def shown_to(stall: Stall, item: str) -> tuple[str, ...]:
    with stall.instance.store.read() as tx:
        return item_by_id(tx, "shop", item).shown_to


def page_of_carrots(stall: Stall) -> str:
    with stall.instance.store.read() as tx:
        return f"{OFFICE}/products/{products_of_items(tx, 'shop', [stall.small])[stall.small].id}/groups"


def test_a_group_gets_a_price_and_is_the_only_one_to_see_a_product(owner: Browser, stall: Stall, helped: str) -> None:
    url = page_of_carrots(stall)
    owner.go(url.removesuffix("/groups"))
    assert url in owner.page.links(), "the page of the product leads there"
    owner.go(url)
    assert "What a group pays less is at your cost" in owner.page.text
    price, tick = f"price/{stall.small}/{helped}", f"shown/{stall.small}/{helped}"
    owner.send("", **{price: "1,50", tick: "1"})
    assert "Saved. Customers see it from now on." in owner.page.text
    assert prices_of(stall, stall.small) == {None: 240, helped: 150}
    assert "holds another price" not in owner.page.text
    assert shown_to(stall, stall.small) == (helped,)
    owner.send("", **{price: "0"})
    assert "Is this price right? Nothing is saved yet." in owner.page.text
    assert prices_of(stall, stall.small)[helped] == 150
    owner.send("", **{price: "1.5O"})
    assert f"{price}-problem" in owner.page.ids()
    form = owner.page.form("")
    owner.post(owner.at, **{name: text for name, text in {**form.fields, price: ""}.items() if name != tick})
    assert prices_of(stall, stall.small) == {None: 240}, "an empty field: the price for everybody"
    assert shown_to(stall, stall.small) == ()
    order = an_order(stall, small=1)
    with stall.instance.store.write() as tx:
        tx.execute(update(order_line).where(order_line.c.order_id == order.id).values(price=150, list_price=240))
    owner.send("", **{price: "1.60"})
    assert "1 order that is still to be handed over holds another price." in owner.page.text
    assert f"{OFFICE}/orders/prices" in owner.page.links()


def test_what_somebody_else_has_set_for_a_group_is_not_overwritten(owner: Browser, stall: Stall, helped: str) -> None:
    owner.go(page_of_carrots(stall))
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.small, 200, category_id=helped)
        item = item_by_id(tx, "shop", stall.small)
        change_item(tx, "shop", item.id, item.version, shown_to=[helped])
    price, tick = f"price/{stall.small}/{helped}", f"shown/{stall.small}/{helped}"
    owner.send("", **{price: "1.50"})
    assert "Somebody has changed this to 2.00 meanwhile" in owner.page.text
    assert prices_of(stall, stall.small)[helped] == 200
    assert shown_to(stall, stall.small) == (helped,), "what was not touched stays"
    owner.send("", **{price: "1.50", tick: "1"})
    assert (prices_of(stall, stall.small)[helped], shown_to(stall, stall.small)) == (150, (helped,))


def test_a_percentage_for_all_goods_is_shown_first_and_then_set_at_once(
    owner: Browser, stall: Stall, helped: str
) -> None:
    owner.go(GROUPS)
    url = f"{GROUPS}/{helped}"
    assert url in owner.page.links()
    owner.go(url)
    assert "This group pays what everybody pays" in owner.page.text
    owner.send(url, percent="-35 %", step="5")
    assert "3 prices change" in owner.page.text
    assert "€2.40 → €1.55" in owner.page.text, "1.56, rounded to 0.05"
    assert prices_of(stall, stall.small) == {None: 240}, "nothing has changed yet"
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.small, 300)
    owner.send(url)
    assert owner.status == 409
    assert "Somebody has changed prices meanwhile." in owner.page.text
    assert "€3.00 → €1.95" in owner.page.text
    assert prices_of(stall, stall.eggs) == {None: 215}, "all of them or none"
    owner.send(url)
    assert "3 prices changed." in owner.page.text
    assert [prices_of(stall, item)[helped] for item in (stall.small, stall.large, stall.eggs)] == [195, 685, 140]
    assert "€1.95" in owner.page.text
    owner.send(url, percent="-50", step="1")
    owner.send(url)
    assert prices_of(stall, stall.eggs) == {None: 215, helped: 108}
    owner.send(url, percent="0")
    owner.send(url)
    assert prices_of(stall, stall.small) == {None: 300}, "0: the group pays what everybody pays"
    owner.send(url, percent="0")
    assert "No price changes by this." in owner.page.text
    owner.send(url, percent="-101")
    assert "percent-problem" in owner.page.ids()


def test_many_goods_need_no_more_statements_to_be_read(owner: Browser, stall: Stall, helped: str) -> None:
    url = f"{GROUPS}/{helped}"
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.small, 200, category_id=helped)
    few = statements(owner, stall, url)
    items = list_many(stall, 30)
    owner.go(url)
    owner.send(url, percent="-10")
    owner.send(url)
    assert "33 prices changed." in owner.page.text
    assert prices_of(stall, items[29])[helped] == 194
    assert statements(owner, stall, url) == few


def test_a_packer_sees_no_prices_of_groups(browser: Browser, stall: Stall, helped: str) -> None:
    browser.log_in(a_member(stall, "packer"))
    for page in (page_of_carrots(stall), f"{GROUPS}/{helped}"):
        browser.go(page)
        assert browser.status == 403


def test_goods_of_one_group_stay_in_the_grid_and_can_be_ordered_for_it_by_telephone(
    owner: Browser, stall: Stall, helped: str
) -> None:
    few = statements(owner, stall, f"{OFFICE}/products")
    with stall.instance.store.write() as tx:
        for item_id in (stall.small, stall.eggs):
            set_price(tx, "shop", item_id, 100, category_id=helped)
        remove_price(tx, "shop", stall.eggs)
        item = item_by_id(tx, "shop", stall.small)
        change_item(tx, "shop", item.id, item.version, shown_to=[helped])
        paula = create_customer(tx, "shop", email="paula@example.org", name="Paula", categories=[helped])
        piet = create_customer(tx, "shop", email="piet@example.org", name="Piet")
    assert "only for Helped · Helped: €1.00" in owner.go(f"{OFFICE}/products").text
    assert page_of_carrots(stall) in owner.page.links()
    assert statements(owner, stall, f"{OFFICE}/products") == few
    grid = next(form for form in owner.page.forms if any(name.startswith("price/") for name in form.fields))
    assert (grid.fields[f"price/{stall.small}"], grid.fields[f"price/{stall.eggs}"]) == ("2.40", "")
    owner.post(owner.at, **{**grid.fields, f"price/{stall.small}": "2.60", f"price/{stall.eggs}": "2.10"})
    assert "2 changes saved." in owner.page.text
    assert (prices_of(stall, stall.small)[None], prices_of(stall, stall.eggs)[None]) == (260, 210)
    assert "No product fits." not in owner.go(f"{OFFICE}/products?q=carottes").text
    label = "Carottes · 1 kg"
    order = f"{OFFICE}/orders/new?customer="
    owner.go(f"{order}{piet.id}")
    owner.send(f"{OFFICE}/orders/new?sale={SESSION}", **{"add/1": label, "shipping": stall.slots[0]})
    assert f"{label} is only for groups in which this customer is not" in owner.page.text
    owner.go(f"{order}{paula.id}")
    owner.send(f"{OFFICE}/orders/new?sale={SESSION}", **{"add/1": label, "shipping": stall.slots[0]})
    assert "Yes, take it" in owner.page.text
    assert "€1.00" in owner.page.text
    assert "not on sale" not in owner.go(f"{OFFICE}/sale/{SESSION}").text
    stall.count(stall.heap, 0)
    assert "2 products are sold out" in owner.go(OFFICE).text, "the size for the group and the one for everybody"
