"""A person buys in a real browser, whatever they read, press, or have switched off."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import event

from commensal.parts.serving.work import work_of
from commensal.storage.jobs.periodic import tick

from .conftest import PASSWORD, SALE, Shop
from .person import PATIENCE, PLAIN, Person

ORDER = "Commander avec obligation de paiement"


def to_the_checkout(person: Person, product: str, size: str, pieces: int) -> None:
    """In French, goes from the page of the sale to a completed checkout form."""
    person.goes_to(SALE)
    person.takes(product, size, pieces)
    person.presses("Mon panier")
    person.presses("Passer la commande")
    person.writes(name="Bob Le Goff", email="bob@example.org")
    person.chooses("Salle des fêtes")
    person.waits_until(lambda: not person.driver.find_elements(By.CSS_SELECTOR, "form[aria-busy]"), "the total")


def test_a_guest_buys_in_french_with_scripts_switched_off(person: Person, shop: Shop) -> None:
    person.without_scripts()
    person.goes_to("data:text/html,<title>off</title><script>document.title = 'on'</script>")
    assert person.driver.title == "off"
    person.goes_to("/")
    person.follows("Vente de juin")
    person.takes("Carottes", "5 kg", 1)
    person.takes("Œufs", "6", 2)
    picture = person.driver.find_element(By.TAG_NAME, "img")
    assert (picture.get_property("naturalWidth"), picture.accessible_name) == (40, "Six œufs dans leur boîte")
    person.presses("Mettre au panier")
    assert "15,20 €" in person.text
    person.presses("Passer la commande")
    person.writes(name="Bob Le Goff", email="bob@example.org", note="Je viens à vélo.")
    person.chooses("Gare, ")
    person.presses("Voir le total avec ce choix")
    assert "16,70 €" in person.text
    person.presses(ORDER)
    assert "Commande 1" in person.text
    assert "16,70 €" in person.text
    (order,) = shop.orders()
    assert (order["name"], order["total"], order["note"]) == ("Bob Le Goff", 1050 + 2 * 235 + 150, "Je viens à vélo.")
    assert person.complaints() == []
    person.driver.delete_all_cookies()  # as at another device, with nothing but the e-mail
    person.goes_to(_link_in_the_mail(shop))
    assert "Commande 1" in person.text


def _link_in_the_mail(shop: Shop) -> str:
    tick(shop.instance, work_of(shop.instance))
    (file,) = (shop.instance.folder / "mail").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    words = message.get_body(("plain",))
    assert words is not None
    (link,) = re.findall(rf"{re.escape(shop.instance.settings.base_url)}/orders/\S+", words.get_content())
    return str(link)


def test_a_member_buys_in_english_then_changes_and_cancels_the_order(person: Person, shop: Shop) -> None:
    person.goes_to("/login")
    person.presses("English")
    person.writes(email="ada@example.org", password=PASSWORD)
    person.presses("Log in")
    person.follows("See the products")
    person.takes("Carottes", "1 kg", 2)
    person.presses("My basket")
    person.presses("Go to checkout")
    assert person.driver.find_element(By.NAME, "name").get_property("value") == "Ada Martin"
    person.chooses("Salle des fêtes")
    person.presses("Order with obligation to pay")
    assert "Please bring €4.80" in person.text
    person.follows("Change the order")
    person.takes_of_it("Carottes", 3)
    person.presses("Show the new total")
    person.presses("Change the order with obligation to pay")
    assert "Please bring €7.20" in person.text
    assert [order["total"] for order in shop.orders()] == [720]
    person.follows("Cancel the order")
    person.presses("Yes, cancel it")
    assert "cancelled" in person.text
    person.follows("My orders")
    assert "Order 1" in person.text
    person.presses("Log out")
    assert [order["state"] for order in shop.orders()] == ["Cancelled"]


def test_everything_can_be_reached_and_pressed_by_keyboard_alone(person: Person, shop: Shop) -> None:
    person.on_a_screen(360, "light")
    person.goes_to("/")
    person.presses_keys(Keys.TAB)
    assert "Aller au contenu" in person.focused.text
    assert person.focused.location["x"] >= 0  # it comes into sight
    person.presses_keys(Keys.ENTER)
    person.presses_keys(Keys.TAB)
    assert person.focused.get_attribute("name") == "q"  # the menu was skipped
    tab_to(person, lambda: "Voir les produits" in person.focused.text)
    person.enters(Keys.ENTER)
    tab_to(person, lambda: (person.focused.get_attribute("name") or "").startswith("items/"))
    person.presses_keys("2")
    tab_to(person, lambda: person.focused.text == "Mon panier")
    person.enters(Keys.ENTER)
    tab_to(person, lambda: person.focused.text == "Passer la commande")
    person.enters(Keys.ENTER)
    for name, words in (("name", "Bob Le Goff"), ("email", "bob@example.org"), ("shipping", Keys.SPACE)):
        tab_to(person, lambda name=name: person.focused.get_attribute("name") == name)  # type: ignore[misc]
        person.presses_keys(words)
    person.presses_keys(Keys.ARROW_DOWN)  # from the place with a fee to the free one, past a full one
    tab_to(person, lambda: person.focused.text == ORDER)
    person.enters(Keys.ENTER)
    (order,) = shop.orders()
    assert (order["name"], order["total"]) == ("Bob Le Goff", 2 * 240)
    assert person.path.startswith("/orders/guest/")


def tab_to(person: Person, is_reached: Callable[[], bool]) -> None:
    for _ in range(40):
        person.presses_keys(Keys.TAB)
        assert person.sees_the_focus(), person.focused.get_attribute("outerHTML")
        if is_reached():
            return
    raise AssertionError("forty times Tab, and it was not reached")


def test_a_double_click_places_one_order(person: Person, shop: Shop) -> None:
    to_the_checkout(person, "Carottes", "1 kg", 1)
    assert person.complaints() == []
    arrived = threading.Event()
    with shop.instance.store.write():  # so that neither click is answered before both are made
        event.listen(shop.instance.store.engine, "before_cursor_execute", lambda *_: arrived.set())
        person.double_clicks(ORDER, between=lambda: arrived.wait(PATIENCE))
    person.waits_until(lambda: "Commande 1" in person.text, "the order")
    assert person.posts == 2
    assert len(shop.orders()) == 1
    person.goes_to(f"{SALE}/cart")
    assert "Votre panier est vide." in person.text


def test_two_race_for_the_last_crate_and_one_is_told_what_is_left(person: Person, another: Person, shop: Shop) -> None:
    shop.count(15)
    shoppers = [person, another]
    for shopper in shoppers:
        to_the_checkout(shopper, "Carottes", "5 kg", 2)
    start = threading.Barrier(2)

    def press(shopper: Person) -> None:
        start.wait()
        shopper.presses(ORDER)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, shoppers))
    (winner,) = (shopper for shopper in shoppers if shopper.path.startswith("/orders/guest/"))
    (loser,) = (shopper for shopper in shoppers if shopper is not winner)
    assert loser.path == f"{SALE}/cart"
    assert "Il n’en reste que 1." in loser.text
    assert len(shop.orders()) == 1
    loser.takes_of_it("Carottes", 1)
    loser.presses("Passer la commande")
    loser.writes(name="Zoé", email="zoe@example.org")
    loser.chooses("Salle des fêtes")
    loser.presses(ORDER)
    assert [order["total"] for order in shop.orders()] == [2100, 1050]


# ------------------------------------------------------------------------------------------------ the way back


def test_who_goes_back_to_a_refused_form_finds_it_as_it_was(person: Person, shop: Shop) -> None:
    """The browser's own page about sending a form again (ERR_CACHE_MISS) does not appear."""
    person.goes_to(SALE)
    person.takes("Carottes", "1 kg", 2)
    person.presses("Mon panier")
    person.presses("Passer la commande")
    person.script("for (const form of document.forms) form.noValidate = true")
    person.writes(name="Bob Le Goff", email="nobody", note="Je viens à vélo.")
    person.presses("Commander avec obligation")
    assert person.focused.get_attribute("role") == "alert", "the errors have the focus, wherever the button was"
    assert person.driver.title.startswith("Erreur")
    assert person.script("return arguments[0].getBoundingClientRect().top", person.focused) >= 0
    person.goes_to(f"{SALE}/cart")
    person.goes_back()
    assert "Je viens à vélo." in str(person.find("//textarea").get_attribute("value"))
    person.writes(email="bob@example.org")
    person.chooses("Salle des fêtes")
    person.presses("Commander avec obligation")
    assert person.path.startswith("/orders/guest/")
    person.goes_back()
    assert person.path == f"{SALE}/checkout"
    assert "Bob Le Goff" in str(person.find("//input[@name='name']").get_attribute("value"))
    assert len(shop.orders()) == 1


