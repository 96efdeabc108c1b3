"""Every page of the office in a browser: it fits, it can be read and used, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from commensal.orders.values import Order

from .conftest import PASSWORD, Shop
from .orders import an_order, olivia
from .person import Person

OFFICE = "/office/shop"
HANDOUT = f"{OFFICE}/handout/shop-session"
SCREENS = ((320, "light"), (360, "dark"), (1280, "light"))  # pixels
NOTE = "Ma voisine vient chercher, elle sonne deux fois à la porte verte."
PAGES = (
    "",
    "/orders",
    "/orders?q=rien",
    "/orders/new?new=1",
    "/products",
    "/bring",
    "/money",
    "/money/till",
    "/money/open",
    "/money/close",
    "/pack",
    "/papers",
    "/rules",
    "/receive",
    "/settings",
    "/settings/closing",
    "/settings/plugins/cash",
    "/settings/plugins/cash?ask=off",
    "/sale/shop-session",
    "/sale/shop-session?ask=close",
    "/sale/shop-session/slots",
    "/new-sale",
    "/products/import",
    "/products/new",
    "/producers",
    "/producers?q=a",
    "/hubs",
    "/customers",
    "/customers/new",
    "/groups",
    "/places",
    "/places/new",
    "/settings/profile",
    "/settings/team",
    "/settings/team/invite",
    "/settings/team/roles/new",
)


@pytest.fixture
def order(unplugged_shop: Shop) -> Order:
    olivia(unplugged_shop)
    return an_order(unplugged_shop, "Corinne Clerc-de-la-Vallée-des-Grands-Chênes", NOTE)


def logs_in(person: Person) -> None:
    person.goes_to(f"/login?next={OFFICE}")
    person.writes(email="olivia@example.org", password=PASSWORD)
    person.presses("Se connecter")


def tour(person: Person, shop: Shop, order: Order) -> Iterator[str]:
    """Shows the pages one after the other, in all states that differ, and yields their names."""
    for page in PAGES:
        person.goes_to(f"{OFFICE}{page}")
        yield page or "the week"
    for page in (f"{OFFICE}/orders/{order.id}", f"{OFFICE}/money/{order.id}", "/office?choose=1", f"{OFFICE}/nowhere"):
        person.goes_to(page)
        yield page
    for act in ("substitute", "cancel", "correct", "refund", "change"):
        person.goes_to(f"{OFFICE}/orders/{order.id}/{act}")
        yield act
    person.writes(note="Sonner deux fois")
    person.presses("Voir ce qui change")
    yield "what a change does"
    person.goes_to(f"{OFFICE}/products")
    person.goes_to(person.script("return document.querySelector('.grid th a:not(.thumb)').getAttribute('href')"))
    yield "a product"
    person.goes_to(f"{OFFICE}/products")
    person.script("document.querySelector('input.cell').value = 'x'; window.onbeforeunload = null")
    person.presses("Enregistrer")
    yield "a mistake in the grid"
    person.goes_to(HANDOUT)
    yield "the list"
    person.goes_to(f"{HANDOUT}/{order.id}")
    yield "a person"
    shop.clock.advance(days=4)
    for page in ("", "/money", "/money/open", f"/money/{order.id}/write-off"):
        person.goes_to(f"{OFFICE}{page}")
        yield f"{page or 'the week'} when it is over"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_every_page_fits_and_can_be_read_and_used_by_everybody(
    person: Person, shop: Shop, order: Order, scripts: bool
) -> None:
    logs_in(person)
    if not scripts:
        person.without_scripts()
    faults = []
    screens = SCREENS if scripts else SCREENS[:1]  # the stylesheet is the same: what scripts make of a page is missing
    for name in tour(person, shop, order):
        for width, scheme in screens:
            person.on_a_screen(width, scheme)
            person.leaves_a_picture(f"office {name}", width, scheme)
            faults += [f"{name}, {width} px, {scheme}: {fault}" for fault in person.faults()]
        faults += [f"{name}: {fault}" for fault in (person.faults_of_large_letters() if scripts else ())]
        faults += [f"{name}: {complaint}" for complaint in person.complaints()]
    assert not faults, "\n".join(faults)


def test_a_hand_out_works_without_scripts(person: Person, shop: Shop, order: Order) -> None:
    person.without_scripts()
    logs_in(person)
    person.follows("Retraits")
    person.follows("Corinne")
    person.presses("reçu · remis")
    assert "1/1" in person.text
    assert "remise à" in person.text
    person.presses("Annuler")
    assert "À payer 2,40 €" in person.text


def test_prices_are_pasted_undone_worked_out_and_filled_in_a_block(person: Person, shop: Shop, order: Order) -> None:
    logs_in(person)
    person.goes_to(f"{OFFICE}/products")
    person.script(
        "const cells = document.querySelectorAll('input.cell[name^=price]'); cells[0].focus();"
        "const data = new DataTransfer(); data.setData('text', '2,50\\n11,00\\n');"
        "cells[0].dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))"
    )
    assert len(person.driver.find_elements(By.CSS_SELECTOR, "input.cell.dirty")) == 2
    person.driver.find_element(By.CSS_SELECTOR, "[data-tool=undo]").click()
    assert person.driver.find_elements(By.CSS_SELECTOR, "input.cell.dirty") == []
    cells = person.driver.find_elements(By.CSS_SELECTOR, "input.cell[name^=price]")
    prices = [cell.get_attribute("value") or "" for cell in cells]
    cells[0].send_keys(Keys.SHIFT, Keys.ARROW_DOWN)  # two cells
    person.driver.find_element(By.CSS_SELECTOR, "[data-tool=percent]").click()
    cents = [(int(price.replace(",", "")) * 105 + 50) // 100 for price in prices[:2]]
    five_more = [f"{amount // 100},{amount % 100:02}" for amount in cents]
    assert [cell.get_attribute("value") for cell in cells] == five_more + prices[2:]
    person.driver.find_element(By.CSS_SELECTOR, "[data-tool=fill]").click()
    assert [cell.get_attribute("value") for cell in cells] == five_more[:1] * 2 + prices[2:]
    person.presses("Enregistrer")
    assert "2 changements enregistrés." in person.text
