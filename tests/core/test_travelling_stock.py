"""Stock on loan: stock lent to others is reserved for them, and stock borrowed from others is free to sell here."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal import Instance, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, SoldOut
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.checks.invariants import check_levels
from commensal.parts.copies.lending import lease_in, lend_stock, settle_lent, tell_beyond
from commensal.parts.serving.app import make_app
from commensal.sale_sessions.visible_offers import offers_for
from commensal.stock.lots import StockLot, change_lot, lot_by_id
from commensal.stock.movements import count_stock, movements_of
from commensal.stock.take import take_stock
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_lot, a_shop, an_item


@pytest.fixture
def lot(store: Store) -> str:
    """A lot of ten pieces."""
    with store.write() as tx:
        a_shop(tx)
        return a_lot(tx)


def levels(tx: Transaction, lot_id: str) -> Any:
    """Returns free, lent, sold and on hand, in the lot's unit."""
    assert check_levels(tx) == []
    stock: StockLot = lot_by_id(tx, "shop", lot_id)
    return stock.free, stock.lent, stock.sold, stock.on_hand


def test_what_is_lent_is_there_and_nobody_elses(store: Store, lot: str) -> None:
    with store.write() as tx:
        assert lend_stock(tx, lot, 7, note="to the hub")
        assert levels(tx, lot) == (3, 7, 0, 10)
    with pytest.raises(SoldOut) as error, store.write() as tx:
        take_stock(tx, {lot: 4}, order_id="order")
    assert error.value.missing == {lot: 1}


def test_no_more_is_lent_than_is_free(store: Store, lot: str) -> None:
    with store.write() as tx:
        assert not lend_stock(tx, lot, 11)
        assert levels(tx, lot) == (10, 0, 0, 10)


def test_what_others_sold_is_sold_and_what_they_give_back_is_free_again(store: Store, lot: str) -> None:
    with store.write() as tx:
        lend_stock(tx, lot, 7)
        assert settle_lent(tx, lot, back=2, sold=4)
        assert levels(tx, lot) == (5, 1, 4, 6)
        assert settle_lent(tx, lot, sold=-1)  # a customer returned one to them
        assert levels(tx, lot) == (5, 2, 3, 7)
        assert [movement.kind for movement in movements_of(tx, "shop", lot)] == ["lent", "lent", "lent", "received"]


def test_the_scales_of_others_may_find_more_or_less(store: Store, lot: str) -> None:
    with store.write() as tx:
        lend_stock(tx, lot, 7)
        assert settle_lent(tx, lot, sold=7, lent=-6)  # eight were there
        assert levels(tx, lot) == (3, 1, 7, 4)
        assert not settle_lent(tx, lot, back=1, lent=-2)


def test_a_count_knows_what_is_lent(store: Store, lot: str) -> None:
    with store.write() as tx:
        lend_stock(tx, lot, 7)
        count_stock(tx, "shop", lot, Decimal(9))
        assert levels(tx, lot) == (2, 7, 0, 9)
        with pytest.raises(Conflict) as error:
            count_stock(tx, "shop", lot, Decimal(6))
        assert str(error.value) == "Others may sell 7 of Pommes; take that back first."
        with pytest.raises(Conflict, match="take that back first"):
            change_lot(tx, "shop", lot, lot_by_id(tx, "shop", lot).version, unlimited=True)


def test_what_came_by_a_lease_is_sold_until_its_end(store: Store, clock: ManualClock, lot: str) -> None:
    with store.write() as tx:
        assert lease_in(tx, lot, 5)
        tell_beyond(tx, lot, 20, clock.now() + timedelta(hours=1))
        take_stock(tx, {lot: 12}, order_id="order")
        assert levels(tx, lot)[0] == 3
        assert not lease_in(tx, lot, -4)
        assert lease_in(tx, lot, -1)
    clock.advance(hours=1)
    with pytest.raises(SoldOut) as error, store.write() as tx:
        take_stock(tx, {lot: 1}, order_id="later")
    assert error.value.missing == {lot: 1}


# ------------------------------------------------------------------------------------------------ at the shop


@pytest.fixture
def item(store: Store, lot: str) -> str:
    with store.write() as tx:
        return an_item(tx, lot)


def pieces_left(store: Store, item: str) -> int | None:
    with store.read() as tx:
        (offer,) = [offer for offer in offers_for(tx, "shop-session", ()) if offer.item_id == item]
    return offer.left


