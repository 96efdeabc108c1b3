"""The hand-out on a telephone: without a network, with the page closed in between, and with a second telephone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support import expected_conditions
from sqlalchemy import delete, update

from commensal.enterprises.tables import enterprise_member
from commensal.orders.tables import customer_order
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.payments.journal import journal_entries
from commensal.products.tables import supplied_product
from commensal_office.money.conflicts import open_conflicts

from .conftest import PASSWORD, Shop, a_browser
from .orders import a_colleague, an_order, olivia
from .person import Person
from .telephone import closes_and_opens_again, forget_everything, has_sent_everything, is_ready, opens_and_keeps, stored

HANDOUT = "/office/shop/handout/shop-session"
OLIVIA = "olivia@example.org"
PEOPLE = 20
CASH = "reçu · remis"
# Of a list of the hand-out: each slot with its people, as number, name, and what is still to do.
ROWS = """(page) => {
  const text = (each) => each.textContent.replace(/\\s+/g, " ").trim();
  return [...page.querySelectorAll("#main section")].map((slot) => [text(slot.querySelector(".slot")),
    [...slot.querySelectorAll(".line")].map((line) => [
      text(line.querySelector(".no")), text(line.querySelector(".name strong")), text(line.querySelector(".name .s")),
      [...line.querySelectorAll(".states .pill")].map(text)])]);
}"""


@pytest.fixture
def orders(unplugged_shop: Shop) -> list[Order]:
    """Twenty orders of a bag of carrots each, and Olivia, the owner."""
    olivia(unplugged_shop)
    return [an_order(unplugged_shop, f"Client {number:02}") for number in range(PEOPLE)]


@pytest.fixture
def telephone(browser: WebDriver, unplugged_shop: Shop) -> Iterator[Person]:
    """A telephone with a fresh browser, which may lose its network and then complains about that."""
    person = Person(browser, unplugged_shop.instance.settings.base_url)
    yield person
    forget_everything(person)
    person.complaints()


def hands_out(person: Person, order: Order) -> None:
    """Opens the person on the list, takes the cash, and is back at the list."""
    person.find(f"//a[.//strong[text() = '{order.name}']]").click()
    person.button(CASH).click()
    person.waits_until(
        lambda: f"{order.number} · {order.name}" in person.text and "remise à" in person.text, "the list"
    )


def amounts(shop: Shop) -> list[int]:
    """The amounts in the journal, after all invariants were checked."""
    with shop.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return [entry.amount for entry in journal_entries(tx, "shop", limit=200)]


def test_twenty_hand_outs_without_a_network_are_recorded_once_each(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    shop = unplugged_shop
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
        assert f"{PEOPLE} commandes sur ce téléphone" in telephone.text
    for order in orders[: PEOPLE // 2]:
        hands_out(telephone, order)
    assert f"Hors ligne · {PEOPLE // 2} à envoyer" in telephone.text
    closes_and_opens_again(telephone, HANDOUT)
    assert f"{PEOPLE // 2}/{PEOPLE}" in telephone.text, "what happened is still known"
    for order in orders[PEOPLE // 2 :]:
        hands_out(telephone, order)
    assert amounts(shop) == []
    with shop.served():
        telephone.goes_to(HANDOUT)
        is_ready(telephone)
        has_sent_everything(telephone)
    assert amounts(shop) == [240] * PEOPLE


def test_the_telephone_draws_the_list_that_the_page_without_scripts_shows(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    """In two languages, one for each: what both show is held together here."""
    for name in ("Zoé", "émile", "Adèle"):
        an_order(unplugged_shop, name)
    with unplugged_shop.instance.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.id == orders[1].id).values(paid_total=500))
    with unplugged_shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
        hands_out(telephone, orders[0])
        has_sent_everything(telephone)
        telephone.goes_to(HANDOUT)
        is_ready(telephone)
        drawn = telephone.script(f"return ({ROWS})(document)")
        telephone.find(f"//a[.//strong[text() = '{orders[0].name}']]").click()
        telephone.waits_until(lambda: "Payé 2,40 €" in telephone.text, "what was paid")
        sent = telephone.script(
            f"return fetch('{HANDOUT}').then((answer) => answer.text()).then((page) => "
            f"({ROWS})(new DOMParser().parseFromString(page, 'text/html')))"
        )
    assert drawn == sent
    ((names, states),) = ([[row[part] for row in rows] for part in (1, 3)] for _, rows in drawn)
    assert ["2,40 € à payer"] in states
    assert ["2,60 € à rendre"] in states
    assert names[0] == "Adèle"
    assert names[-3:] == ["émile", "Zoé", orders[0].name], "whoever has their goods stands last"


def test_weights_and_empties_are_questioned_before_anything_is_recorded(
    telephone: Person, unplugged_shop: Shop
) -> None:
    """With a network the server works the amount out; without one the telephone does, by the order's rules."""
    shop = unplugged_shop
    olivia(shop)
    with shop.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(weighed=True, deposit=50))
    order = an_order(shop, "Zoé")
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
        telephone.goes_to(f"{HANDOUT}?show=left")
        is_ready(telephone)
        assert telephone.find("//button[@aria-pressed='true']").text == "À venir"
        telephone.find("//a[.//strong[text() = 'Zoé']]").click()
        telephone.find("//input[@inputmode='decimal']").send_keys("900")
        telephone.waits_until(lambda: "900 ne peut pas être juste" in telephone.text, "what the server refuses")
        telephone.find("//input[@inputmode='decimal']").clear()
        telephone.find("//input[@inputmode='decimal']").send_keys("2")
        telephone.waits_until(lambda: "environ" not in telephone.text, "the exact amount")
    before = telephone.text
    telephone.find("//input[@inputmode='decimal']").send_keys("0")
    telephone.waits_until(lambda: telephone.text != before, "an amount without a network")
    assert "environ" not in telephone.text
    telephone.find("//input[@inputmode='decimal']").clear()
    telephone.button(CASH).click()
    assert "Pas encore pesé" in telephone.text
    telephone.find("//summary").click()
    empties = telephone.find("//input[@inputmode='numeric']")
    for typed, told in (("500", "On rend au plus 100"), ("-3", "-3 n’est pas un nombre")):
        empties.clear()
        empties.send_keys(typed)
        telephone.button(CASH).click()
        assert telephone.text.count(told) == 2, "at the field, and where the button is"
    empties.clear()
    empties.send_keys("100")
    assert "Consignes au-delà du montant de la commande" in telephone.text
    assert "À rendre" not in telephone.text
    telephone.button("N’en compter qu’à hauteur de la commande").click()
    assert "contenants restent au client, pour la prochaine commande" in telephone.text
    counted = int(str(empties.get_property("value")))
    assert 0 < counted * 50 <= 2 * (120 + 50), "as many as the order of two pieces pays for"
    empties.clear()
    telephone.find("//input[@inputmode='decimal']").send_keys("900")
    telephone.button(CASH).click()
    assert "C’est loin de ce qui était commandé" in telephone.text
    telephone.button(CASH).click()
    telephone.waits_until(
        lambda: f"{order.number} · Zoé" in telephone.text and "remise à" in telephone.text, "the list"
    )


