"""Goods that are sold by weight: the page, the basket, the order and its e-mail say about how much, and at most."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update

from commensal.base.languages.catalogs import Written
from commensal.orders.fulfil import weigh_order
from commensal.orders.lines import names_of_lines
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.mail.order_view import order_view
from commensal.parts.mail.render import render
from commensal.products.tables import supplied_product
from commensal.testing.placed import a_lot, an_item

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, stored_orders

SUMS = "Totalabout €25.00 At most, whatever it weighs€27.00"  # cells of a table


@pytest.fixture
def bird(stall: Stall) -> str:
    """A chicken of about 2 kg for 25.00, which may weigh 8 % more or less."""
    with stall.instance.store.write() as tx:
        return an_item(
            tx,
            a_lot(tx, name="Poulet", unit="Kilogram", on_hand="40"),
            name="Poulet",
            price=2500,
            grains=2000,
            quantity=Decimal(2),
            unit="Kilogram",
            weighed=True,
            weight_tolerance=Decimal(8),
        )


def bought(browser: Browser, stall: Stall) -> Order:
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0], payment_method="cash:cash")
    (row,) = stored_orders(stall)
    with stall.instance.store.read() as tx:
        return order_by_id(tx, str(row["id"]), enterprise_id="shop")


def mail_about(stall: Stall, order: Order) -> str:
    with stall.instance.store.read() as tx:
        view = order_view(tx, stall.instance.hooks, order.id)
        line_names = names_of_lines(tx, view.order.lines, reader="en", own=view.shop_language)
    values = {
        "order": view.order,
        "line_names": line_names,
        "view": view,
        "link": "",
        "action": "",
        "payment_code": "",
        "came_back": False,
        "parts": (),
        "terms_link": "",
        "now": view.closes_at,
        "sale_note": Written("en", ""),
    }
    mail = render("order_placed", "en", "Europe/Paris", values)
    assert "at most €27.00" in mail.html or "at most" not in mail.text
    return mail.text


def weigh(stall: Stall, order: Order, kilograms: str) -> Order:
    with stall.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        return weigh_order(tx, stall.instance.hooks, locked, {locked.lines[0].id: Decimal(kilograms)})


def test_every_page_and_the_mail_say_the_same_bound(browser: Browser, stall: Stall, bird: str) -> None:
    assert "about; priced by weight, at most €27.00" in browser.go(SALE).text
    saved = browser.client.post(
        f"{SALE}/cart", data={f"items/{bird}": "1", "was": ""}, headers={"Accept": "application/json"}
    )
    assert "about €25.00, at most €27.00" in saved.json()["dock"]
    assert SUMS in browser.go(f"{SALE}/cart").text
    assert SUMS in browser.go(f"{SALE}/checkout").text
    order = bought(browser, stall)
    assert (order.total, order.total_at_most) == (2500, 2700)
    assert SUMS in browser.page.text
    assert "Please bring €25.00 to the distribution" in browser.page.text
    assert "you pay at most €27.00" in browser.page.text, "beside what to bring"
    assert "you pay at most €27.00" in mail_about(stall, order)


def test_once_it_was_weighed_it_costs_what_it_weighs_and_never_more_than_was_told(
    browser: Browser, stall: Stall, bird: str
) -> None:
    browser.post(f"{SALE}/cart", **{f"items/{bird}": "1", "was": "", "then": "checkout"})
    order = bought(browser, stall)
    weighed = weigh(stall, order, "2.1")
    assert (weighed.total, weighed.total_at_most) == (2625, None)
    assert "at most" not in mail_about(stall, order)
    assert "about" not in browser.go(browser.at).text
    assert "you pay for" not in browser.page.text
    assert weigh(stall, order, "3").total == 2700
    assert "weighed: 3 kg; you pay for 2.16 kg, the most that was promised" in browser.go(browser.at).text


def test_a_change_of_the_tolerance_leaves_what_customers_were_told(browser: Browser, stall: Stall, bird: str) -> None:
    browser.post(f"{SALE}/cart", **{f"items/{bird}": "1", "was": "", "then": "checkout"})
    order = bought(browser, stall)
    with stall.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(weight_tolerance=Decimal(50)))
    assert weigh(stall, order, "3").total == 2700


def test_without_a_known_tolerance_nothing_is_promised(browser: Browser, stall: Stall, bird: str) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(weight_tolerance=None))
    assert "price by weight" in browser.go(SALE).text
    browser.post(f"{SALE}/cart", **{f"items/{bird}": "1", "was": "", "then": "checkout"})
    assert "about €25.00" in browser.page.text
    assert "At most" not in browser.page.text
    assert "so this may change a little" in mail_about(stall, bought(browser, stall))
