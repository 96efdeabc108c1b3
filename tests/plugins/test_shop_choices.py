"""What a shopper chooses reaches the price, and what the pages say around it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import insert

from commensal import Adjustment, OrderDraft, Phase, hookimpl
from commensal.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.ids import SeededIds
from commensal.instance import Instance, Settings
from commensal.store import Store

from . import conftest
from .conftest import CONTACT, ORDER, SALE, Browser, Stall, buy, placed, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@hookimpl
def price_adjustments(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
    """What a card costs the shop, its customers pay."""
    if phase is not Phase.FEE or order.payment_method != "bank:card":
        return []
    return [Adjustment(phase=phase, kind="card", label="For the card", amount=50)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, plugins={"enabled": ["shop", "cash", "pickup", "bank", "charge"]})


@pytest.fixture
def instance(settings: Settings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
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
    assert [row["total"] for row in placed(stall)] == [290]


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
    assert "Thank you for your order. We are writing to bob@example.org." in browser.page.text
    clock.advance(minutes=11)
    assert "Thank you" not in browser.go(browser.at).text


def test_a_page_that_is_not_there_does_not_alarm(browser: Browser, stall: Stall) -> None:
    for url in ("/nowhere", "/sales/nothing", "/hubs/nobody"):
        browser.go(url)
        assert browser.status == 404
        assert "Page not found" in browser.page.text
        assert "alert" not in [given.get("role") for _, given in browser.page.elements]
        assert "/" in browser.page.links()
