"""Stock, numbers, totals and payments stay right in any sequence of commands.

Hypothesis draws sequences of the real commands on a database in memory; the test keeps its own books next to them.
COMMENSAL_TEST_FUZZ=20 draws twenty times as many, different ones each time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from commensal.base.clock import ManualClock
from commensal.base.errors import Refused
from commensal.base.ids import SeededIds
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders import cancel
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import complete_due, hand_order_over, order_is_ready, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.merge import revive_order
from commensal.parts.order_corrections.substitutes import substitute
from commensal.payments import payments
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import refund
from commensal.stock.lots import lot_by_id
from commensal.stock.movements import count_stock, receive_stock
from commensal.storage.database import Store, Transaction
from commensal.storage.database.migrate import migrate
from commensal.testing.instances import NOON
from commensal.testing.placed import a_lot, a_shop, an_item

TIMES = int(os.environ.get("COMMENSAL_TEST_FUZZ", "0"))
SEQUENCES = settings(
    max_examples=30 * (TIMES or 1),
    stateful_step_count=40,
    derandomize=not TIMES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
WITHOUT_SHRINKING = settings(SEQUENCES, phases=[Phase.generate], report_multiple_bugs=False)
PIECES = st.integers(min_value=1, max_value=4)
CENTS = st.integers(min_value=1, max_value=2000)


@cache
def _template() -> sqlite3.Connection:
    """An empty database with the core's tables."""
    store = Store("sqlite://", clock=ManualClock(NOON), ids=SeededIds("template"))
    migrate(store, {})
    template = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(store.engine.raw_connection()) as connection:
        connection.driver_connection.backup(template)  # type: ignore[union-attr]
    store.close()
    return template


def _store(clock: ManualClock) -> Store:
    store = Store("sqlite://", clock=clock, ids=SeededIds("sequence"))
    with closing(store.engine.raw_connection()) as connection:
        _template().backup(connection.driver_connection)  # type: ignore[arg-type]
    return store


@dataclass
class Booked:
    """An order in the test's own books."""

    id: str
    number: int | None
    pieces: dict[str, int]
    total: int
    paid: int = 0
    state: str = "Held"


@dataclass
class Books:
    """The test's own books: jars received, jars lost with cancelled orders that did not restock, and orders."""

    brought: int = 12
    lost: int = 0
    orders: list[Booked] = field(default_factory=list)


