"""Prices from elsewhere are followed near what a person has accepted; anything else takes goods off sale and asks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete

from commensal.base.errors import Conflict
from commensal.catalogs.items import add_item, change_item, hide_items, item_by_id
from commensal.catalogs.listings import listed_for, products_of_items
from commensal.catalogs.offers import set_price
from commensal.enterprises.plugins import change_plugin
from commensal.parts.supply.owed import owed_at_session
from commensal.products.products import create_product
from commensal_federation.allowance.budget import budget_of
from commensal_federation.catalogue import followed_prices
from commensal_federation.catalogue.first_prices import FirstPrices
from commensal_federation.catalogue.grants import follow
from commensal_federation.catalogue.listings import list_all
from commensal_federation.catalogue.tables import federation_followed_price
from commensal_federation.grants.questions import grants_between
from commensal_federation.orders.line_prices import offered_items
from commensal_federation.orders.statement import statement_of
from commensal_federation.testing import Region

from .reading_mail import add_people, mails_at
from .test_office_pages import opens
from .trading import Hub, Producer, close, minutes, only_order

BOTH = True  # databases
PRICES = "/office/hub/producers/prices"


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    return new_region("a", "b", friends=("ab",), plugins=("office", "federation"))


@pytest.fixture
def farm(region: Region) -> Producer:
    """It asks 20.00 for apples, with 5.5 % of VAT."""
    return Producer(region, "a")


@pytest.fixture
def hub(region: Region, farm: Producer) -> Hub:
    hub = Hub(region, "b")
    farm.grant(hub)
    return hub


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    """The apples on sale, listed by hand at 25.00."""
    return hub.sell(farm)


def ask(farm: Producer, price: int) -> None:
    """The farm asks this price, in cents, and the hub hears of it."""
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, price)
    farm.region.work()


def follow_farm(hub: Hub, margin: str) -> None:
    """The hub's catalogue follows the farm, at so many percent on top."""
    with hub.write() as tx:
        (grant,) = grants_between(tx, enterprise_id="hub", direction="received")
        list_all(hub.federation, tx, follow(tx, "hub", grant.id, "hub-catalog", Decimal(margin)))
    hub.region.work()


def in_shop(hub: Hub, item: str) -> tuple[bool, int]:
    """Whether it is on sale, and for how many cents."""
    with hub.read() as tx:
        shown = item_by_id(tx, "hub", item)
    return not shown.hidden, shown.offers[0].price


def owed(hub: Hub) -> int:
    with hub.read() as tx:
        return sum(each.total for each in owed_at_session(tx, "hub", "hub-session"))


def test_a_price_times_a_hundred_is_neither_a_debt_nor_a_price_in_the_shop(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 1)
    minutes(farm.region)
    ask(farm, 200_000)
    with pytest.raises(Conflict):
        hub.order(item, 5, "Bea")
    assert in_shop(hub, item) == (False, 2500)
    close(farm.region)
    assert owed(hub) == 2000
    assert [statement_of(only_order(place)).total for place in (farm, hub)] == [2000, 2000]


