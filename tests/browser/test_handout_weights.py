"""What a telephone takes for weighed goods: the cent that the server works out, without asking it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from sqlalchemy import insert, select, update

from commensal.enterprises.tables import enterprise, enterprise_plugin
from commensal.orders.place import place_order
from commensal.orders.tables import adjustment
from commensal.orders.values import Order, Wish
from commensal.products.tables import supplied_product
from commensal.sale_sessions.visible_offers import offers_for
from commensal_pickup.tables import pickup_slot

from .conftest import Shop
from .orders import olivia
from .person import Person
from .telephone import forget_everything, has_sent_everything, is_ready, opens_and_keeps

HANDOUT = "/office/shop/handout/shop-session"
OLIVIA = "olivia@example.org"
CASH = "reçu · remis"
FEES: list[list[dict[str, Any]]] = [
    [],
    [{"name": "Frais", "calculator": "FlatPercentItemTotal", "percent": "3.5"}],
    [{"name": "Frais", "calculator": "FlatPercentPerItem", "percent": "7", "vat_of_product": True}],
    [{"name": "Poids", "calculator": "Weight", "per_kilogram": 37, "piece": "0.3", "vat_rate": "20"}],
    [{"name": "Bornes", "calculator": "FlatPercentWithin", "percent": "9", "least": 95, "most": 180}],
    [{"name": "Seuil", "calculator": "PriceSack", "minimal_amount": 2250, "normal_amount": 250}],
    [
        {
            "name": "Port",
            "calculator": "WeightSteps",
            "steps": [{"up_to": "5", "amount": 100}, {"up_to": "7.25", "amount": 290}],
            "beyond": 450,
        },
        {"name": "Pièce", "calculator": "PerItem", "amount": 11, "vat_rate": "5.5"},
        {"name": "Colis", "calculator": "FlexiRate", "first_item": 100, "additional_item": 20, "max_items": 3},
        {"name": "Fixe", "calculator": "FlatRate", "amount": 42},
    ],
]
# For each list of weights: what the telephone says without the server, and what the server says.
BOTH = """const [weighings, home, done] = arguments;
(async () => {
  const { total } = await import(document.querySelector("link[href$='due.js']").href);
  const list = await (await fetch(`${home}/list.json`)).json();
  const [order] = list.orders, sums = [];
  for (const weighing of weighings) {
    const weights = {}, body = new URLSearchParams();
    for (const [name, weight] of Object.entries(weighing)) {
      const line = order.lines.find((each) => each.id === name);
      weights[line.id] = Number(weight);
      body.set(`weights/${line.id}`, weight);
    }
    const answer = await (await fetch(`${home}/${order.id}?then=due`, { method: "POST", body })).json();
    sums.push([total(order, weights, list.vat_added) - order.paid, answer.due]);
  }
  done(sums);
})().catch((error) => done(String(error)));"""


@pytest.fixture
def plugins() -> list[str]:
    return ["shop", "office", "cash", "pickup", "fees", "vouchers"]


@pytest.fixture
def telephone(browser: WebDriver, unplugged_shop: Shop) -> Iterator[Person]:
    """A telephone with a fresh browser, which may lose its network and then complains about that."""
    person = Person(browser, unplugged_shop.instance.settings.base_url)
    yield person
    forget_everything(person)
    person.complaints()


def charge(shop: Shop, fees: list[dict[str, Any]]) -> None:
    with shop.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "fees", "settings": {"fees": fees}, "version": 1}
        tx.execute(insert(enterprise_plugin).values(row))


def an_order_of_everything(shop: Shop) -> Order:
    """Both bags of carrots, which are sold by weight, and eggs, which are not; at the place with a fee."""
    with shop.instance.store.write() as tx:
        tx.execute(update(supplied_product).where(supplied_product.c.unit == "Kilogram").values(weighed=True))
        offers = {offer.price: offer.item_id for offer in offers_for(tx, "shop-session", [])}
        slots = tx.all(select(pickup_slot.c.id).where(pickup_slot.c.capacity > 0).order_by(pickup_slot.c.id))
        wish = Wish(
            items={offers[240]: 3, offers[1050]: 1, offers[215]: 2},
            name="Zoé",
            email="zoe@example.org",
            payment_method="cash:cash",
            shipping=f"pickup:{slots[-1]['id']}",
        )
        return place_order(tx, shop.instance.hooks, "shop-session", wish, by_hub=True)


@pytest.mark.parametrize("includes_vat", [True, False])
@pytest.mark.parametrize("fees", FEES, ids=lambda fees: "-".join(fee["calculator"] for fee in fees) or "none")
def test_the_telephone_works_out_what_the_server_does(
    telephone: Person, unplugged_shop: Shop, fees: list[dict[str, Any]], includes_vat: bool
) -> None:
    shop = unplugged_shop
    olivia(shop)
    with shop.instance.store.write() as tx:
        tx.execute(update(enterprise).values(prices_include_vat=includes_vat))
    charge(shop, fees)
    order = an_order_of_everything(shop)
    assert any(each.plugin == "fees" for each in order.adjustments) == bool(fees), "the fees are charged"
    weighed = [line for line in order.lines if line.weighed]
    drawn = random.Random(7)
    weighings = [
        {
            line.id: format(drawn.uniform(0.75, 1.25) * float(line.unit_quantity) * line.quantity, ".3f")
            for line in weighed
            if drawn.random() < 0.8
        }
        for _ in range(40)
    ]
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
        telephone.driver.set_script_timeout(60)
        sums = telephone.driver.execute_async_script(BOTH, [each for each in weighings if each], HANDOUT)
    assert isinstance(sums, list), sums
    assert [said for said, _ in sums] == [due for _, due in sums]
    assert len({due for _, due in sums}) > 20, "weights change what is due"


def test_the_cash_for_weighed_goods_with_a_fee_is_right_without_a_network(
    telephone: Person, unplugged_shop: Shop
) -> None:
    shop = unplugged_shop
    olivia(shop)
    charge(shop, FEES[1])
    order = an_order_of_everything(shop)
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
    telephone.find("//a[.//strong[text() = 'Zoé']]").click()
    for field, weight in zip(
        telephone.driver.find_elements(By.XPATH, "//input[@inputmode='decimal']"), ("3,215", "5,105"), strict=True
    ):
        field.send_keys(weight)
    assert "environ" not in telephone.text
    telephone.button(CASH).click()
    telephone.waits_until(lambda: f"{order.number} · Zoé" in telephone.text and "remise à" in telephone.text, "list")
    with shop.served():
        telephone.goes_to(HANDOUT)
        is_ready(telephone)
        has_sent_everything(telephone)
    (row,) = shop.orders()
    assert row["paid_total"] == row["total"]


def test_the_entry_of_the_navigation_leads_to_the_hand_out_without_a_network(
    telephone: Person, unplugged_shop: Shop
) -> None:
    shop = unplugged_shop
    olivia(shop)
    an_order_of_everything(shop)
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
    telephone.find("//a[.//strong[text() = 'Zoé']]").click()
    telephone.find("//nav//a[text() = 'Retraits']").click()
    telephone.waits_until(lambda: "Zoé" in telephone.text and "À venir" in telephone.text, "the hand-out")
    assert telephone.path == HANDOUT


def test_a_sum_that_only_the_server_knows_is_said_to_be_about_right(telephone: Person, unplugged_shop: Shop) -> None:
    """An adjustment of a plugin that does not say how it follows from the weight."""
    shop = unplugged_shop
    olivia(shop)
    charge(shop, FEES[1])
    order = an_order_of_everything(shop)
    with shop.instance.store.write() as tx:
        tx.execute(
            update(adjustment)
            .where(adjustment.c.order_id == order.id, adjustment.c.plugin == "fees")
            .values(plugin="vouchers")
        )
    with shop.served():
        opens_and_keeps(telephone, HANDOUT, OLIVIA)
    telephone.find("//a[.//strong[text() = 'Zoé']]").click()
    telephone.find("(//input[@inputmode='decimal'])[1]").send_keys("3,2")
    assert "À payer environ" in telephone.text, telephone.text