def test_an_undone_hand_out_is_sent_as_it_happened(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    shop = unplugged_shop
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
    hands_out(telephone, orders[0])
    telephone.button("Annuler").click()
    telephone.waits_until(lambda: "À payer 2,40" in telephone.text, "the person again")
    with shop.served():
        telephone.goes_to(HANDOUT)
        is_ready(telephone)
        has_sent_everything(telephone)
    assert amounts(shop) == [240, -240]


def test_who_comes_second_is_told_and_the_treasurer_too(
    telephone: Person, another_telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    shop = unplugged_shop
    with shop.served():
        for person in (telephone, another_telephone):
            opens_and_keeps(person, HANDOUT, OLIVIA)
    for person in (telephone, another_telephone):
        hands_out(person, orders[0])
    with shop.served():
        for person in (telephone, another_telephone):
            person.goes_to(HANDOUT)
            is_ready(person)
            has_sent_everything(person)
        assert "Non enregistré" not in telephone.text
        assert "Non enregistré" in another_telephone.text
        assert "Olivia Roy a encaissé 2,40 € et remis la commande" in another_telephone.text
    assert amounts(shop) == [240]
    with shop.instance.store.read() as tx:
        (conflict,) = open_conflicts(tx, "shop")
    assert (conflict.number, conflict.amount, conflict.method) == (1, 240, "cash:cash")


def test_what_somebody_noted_is_not_sent_in_the_name_of_who_logs_in_next(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    shop, mara = unplugged_shop, a_colleague(unplugged_shop, "Mara", "manager")
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
    hands_out(telephone, orders[0])
    for email, said, recorded in ((mara, "1 d’une autre personne", []), (OLIVIA, "tout est envoyé", [240])):
        with shop.served():
            telephone.goes_to("/")
            telephone.presses("Se déconnecter")
            opens_and_keeps(telephone, HANDOUT, email)
            telephone.waits_until(partial(_shows, telephone, said), "what is not theirs")
            has_sent_everything(telephone)
        assert amounts(shop) == recorded


def _shows(telephone: Person, text: str) -> bool:
    return text in telephone.text


def test_money_of_who_is_no_member_any_more_is_not_said_to_be_on_a_list(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    shop, mara = unplugged_shop, a_colleague(unplugged_shop, "Mara", "manager")
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, mara)
    hands_out(telephone, orders[0])
    with shop.instance.store.write() as tx:
        tx.execute(delete(enterprise_member).where(enterprise_member.c.role == "manager"))
    with shop.served():
        telephone.button("Tout le monde").click()
        telephone.driver.execute_script("dispatchEvent(new Event('online'))")
        telephone.waits_until(lambda: "Non enregistré" in telephone.text, "what was not recorded")
        assert "personne d’autre ne le sait" in telephone.text
        assert "c’est sur sa liste" not in telephone.text
        assert "2,40" in telephone.text
    assert amounts(shop) == []


def test_money_that_nobody_else_knows_of_stays_on_the_telephone_until_it_was_told(
    telephone: Person, unplugged_shop: Shop, orders: list[Order]
) -> None:
    """Also when the list is over, which else leaves with all that was noted."""
    shop, mara = unplugged_shop, a_colleague(unplugged_shop, "Mara", "manager")
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, mara)
    hands_out(telephone, orders[0])
    with shop.instance.store.write() as tx:
        tx.execute(delete(enterprise_member).where(enterprise_member.c.role == "manager"))
    with shop.served():
        telephone.button("Tout le monde").click()
        telephone.driver.execute_script("dispatchEvent(new Event('online'))")
        telephone.waits_until(lambda: "Non enregistré" in telephone.text, "what was not recorded")
        telephone.driver.execute_async_script(LIST_IS_OVER)
    telephone.driver.refresh()
    telephone.waits_until(lambda: "personne d’autre ne le sait" in telephone.text, "the money")
    assert "2,40" in telephone.text
    telephone.button("Je l’ai dit au trésorier").click()
    telephone.waits_until(lambda: "Non enregistré" not in telephone.text, "a list without it")
    telephone.driver.refresh()
    assert "Non enregistré" not in telephone.text


LIST_IS_OVER = """
const done = arguments[0];
indexedDB.databases().then(async (databases) => {
  for (const { name } of databases) await new Promise((resolve) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => {
      const table = request.result.transaction("lists", "readwrite").objectStore("lists");
      table.getAll().onsuccess = (event) => {
        for (const list of event.target.result) table.put({ ...list, until: "2020-01-01T00:00:00Z" });
      };
      table.transaction.oncomplete = () => { request.result.close(); resolve(); };
    };
  });
  done();
});
"""


@pytest.fixture
def another_telephone(programs: tuple[str, str], unplugged_shop: Shop, tmp_path: Path) -> Iterator[Person]:
    with a_browser(programs, tmp_path / "another telephone") as driver:
        yield Person(driver, unplugged_shop.instance.settings.base_url)


@pytest.mark.parametrize("page", [HANDOUT, "/office/shop/bring", "/"])
def test_logging_out_leaves_nothing_on_the_telephone(
    telephone: Person, unplugged_shop: Shop, orders: list[Order], page: str
) -> None:
    with unplugged_shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
        if page != HANDOUT:
            telephone.goes_to(page)
        with telephone.without_a_connection():
            telephone.button("Se déconnecter").click()
            telephone.waits_until(lambda: expected_conditions.alert_is_present()(telephone.driver), "what it says")
            dialog = telephone.driver.switch_to.alert
            assert "Vous êtes encore connecté" in dialog.text
            dialog.accept()
        telephone.presses("Se déconnecter")
        left = stored(telephone)
    assert left == [[], [], []]


def test_a_producer_reads_the_last_list_without_a_network(telephone: Person, unplugged_shop: Shop) -> None:
    olivia(unplugged_shop)
    an_order(unplugged_shop, "Corinne Clerc")
    bring = "/office/shop/bring"
    with unplugged_shop.served():
        telephone.goes_to(f"/login?next={bring}")
        telephone.writes(email="olivia@example.org", password=PASSWORD)
        telephone.presses("Se connecter")
        telephone.waits_until(
            lambda: telephone.script(
                "const done = arguments[0]; return caches.match(done).then((kept) => Boolean(kept))", bring
            ),
            "the page in the telephone's own store",
        )
    telephone.driver.get(f"{telephone.url.rstrip('/')}{bring}")
    assert "Ce que j’apporte" in telephone.text
    assert "Carottes" in telephone.text
