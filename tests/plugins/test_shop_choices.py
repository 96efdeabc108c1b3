"""A shopper's choices change the price, and the texts of the pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import insert, select

from commensal import Adjustment, ConsentRequest, OrderDraft, Phase, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.tables import order_consent
from commensal.storage.database import Store

from . import conftest
from .conftest import CONTACT, ORDER, SALE, Browser, Stall, buy, stored_orders, to_the_checkout

PLUGINS = ("shop", "cash", "pickup", "bank", "charge")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@hookimpl
def price_adjustments(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
    """Customers pay what a card costs the shop."""
    if phase is not Phase.FEE or order.payment_method != "bank:card":
        return []
    return [Adjustment(phase=phase, kind="card", label="For the card", amount=50)]


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    modules: dict[str, ModuleType] = {"bank": conftest, "charge": sys.modules[__name__]}
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock, modules=modules), clock, ids)


@pytest.fixture
def stall(stall: Stall) -> Stall:
    with stall.instance.store.write() as tx:
        for plugin in ("bank", "charge"):
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings={}, version=1))
    return stall


def test_the_way_to_pay_counts_into_the_total_that_is_shown(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    assert browser.page.form("").fields["total"] == "240"
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0], payment_method="bank:card")
    assert browser.status == 409
    assert "With this choice the total is €2.90." in browser.page.text
    assert "For the card" in browser.page.text
    browser.send("", ("then", "update"), payment_method="cash:cash")
    assert browser.page.form("").fields["total"] == "240"
    browser.send("", ORDER, payment_method="bank:card")
    browser.send("", ORDER)
    assert [row["total"] for row in stored_orders(stall)] == [290]


def test_the_menu_counts_what_lies_in_the_basket_of_this_sale(browser: Browser, stall: Stall) -> None:
    browser.go(SALE)
    assert "Basket (0)" in browser.page.text
    to_the_checkout(browser, stall, small=2, eggs=1)
    assert "Basket (3)" in browser.page.text
    assert "Basket" not in browser.go("/").text


def test_who_has_just_ordered_is_thanked_and_who_comes_back_is_not(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    assert "Thank you for your order. We are sending a confirmation to bob@example.org." in browser.page.text
    clock.advance(minutes=11)
    assert "Thank you" not in browser.go(browser.at).text


def test_a_page_that_is_not_there_does_not_alarm(browser: Browser, stall: Stall) -> None:
    for url in ("/nowhere", "/sales/nothing", "/hubs/nobody"):
        browser.go(url)
        assert browser.status == 404
        assert "Page not found" in browser.page.text
        assert "alert" not in [attributes.get("role") for _, attributes in browser.page.elements]
        assert "/" in browser.page.links()


@hookimpl
def consent_requests(order: OrderDraft, language: str) -> Sequence[ConsentRequest]:
    """Asks only buyers of carrots."""
    text = {"en": "The grower may write to me.", "fr": "Le maraîcher peut m’écrire."}[language]
    return [ConsentRequest(id="letters", text=text)] if any(line.name != "Eggs" for line in order.lines) else []


BOX = "consents/charge:letters"


def test_a_box_is_never_ticked_and_what_was_agreed_can_be_taken_back(browser: Browser, stall: Stall) -> None:
    browser.reads("fr")
    to_the_checkout(browser, stall, small=1)
    assert "Le maraîcher peut m’écrire." in browser.page.text
    browser.reads("en")
    browser.go(f"{SALE}/checkout")
    assert "The grower may write to me." in browser.page.text
    assert BOX not in browser.page.form("").fields, "a browser sends only what is ticked"
    assert BOX in browser.page.form("").boxes
    buy(browser, stall, 0, **{BOX: "yes"})
    order, stored = browser.at, consents(stall)
    assert [(row["text"], row["withdrawn_at"]) for row in stored] == [("The grower may write to me.", None)]
    assert browser.page.form(f"{order}/consents").fields == {BOX: "yes"}
    browser.page.form(f"{order}/consents").fields.clear()
    browser.send(f"{order}/consents")
    assert (browser.status, browser.at) == (200, order)
    assert BOX not in browser.page.form(f"{order}/consents").fields
    assert [consent["withdrawn_at"] is None for consent in consents(stall)] == [False]


def test_who_agrees_to_nothing_orders_all_the_same(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    buy(browser, stall)
    assert browser.at.startswith("/orders/guest/")
    assert consents(stall) == []


def test_consents_over_the_api_are_those_of_the_quote(browser: Browser, stall: Stall) -> None:
    api, wish = browser.client, {"items": {stall.small: 1}}
    quote = api.post("/api/sale-sessions/shop-session/quote", json=wish).json()
    assert quote["consent_requests"] == {"charge:letters": {"id": "letters", "text": "The grower may write to me."}}
    order = {**wish, **CONTACT, "shipping": stall.slots[0], "language": "en"}
    url, keys = "/api/sale-sessions/shop-session/orders", iter("123")
    refusal = api.post(url, json={**order, "consents": ["charge:calls"]}, headers={"Idempotency-Key": next(keys)})
    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (422, "/consents/0")
    right = api.post(url, json={**order, "consents": ["charge:letters"]}, headers={"Idempotency-Key": next(keys)})
    consents_url = f"/api/guest-orders/{right.json()['secret']}/consents"
    assert [(choice["request"], choice["given_at"] is None) for choice in api.get(consents_url).json()] == [
        ("charge:letters", False)
    ]
    assert [choice["given_at"] for choice in api.put(consents_url, json={"consents": []}).json()] == [None]


def consents(stall: Stall) -> list[dict[str, object]]:
    with stall.instance.store.read() as tx:
        return [dict(row) for row in tx.all(select(order_consent))]