def test_customers_see_what_may_be_had_from_elsewhere_too(
    store: Store, clock: ManualClock, lot: str, item: str
) -> None:
    with store.write() as tx:
        tell_beyond(tx, lot, 20, clock.now() + timedelta(hours=1))
    assert pieces_left(store, item) == 30
    clock.advance(hours=1)
    assert pieces_left(store, item) == 20


def with_stock_plugin(instance: Instance, bring: Callable[[Instance, Mapping[str, int]], bool]) -> Instance:
    """Returns the instance with a plugin that brings stock."""
    module = types.ModuleType("truck")
    module.bring_stock = hookimpl(bring)  # type: ignore[attr-defined]
    bring.__name__ = "bring_stock"
    settings: InstanceSettings = replace(instance.settings, plugins={"enabled": ["truck"]})
    hooks = load_plugins(settings, clock=instance.clock, modules={"truck": module})
    return replace(instance, settings=settings, hooks=hooks)


def place_order_over_api(instance: Instance, item: str, pieces: int) -> Any:
    """Places an order over the API and returns the response."""
    body = {"items": {item: pieces}, "name": "Ada", "email": "ada@example.org"}
    with TestClient(make_app(instance)) as client:
        headers = {"Idempotency-Key": f"key-{pieces}"}
        return client.post("/api/sale-sessions/shop-session/orders", json=body, headers=headers)


def test_an_order_that_finds_too_little_waits_for_more_and_is_placed(instance: Instance, lot: str, item: str) -> None:
    requests = []

    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        requests.append(dict(missing))
        with instance.store.write() as tx:
            return lease_in(tx, lot, missing[lot])

    with_truck = with_stock_plugin(instance, bring)
    assert place_order_over_api(with_truck, item, 9).status_code == 201
    assert requests == [], "nobody is asked while there is enough"
    assert place_order_over_api(with_truck, item, 5).status_code == 201
    assert requests == [{lot: 4}]


@pytest.mark.parametrize("amount", [0, 1])
def test_where_too_little_comes_the_order_is_refused_as_ever(
    instance: Instance, lot: str, item: str, amount: int
) -> None:
    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        with instance.store.write() as tx:
            return lease_in(tx, lot, amount) and amount > 0

    answer = place_order_over_api(with_stock_plugin(instance, bring), item, 13)
    assert answer.status_code == 409
    assert answer.json()["code"] == "sold_out"


def test_what_becomes_short_while_more_is_brought_is_brought_too(instance: Instance, lot: str, item: str) -> None:
    """As when an order of two lots waits for one of them, and somebody takes the other."""
    requests: list[int] = []

    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        requests.append(missing[lot])
        with instance.store.write() as tx:
            return lease_in(tx, lot, missing[lot]) and (len(requests) > 1 or lease_in(tx, lot, -3))

    assert place_order_over_api(with_stock_plugin(instance, bring), item, 12).status_code == 201
    assert requests == [2, 3]


def test_who_says_to_have_brought_what_is_not_there_is_asked_twice_at_most(instance: Instance, item: str) -> None:
    requests = []

    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        requests.append(dict(missing))
        return True

    assert place_order_over_api(with_stock_plugin(instance, bring), item, 12).status_code == 409
    assert len(requests) == 2


def test_who_cannot_bring_any_does_not_stand_in_the_way(instance: Instance, item: str) -> None:
    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        raise ConnectionError("the bridge is closed")

    with_truck = with_stock_plugin(instance, bring)
    assert place_order_over_api(with_truck, item, 12).status_code == 409
    assert [failure.hook for failure in with_truck.hooks.failures] == ["bring_stock"]


def test_the_second_try_holds_no_more_than_one_place_order(instance: Instance, lot: str, item: str) -> None:
    """The first try is undone before plugins are called: they see the true levels."""
    free_levels = []

    def bring(instance: Instance, missing: Mapping[str, int]) -> bool:
        with instance.store.read() as tx:
            free_levels.append(lot_by_id(tx, "shop", lot).free)
        return False

    wish = Wish(items={item: 12}, name="Ada", email="ada@example.org")
    with_plugin = with_stock_plugin(instance, bring)
    with pytest.raises(SoldOut):
        with_plugin.transact(lambda tx: place_order(tx, with_plugin.hooks, "shop-session", wish))
    assert free_levels == [10]