class Sequence(RuleBasedStateMachine):
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(NOON)
        self.store = _store(self.clock)
        self.hooks: Hooks = load_plugins(InstanceSettings(name="Test"), clock=self.clock)
        self.books, self._keys = Books(), 0
        with self.store.write() as tx:
            a_shop(tx)
            self.jars, self.kilos = a_lot(tx, name="jars", on_hand="12"), a_lot(tx, unit="Kilogram", on_hand="20")
            self.jar = an_item(tx, self.jars, name="Jar", price=450)
            self.box = an_item(tx, self.jars, name="Box of three", price=1200, grains=3)
            weighed: dict[str, Any] = {"grains": 2000, "quantity": Decimal(2), "unit": "Kilogram", "weighed": True}
            self.bird = an_item(tx, self.kilos, name="Chicken", price=2400, **weighed)

    def teardown(self) -> None:
        self.store.close()

    def _do(self, act: Callable[[Transaction], Any]) -> Any:
        """Runs `act` and returns its result; None if it was refused, and then nothing may have changed."""
        try:
            with self.store.write() as tx:
                return act(tx)
        except Refused:
            return None

    def _jars_of(self, pieces: dict[str, int]) -> int:
        return pieces.get(self.jar, 0) + 3 * pieces.get(self.box, 0)

    def _note(self, booked: Booked, order: Order | None) -> None:
        if order is not None:
            booked.total = order.total
            booked.pieces = {line.item_id: 0 for line in order.lines}
            for line in order.lines:
                booked.pieces[line.item_id] += line.quantity

    @rule(target=orders, jars=PIECES, boxes=st.integers(0, 2), birds=st.integers(0, 2), by_hub=st.booleans())
    def place(self, jars: int, boxes: int, birds: int, by_hub: bool) -> Any:
        items = {item: n for item, n in ((self.jar, jars), (self.box, boxes), (self.bird, birds)) if n}
        wish = Wish(items=items, name="Ada", email="ada@example.org", language="en")
        order = self._do(lambda tx: place_order(tx, self.hooks, "shop-session", wish, by_hub=by_hub))
        if order is None:
            return multiple()
        booked = Booked(order.id, order.number, dict(items), order.total)
        self.books.orders.append(booked)
        return booked

    @rule(order=orders, jars=PIECES, boxes=st.integers(0, 2), by_hub=st.booleans())
    def change(self, order: Booked, jars: int, boxes: int, by_hub: bool) -> None:
        items = {self.jar: jars, **({self.box: boxes} if boxes else {})}

        def act(tx: Transaction) -> Order:
            return change_order(
                tx, self.hooks, locked_order(tx, order.id, enterprise_id="shop"), items=items, by_hub=by_hub
            )

        self._note(order, self._do(act))

    @rule(order=orders, pieces=PIECES)
    def substitute(self, order: Booked, pieces: int) -> None:
        def act(tx: Transaction) -> Order:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            return substitute(
                tx, self.hooks, locked, line_id=locked.lines[0].id, item_id=self.box, quantity=pieces, replaced=1
            )

        self._note(order, self._do(act))

    @rule(order=orders, grams=st.integers(0, 9000))
    def weigh(self, order: Booked, grams: int) -> None:
        def act(tx: Transaction) -> Order:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            weights = {line.id: Decimal(grams) / 1000 for line in locked.lines if line.weighed and line.quantity}
            return weigh_order(tx, self.hooks, locked, weights)

        self._note(order, self._do(act))

    @rule(order=orders, restock=st.booleans(), by_hub=st.booleans())
    def cancel(self, order: Booked, restock: bool, by_hub: bool) -> None:
        def act(tx: Transaction) -> Order:
            return cancel_order(
                tx, self.hooks, locked_order(tx, order.id, enterprise_id="shop"), restock=restock, by_hub=by_hub
            )

        if self._do(act) is not None:
            order.state = "Cancelled"
            self.books.lost += 0 if restock else self._jars_of(order.pieces)

    @rule(order=orders)
    def revive(self, order: Booked) -> None:
        def act(tx: Transaction) -> Order:
            return revive_order(tx, self.hooks, locked_order(tx, order.id, enterprise_id="shop"))

        if self._do(act) is not None:
            order.state = "Held"

    @rule(order=orders)
    def pack(self, order: Booked) -> None:
        self._do(lambda tx: order_is_ready(tx, locked_order(tx, order.id, enterprise_id="shop")))

    @rule(order=orders)
    def hand_over(self, order: Booked) -> None:
        self._do(lambda tx: hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop")))

    @rule(order=orders, cents=CENTS, again=st.booleans())
    def pay(self, order: Booked, cents: int, again: bool) -> None:
        """A payment repeated with the same key counts once."""
        self._keys += 1
        values: dict[str, Any] = {"enterprise_id": "shop", "order_id": order.id, "method": "cash:cash", "amount": cents}
        values |= {"idempotency_key": f"key-{self._keys}", "person_id": None}
        for _ in range(1 + again):
            payment = self._do(lambda tx: receive_payment(tx, **values))
        if payment is not None:
            order.paid += cents

    @rule(order=orders, cents=CENTS)
    def give_back(self, order: Booked, cents: int) -> None:
        self._keys += 1
        values: dict[str, Any] = {"enterprise_id": "shop", "order_id": order.id, "method": "cash:cash", "amount": cents}
        values |= {"idempotency_key": f"key-{self._keys}", "person_id": None, "anyway": True}
        if self._do(lambda tx: refund(tx, **values)) is not None:
            order.paid -= cents

    @rule(jars=st.integers(1, 6))
    def receive(self, jars: int) -> None:
        if self._do(lambda tx: receive_stock(tx, "shop", self.jars, Decimal(jars))) is not None:
            self.books.brought += jars

    @rule(jars=st.integers(0, 15))
    def count(self, jars: int) -> None:
        """A count includes everything on the shelf: free stock and stock held by orders."""

        def act(tx: Transaction) -> int:
            before = lot_by_id(tx, "shop", self.jars)
            after = count_stock(tx, "shop", self.jars, Decimal(jars))
            return int(after.free - before.free)

        self.books.brought += self._do(act) or 0

    @precondition(lambda self: self.clock.now() < NOON + timedelta(days=2))
    @rule()
    def close(self) -> None:
        self.clock.advance(days=2)
        self._do(complete_due)

    @invariant()
    def invariants_hold(self) -> None:
        with self.store.read() as tx:
            assert broken_invariants(tx) == []

    @invariant()
    def no_jar_is_lost_or_sold_twice(self) -> None:
        with self.store.read() as tx:
            lot = lot_by_id(tx, "shop", self.jars)
        assert lot.free >= 0
        assert lot.free + lot.reserved + lot.sold == self.books.brought - self.books.lost

    @invariant()
    def orders_say_what_was_acknowledged(self) -> None:
        with self.store.read() as tx:
            for booked in self.books.orders:
                order = order_by_id(tx, booked.id, enterprise_id="shop")
                assert (order.number, order.total, order.paid_total) == (booked.number, booked.total, booked.paid)
                assert (order.state == "Cancelled") == (booked.state == "Cancelled")
                assert booked.paid >= 0


def test_stock_orders_and_money_stay_right_in_any_sequence() -> None:
    run_state_machine_as_test(Sequence, settings=SEQUENCES)


def test_a_command_that_forgets_to_give_goods_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancel, "release_stock", lambda *args, **kwargs: None)
    with pytest.raises(AssertionError, match="reserved"):
        run_state_machine_as_test(Sequence, settings=WITHOUT_SHRINKING)


def test_a_payment_that_counts_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original_write = payments.write_once

    def write_with_new_key(tx: Transaction, order: Any, kind: str, method: str, amount: int, key: str) -> Any:
        return original_write(tx, order, kind, method, amount, tx.new_id())

    monkeypatch.setattr(payments, "write_once", write_with_new_key)
    with pytest.raises(AssertionError, match=r"== \("):
        run_state_machine_as_test(Sequence, settings=WITHOUT_SHRINKING)