@pytest.mark.parametrize(("price", "on_sale"), [(2200, True), (2201, False), (1800, True), (1799, False), (0, False)])
def test_a_margin_follows_within_the_band(farm: Producer, hub: Hub, item: str, price: int, on_sale: bool) -> None:
    follow_farm(hub, "25")
    ask(farm, price)
    assert in_shop(hub, item) == (on_sale, price * 125 // 100 if on_sale else 2500)


def test_many_small_steps_do_not_carry_the_band_along(farm: Producer, hub: Hub, item: str) -> None:
    for price in (2090, 2180, 2200):
        ask(farm, price)
        assert in_shop(hub, item)[0], price
    ask(farm, 2280)
    assert not in_shop(hub, item)[0], "4 % more than the last price, and 14 % more than the one that was accepted"


def test_what_would_cost_as_much_as_it_is_sold_for_is_stopped(farm: Producer, hub: Hub, item: str) -> None:
    with hub.write() as tx:
        set_price(tx, "hub", item, 2100)
    farm.region.work()
    ask(farm, 2099)
    assert in_shop(hub, item) == (True, 2100)
    ask(farm, 2100)
    assert in_shop(hub, item) == (False, 2100)


def test_a_price_that_its_producer_takes_back_is_on_sale_again(farm: Producer, hub: Hub, item: str) -> None:
    ask(farm, 200_000)
    ask(farm, 2000)
    assert in_shop(hub, item) == (True, 2500)
    hub.order(item, 2)
    assert owed(hub) == 4000


def test_rises_within_the_band_draw_on_what_the_producer_may_change(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 20)
    ask(farm, 2100)
    with hub.read() as tx:
        assert budget_of(tx, hub.federation, "hub", farm.iri).drawn == 20 * 100
    hub.order(item, 40, "Bea")
    ask(farm, 2150)  # 60 pieces at 1.50 more: 90.00, of 50.00 that may happen by itself
    assert in_shop(hub, item) == (False, 2500)
    assert owed(hub) == 20 * 2000 + 40 * 2100


def test_a_hub_that_lets_nothing_happen_by_itself_is_asked_about_every_price(
    farm: Producer, hub: Hub, item: str
) -> None:
    with hub.write() as tx:
        change_plugin(tx, hub.instance.hooks, "hub", "federation", 1, {"allowance_percent": 0})
    ask(farm, 2001)
    assert not in_shop(hub, item)[0]


def test_a_hub_of_the_earlier_release_begins_with_what_it_pays(farm: Producer, hub: Hub, item: str) -> None:
    with hub.write() as tx:
        tx.execute(delete(federation_followed_price))  # as an upgrade leaves it
    ask(farm, 200_000)
    assert in_shop(hub, item) == (False, 2500)


def test_goods_that_are_shown_by_hand_while_their_price_waits_go_off_sale_again(
    farm: Producer, hub: Hub, item: str
) -> None:
    ask(farm, 200_000)
    with hub.write() as tx:
        change_item(tx, "hub", item, item_by_id(tx, "hub", item).version, hidden=False)
    hub.region.work()
    assert not in_shop(hub, item)[0]


def test_people_see_both_prices_and_accept_the_new_one(farm: Producer, hub: Hub, item: str) -> None:
    follow_farm(hub, "25")
    hub.order(item, 1)
    minutes(farm.region)
    ask(farm, 3000)
    browser = opens(hub)
    assert "Apples is off sale: its producer asks another price" in browser.go("/office/hub").text
    page = browser.go(PRICES)
    for text in ("€20.00", "€30.00", "(+50 %)", "€25.00", "€37.50"):
        assert text in page.text, text
    browser.send(f"{PRICES}?then=accept")
    assert in_shop(hub, item) == (True, 3750)
    hub.order(item, 1, "Bea")
    close(farm.region)
    assert owed(hub) == 2000 + 3000
    assert [statement_of(only_order(place)).total for place in (farm, hub)] == [5000, 5000]
    ask(farm, 3300)
    assert in_shop(hub, item) == (True, 4125), "the band is around what was accepted last"


def test_people_keep_goods_off_sale_and_are_not_asked_again(farm: Producer, hub: Hub, item: str) -> None:
    ask(farm, 3000)
    browser = opens(hub)
    browser.go(PRICES)
    fields = browser.page.form(f"{PRICES}?then=accept").fields
    browser.post(f"{PRICES}?then=keep-off", **fields)  # the other button of that form
    ask(farm, 2000)
    assert not in_shop(hub, item)[0]
    assert "is off sale" not in browser.go("/office/hub").text
    ask(farm, 3100)
    page = browser.go(PRICES)
    assert "kept off sale" in page.text
    browser.send(f"{PRICES}?then=accept")
    assert in_shop(hub, item) == (True, 2500)


def test_a_price_that_changes_while_somebody_looks_is_not_accepted(farm: Producer, hub: Hub, item: str) -> None:
    ask(farm, 3000)
    browser = opens(hub)
    browser.go(PRICES)
    ask(farm, 300_000)
    browser.send(f"{PRICES}?then=accept")
    assert browser.status >= 400
    assert not in_shop(hub, item)[0]


def test_people_are_mailed_once_what_is_asked(farm: Producer, hub: Hub, item: str) -> None:
    add_people(hub)
    ask(farm, 200_000)
    ask(farm, 200_001)
    minutes(farm.region, 4)
    (mail,) = [mail for mail in mails_at(hub) if mail.to == "manager@hub.example" and "off sale" in mail.subject]
    assert "€2,000.01" in mail.text
    assert "€20.00" in mail.text


def test_where_there_are_two_a_price_that_jumps_needs_both(farm: Producer, hub: Hub, item: str) -> None:
    ask(farm, 3000)
    ada, max_ = opens(hub), opens(hub, "manager", "max@example.org")
    ada.go(PRICES)
    ada.send(f"{PRICES}?then=accept")
    assert "This waits for a second person now." in ada.page.text
    assert not in_shop(hub, item)[0]
    page = max_.go("/office/hub/money/second")
    for text in ("Another price of Apples", "€20.00", "€30.00"):
        assert text in page.text, text
    ask(farm, 4000)
    max_.send("/office/hub/money/second?then=yes")
    assert max_.status >= 400
    assert not in_shop(hub, item)[0], "another price is asked by now"
    ada.go(PRICES)
    ada.send(f"{PRICES}?then=accept")
    max_.go("/office/hub/money/second")
    max_.send("/office/hub/money/second?then=yes")
    assert in_shop(hub, item) == (True, 2500)


def offer(farm: Producer, price: int, kind: str = "fruit", name: str = "Pears") -> None:
    """The farm sells something new, a kilogram a piece, and the hub hears of it."""
    with farm.write() as tx:
        product = create_product(
            tx,
            enterprise_id="farm",
            name=name,
            product_type=kind,
            quantity=Decimal(1),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(100),
        )
        set_price(tx, "farm", add_item(tx, "farm", "farm-catalog", product.id).id, price)
    farm.region.work()


def prices_in_shop(hub: Hub) -> dict[str, int]:
    """What everybody may order at the hub, by name, in cents."""
    with hub.read() as tx:
        return {each.name: each.price for each in listed_for(tx, "hub", None)}


@pytest.fixture
def pears(farm: Producer, hub: Hub) -> None:
    """The hub sells pears of the farm for 5.00 a kilogram, as its people chose, and other goods follow."""
    offer(farm, 400)
    follow_farm(hub, "25")


@pytest.mark.parametrize(
    ("price", "on_sale"), [(40_000, False), (2000, True), (2001, False), (80, True), (79, False), (0, False)]
)
def test_what_is_new_is_sold_by_itself_near_what_its_kind_costs(
    farm: Producer, hub: Hub, pears: None, price: int, on_sale: bool
) -> None:
    offer(farm, price, name="Quinces")
    assert prices_in_shop(hub).get("Quinces") == (price * 125 // 100 if on_sale else None)


def test_of_a_kind_that_the_hub_does_not_sell_a_piece_costs_about_what_others_cost(
    farm: Producer, hub: Hub, pears: None
) -> None:
    offer(farm, 1500, "other-cheese", "Tomme")
    offer(farm, 150_000, "wine", "Old wine")
    assert "Tomme" in prices_in_shop(hub)
    assert "Old wine" not in prices_in_shop(hub)


def test_new_goods_do_not_carry_the_band_of_their_kind_along(farm: Producer, hub: Hub, pears: None) -> None:
    offer(farm, 1900, name="Quinces")
    offer(farm, 9000, name="Medlars")
    assert "Quinces" in prices_in_shop(hub)
    assert "Medlars" not in prices_in_shop(hub), "five times what came in by itself, of which nobody has said yes"


def test_nothing_is_sold_by_itself_where_there_is_nothing_to_judge_it_by(farm: Producer, hub: Hub) -> None:
    with farm.write() as tx:
        hide_items(tx, "farm", [farm.item])
    farm.region.work()
    follow_farm(hub, "25")
    offer(farm, 400)
    assert prices_in_shop(hub) == {}


@pytest.fixture
def four_wait(farm: Producer, hub: Hub) -> None:
    """A hub that sells nothing follows a farm that has four new products."""
    with farm.write() as tx:
        hide_items(tx, "farm", [farm.item])
    farm.region.work()
    follow_farm(hub, "25")
    for name in ("Apples", "Medlars", "Pears", "Quinces"):
        offer(farm, 400, name=name)


def test_what_a_farm_brings_first_is_put_on_sale_at_once(hub: Hub, four_wait: None) -> None:
    browser = opens(hub)
    assert "4 new goods of " in browser.go("/office/hub").text
    page = browser.go(PRICES)
    assert page.text.count("you pay €4.00 and sell for €5.00") == 4
    page = browser.send(f"{PRICES}?then=accept")
    assert "Accepted, and on sale." in page.text
    assert "No price waits for you." in page.text
    assert prices_in_shop(hub) == dict.fromkeys(("Apples", "Medlars", "Pears", "Quinces"), 500)


def test_only_what_is_ticked_is_put_on_sale(hub: Hub, four_wait: None) -> None:
    browser = opens(hub)
    fields = browser.go(PRICES).form(f"{PRICES}?then=accept").fields
    apples, *others = [name for name in fields if name.startswith("tick/")]
    sent = {name: value for name, value in fields.items() if name not in others}
    browser.post(f"{PRICES}?then=accept", **sent)
    assert prices_in_shop(hub) == {"Apples": 500}
    page = browser.post(f"{PRICES}?then=accept", **{name: sent[name] for name in sent if name != apples})
    assert browser.status == 422
    assert "Tick the products that you mean." in page.text
    assert prices_in_shop(hub) == {"Apples": 500}


def test_people_look_at_the_first_price_of_what_is_new(farm: Producer, hub: Hub, pears: None) -> None:
    offer(farm, 40_000, name="Quinces")
    browser = opens(hub)
    assert "Quinces is new and not on sale yet: look at its price" in browser.go("/office/hub").text
    page = browser.go(PRICES)
    for text in ("Quinces", "€400.00", "€500.00", "five times"):
        assert text in page.text, text
    assert "You have accepted to pay" not in page.text
    browser.send(f"{PRICES}?then=accept")
    assert prices_in_shop(hub)["Quinces"] == 50_000
    offer(farm, 45_000, name="Medlars")
    assert prices_in_shop(hub)["Medlars"] == 56_250, "somebody has said yes to such a price"


def test_people_are_mailed_what_waits_before_it_is_sold_at_all(farm: Producer, hub: Hub, pears: None) -> None:
    add_people(hub)
    offer(farm, 40_000, name="Quinces")
    minutes(farm.region, 4)
    (mail,) = [mail for mail in mails_at(hub) if mail.to == "manager@hub.example" and "Quinces" in mail.subject]
    assert "€400.00" in mail.text


def test_what_is_new_is_sold_by_itself_when_its_producer_corrects_the_price(
    farm: Producer, hub: Hub, pears: None
) -> None:
    offer(farm, 40_000, name="Quinces")
    with farm.write() as tx:
        (quinces,) = [each.item_id for each in listed_for(tx, "farm", None) if each.name == "Quinces"]
        set_price(tx, "farm", quinces, 400)
    farm.region.work()
    assert prices_in_shop(hub)["Quinces"] == 500
    assert "No price waits for you." in opens(hub).go(PRICES).text


def test_what_people_list_by_hand_is_sold_at_any_price(farm: Producer, hub: Hub) -> None:
    offer(farm, 40_000, name="Quinces")
    hub.sell(farm, 50_000)
    assert prices_in_shop(hub)["Quinces"] == 50_000


def test_without_the_band_of_first_prices_anything_new_would_be_sold(
    farm: Producer, hub: Hub, pears: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary."""
    monkeypatch.setattr(FirstPrices, "are_usual", lambda *_: True)
    offer(farm, 40_000, name="Quinces")
    assert prices_in_shop(hub)["Quinces"] == 50_000


def test_without_the_band_a_price_would_be_followed_wherever_it_goes(
    farm: Producer, hub: Hub, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: what the questions above prevent."""
    follow_farm(hub, "25")
    monkeypatch.setattr(followed_prices, "_why_to_ask", lambda *_: None)
    ask(farm, 200_000)
    assert in_shop(hub, item) == (True, 250_000)
    hub.order(item, 1)
    assert owed(hub) == 200_000


def test_an_order_that_is_passed_on_does_not_pay_a_price_that_waits(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    """A regional hub sells to another instance; its producer asks a hundredfold while that order is under way."""
    with hub.read() as tx:
        (grant,) = grants_between(tx, enterprise_id="hub", direction="received")
        product = product_of(tx, "hub", item)
    ask(farm, 200_000)
    with hub.read() as tx:
        offered = offered_items(tx, grant.id, "hub", product.enterprise_id, {product.id: product})
    assert offered[product.id].first(None).price == 2000


def product_of(tx: Any, hub_id: str, item: str) -> Any:
    (product,) = products_of_items(tx, hub_id, [item]).values()
    return product
