"""Many orders want the last of a budget at once, and orders go up and down: the books always equal the grants."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as some
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from commensal import Conflict, Transaction
from commensal.instance import Instance
from commensal.orders.values import Order
from commensal_solidarity import spending
from commensal_solidarity.settings import Programme
from commensal_solidarity.spending import Year, available_for, budget_of
from commensal_solidarity.tables import solidarity_budget, solidarity_entry

from .at_once import at_once
from .town import Town, open_town

PLUGINS = ("solidarity",)


@pytest.fixture
def town(instance: Instance) -> Town:
    return open_town(instance)


def ordering(town: Town, who: str, tries: int = 1) -> Callable[[], None]:
    """Returns a function that orders goods for 20.00, and tries again if another order was faster."""

    def order() -> None:
        for _ in range(tries - 1):
            with suppress(Conflict):
                town.order(who, apples=2)
                return
        town.order(who, apples=2)

    return order


def test_forty_orders_share_a_budget_for_ten(town: Town) -> None:
    town.agree({"budget": 6000})
    orders = [ordering(town, who) for who in ("ada", "bob")] * 20
    outcomes = at_once(*orders)
    assert set(outcomes) <= {"done", "solidarity_used_up"}
    assert town.spent() == 6000
    assert outcomes["done"] >= 10


def test_who_is_refused_and_looks_again_orders_at_the_full_price(town: Town) -> None:
    town.agree({"budget": 1500, "most_per_customer": 1000})
    outcomes = at_once(*[ordering(town, who, tries=12) for who in ("ada", "bob")] * 6)
    assert outcomes == {"done": 12}, "each refusal is another's success"
    assert town.spent() == 1500


def meet_after_reading(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Makes all orders see the available budget before any of them takes from it. They wait in the plugin, whose time
    is limited: more than a few would not all come so far on a busy machine."""
    all_have_read = threading.Barrier(count)

    def read_and_wait(*args: Any) -> int:
        available = available_for(*args)
        all_have_read.wait()
        return available

    monkeypatch.setattr(spending, "available_for", read_and_wait)


def test_who_saw_the_rest_that_another_took_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    if town.store.engine.dialect.name == "sqlite":
        pytest.skip("there a transaction sees and takes alone")
    town.agree({"budget": 600})
    meet_after_reading(monkeypatch, 4)
    outcomes = at_once(*[ordering(town, who) for who in ("ada", "bob")] * 2)
    assert outcomes == {"done": 1, "solidarity_used_up": 3}
    assert town.spent() == 600