def test_what_was_typed_in_two_tabs_and_before_a_search_is_all_in_the_basket(person: Person) -> None:
    person.goes_to(SALE)
    person.takes("Carottes", "1 kg", 2)
    person.opens_a_tab(SALE)
    person.takes("Œufs", "6", 1)
    person.writes(q="carotte")
    person.presses("Chercher")
    person.closes_the_tab()
    person.presses("Mon panier")
    person.waits_until(lambda: person.driver.current_url.endswith("/cart"), "the basket")
    assert [
        person.find(f"//li//input[@id = //label[contains(., '{name}')]/@for]").get_attribute("value")
        for name in ("Carottes", "Œufs")
    ] == ["2", "1"]


_SHIFTS = """
window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def test_a_tap_saves_a_piece_where_it_stands_and_a_lost_connection_loses_nothing(person: Person, shop: Shop) -> None:
    person.on_a_screen(360, "light")
    person.goes_to(SALE)
    person.script(_SHIFTS)
    top, first = person.script(
        "return ['header', '.good'].map((each) => document.querySelector(each).getBoundingClientRect())"
    )
    assert top["height"] <= 48
    assert first["top"] <= 400, "two products are seen above the dock, which begins at 670"
    one_more = person.find("//button[starts-with(@aria-label, 'Un de plus, Carottes')]")
    person.script("arguments[0].scrollIntoView({block: 'center'})", one_more)
    place = person.script("return scrollY")
    one_more.click()
    one_more.click()
    person.waits_until(lambda: "2 articles · 4,80 €" in person.text, "the total in the dock")
    assert "Panier (2)" in person.text
    assert person.script("return document.querySelector('.dock').offsetHeight") <= 72  # pixels: a tenth of the screen
    drawn = "return getComputedStyle(document.querySelector('svg.tile use')).fill"
    assert person.script(drawn) == "none", "drawings are lines, and no black shapes"
    row = person.find("//li[contains(@class, 'good')]")
    assert row.size["height"] <= 120 * len(row.find_elements(By.CLASS_NAME, "size"))
    assert (person.path, person.script("return scrollY")) == (SALE, place)
    assert person.script("return window.__shift") == 0  # nothing moves, neither as the page loads nor under the finger
    with person.without_a_connection():
        one_more.click()
        person.waits_until(lambda: "Pas de réseau" in person.text, "the news of it")
        person.complaints()  # the browser tells of the request that failed
    person.waits_until(lambda: "3 articles · 7,20 €" in person.text, "the third piece")
    assert "Pas de réseau" not in person.text
    person.presses("Mon panier")
    assert person.find("//input[@type='number']").get_property("value") == "3"


def test_an_order_says_on_its_first_screen_when_where_with_which_code_and_what_is_to_be_paid(
    person: Person, shop: Shop
) -> None:
    person.on_a_screen(360, "light")
    person.goes_to(f"/login?next={SALE}")
    person.writes(email="ada@example.org", password=PASSWORD)
    person.presses("Se connecter")
    person.takes("Œufs", "6", 1)
    person.presses("Mon panier")
    person.presses("Passer la commande")
    person.chooses("Salle des fêtes")
    person.presses("Commander avec obligation")
    ticket = person.find("//section[contains(@class, 'ticket')]")
    assert ticket.location["y"] + ticket.size["height"] <= 640
    for words in ("Salle des fêtes", "samedi 6 juin", "17:00", "À payer : 2,35 €"):
        assert words in " ".join(ticket.text.translate(PLAIN).split())
    code = ticket.find_element(By.TAG_NAME, "img")
    person.waits_until(lambda: person.script("return arguments[0].naturalWidth", code), "the code")
    assert code.get_attribute("alt")
    pay, goods = (person.find(f"//*[{says}]") for says in ("text()='Comment payer'", "text()='Produit'"))
    assert ticket.location["y"] < pay.location["y"] < goods.location["y"]