def test_one_customer_who_orders_twice_at_once_has_one_maximum(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    if town.store.engine.dialect.name == "sqlite":
        pytest.skip("there a transaction sees and takes alone")
    town.agree({"most_per_customer": 600})
    meet_after_reading(monkeypatch, 4)
    outcomes = at_once(*[ordering(town, "ada")] * 4)
    assert outcomes == {"done": 1, "solidarity_maximum": 3}
    assert town.spent() == 600


def test_changes_and_cancellations_race_with_orders(town: Town) -> None:
    town.agree({"budget": 2000})
    orders = [town.order(who, apples=1) for who in ("ada", "bob", "ada", "bob")]

    def change(order: Order, pieces: int) -> Callable[[], None]:
        return lambda: discard(town.change(order, apples=pieces))

    changes = [change(orders[0], 3), change(orders[1], 4), lambda: discard(town.cancel(orders[2]))]
    outcomes = at_once(*changes, *[ordering(town, who) for who in ("ada", "bob")] * 4)
    assert set(outcomes) <= {"done", "solidarity_used_up"}
    assert town.spent() <= 2000


def discard(_: object) -> None:
    """Drops a result."""


def test_without_its_guard_the_budget_is_overspent(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race with code that reads first and trusts the value later: so the tests above can fail."""
    (programme,) = town.agree({"budget": 1200})
    town.order("ada", apples=2)
    local = threading.local()

    def spend_unchecked(tx: Transaction, year: Year, programme: Programme, amount: int) -> None:
        tx.execute(update(solidarity_budget).where(budget_of(year)).values(spent=local.spent + amount))

    monkeypatch.setattr(spending, "available_for", lambda *args: programme.budget - local.spent)
    monkeypatch.setattr(spending, "spend", spend_unchecked)
    all_have_read = threading.Barrier(4)

    def order() -> None:
        with town.store.read() as tx:
            local.spent = tx.value(select(solidarity_budget.c.spent))
        all_have_read.wait()
        town.order("bob", apples=2)

    assert at_once(*[order] * 4) == {"done": 4}
    with town.store.read() as tx:
        assert tx.value(select(func.sum(solidarity_entry.c.amount))) == 3000
    with pytest.raises(AssertionError):
        town.spent()


def test_the_database_itself_refuses_an_overspent_budget(town: Town) -> None:
    row = {"enterprise_id": "shop", "programme": "a", "year": 2026, "budget": 5, "spent": 6}
    with pytest.raises(IntegrityError, match="not_overspent"), town.store.write() as tx:
        tx.execute(insert(solidarity_budget).values(row))


# ------------------------------------------------------------------------------------------------ any history

ROUND = itertools.count(1)
PIECES = some.integers(0, 5)
STEP = some.one_of(
    some.tuples(some.just("place"), some.sampled_from(["ada", "bob", "eve"]), PIECES, PIECES),
    some.tuples(some.just("change"), some.integers(0, 20), PIECES, PIECES),
    some.tuples(some.just("weigh"), some.integers(0, 20), some.decimals(0, 6, places=3)),
    some.tuples(some.just("cancel"), some.integers(0, 20)),
    some.tuples(some.just("budget"), some.integers(0, 5000)),
)


@dataclass
class History:
    """A random history of a town, step by step. Each has its own programme, so its budget is new."""

    town: Town
    most: int = 1500
    budget: int = 2000
    name: str = field(default_factory=lambda: f"p{next(ROUND)}")
    live: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agree()

    def agree(self) -> None:
        self.town.agree({"id": self.name, "budget": self.budget, "most_per_customer": self.most})

    def take(self, step: tuple[Any, ...]) -> None:
        kind, *arguments = step
        spent_before = self.spent()
        getattr(self, f"_{kind}")(*arguments)
        self.town.spent()
        assert self.spent() <= max(self.budget, spent_before), (
            "a budget that was lowered may be overspent, but no further"
        )
        assert all(self.spent(who) <= self.most for who in ("ada", "bob"))

    def spent(self, who: str = "") -> int:
        entry = solidarity_entry.c
        query = select(func.coalesce(func.sum(entry.amount), 0)).where(entry.programme == self.name)
        if who:
            query = query.where(entry.customer_id == self.town.customers[who])
        with self.town.store.read() as tx:
            return int(tx.value(query))

    def _order_at(self, index: int) -> Order | None:
        return self.live[index % len(self.live)] if self.live else None

    def _place(self, who: str, apples: int, meat: int) -> None:
        if apples or meat:
            self.live.append(self.town.order(who, **pieces_of(apples, meat)))

    def _change(self, index: int, apples: int, meat: int) -> None:
        order = self._order_at(index)
        if order and (apples or meat):
            self.live[self.live.index(order)] = self.town.change(order, **pieces_of(apples, meat))

    def _weigh(self, index: int, weight: Any) -> None:
        order = self._order_at(index)
        if order and any(line.weighed for line in order.lines):
            self.live[self.live.index(order)] = self.town.weigh(order, str(weight))

    def _cancel(self, index: int) -> None:
        order = self._order_at(index)
        if order:
            self.live.remove(order)
            self.town.cancel(order)

    def _budget(self, budget: int) -> None:
        self.budget = budget
        self.agree()


def pieces_of(apples: int, meat: int) -> dict[str, int]:
    return {name: number for name, number in (("apples", apples), ("meat", meat)) if number}


@hypothesis(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=some.lists(STEP, min_size=3, max_size=12))
def test_whatever_happens_the_books_are_the_grants_of_live_orders(town: Town, steps: list[tuple[Any, ...]]) -> None:
    history = History(town)
    for step in steps:
        history.take(step)
    for order in list(history.live):
        town.cancel(order)
    assert history.spent() == 0
