"""32 shoppers in four processes want the same things at once, on both databases. Nothing is ever promised twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.operations.checks import broken_invariants
from commensal.storage.database import Store
from commensal.testing.goods import a_lot, an_item
from commensal.testing.placed import a_shop
from commensal.trade.orders.tables import customer_order, order_line
from commensal.trade.stock.tables import stock_lot

PROCESSES, SHOPPERS = 4, 8

Stall = Callable[..., Mapping[str, str]]


@pytest.fixture
def stall(database_url: str) -> Stall:
    """Opens a shop whose items (name: grains of one lot) share `units` pieces; returns the items' ids by name."""

    def open_stall(units: int, **sizes: int) -> Mapping[str, str]:
        store = Store(database_url, clock=SystemClock(), ids=RandomIds())
        with store.write() as tx:
            a_shop(tx)
            lot = a_lot(tx, on_hand=str(units))
            items = {
                name: an_item(tx, lot, name=name, grains=grains, quantity=Decimal(grains))
                for name, grains in sizes.items()
            }
        store.close()
        return items

    return open_stall


def race(url: str, wishes: list[dict[str, int]], *, guarded: bool = True) -> Counter[str]:
    """Lets the shoppers go, a share of them in each process, and counts what became of them."""
    share = len(wishes) // PROCESSES
    runners = []
    for number in range(PROCESSES):
        started = subprocess.Popen(
            [sys.executable, "-m", "commensal.testing.racing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        mine = wishes[number * share : (number + 1) * share]
        order = {"url": url, "session_id": "shop-session", "wishes": mine, "guarded": guarded}
        assert started.stdin is not None
        started.stdin.write(json.dumps(order) + "\n")
        started.stdin.flush()
        runners.append(started)
    for runner in runners:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "ready\n"
    outcomes: Counter[str] = Counter()
    for runner in runners:
        assert runner.stdin is not None
        runner.stdin.write("go\n")
        runner.stdin.flush()
    for runner in runners:
        said, _ = runner.communicate(timeout=60)
        outcomes.update(json.loads(said))
    return outcomes


def promised(url: str) -> tuple[int, int, int]:
    """Pieces of the lot that orders hold, what the lot says is reserved, and what is free."""
    store = Store(url, clock=SystemClock(), ids=RandomIds())
    with store.read() as tx:
        held = tx.value(
            select(func.sum(order_line.c.quantity * order_line.c.lot_quantity))
            .join(customer_order, customer_order.c.id == order_line.c.order_id)
            .where(customer_order.c.state == "Held")
        )
        lot = tx.one(select(stock_lot.c.reserved, stock_lot.c.free))
        broken = [str(invariant) for invariant in broken_invariants(tx)]
    store.close()
    if held == lot["reserved"]:
        assert broken == []
    return int(held or 0), lot["reserved"], lot["free"]


def test_the_last_unit_goes_to_one_and_the_others_are_told_that_it_is_gone(database_url: str, stall: Stall) -> None:
    items = stall(1, crate=1)
    outcomes = race(database_url, [{items["crate"]: 1}] * PROCESSES * SHOPPERS)
    assert outcomes.pop("placed") == 1
    (said,) = outcomes
    assert outcomes[said] == 31
    assert said == "sold_out: There is not enough left.; Pommes is sold out."
    assert promised(database_url) == (1, 1, 0)


def test_three_sizes_of_one_heap_never_add_up_to_more_than_the_heap(database_url: str, stall: Stall) -> None:
    items = stall(100, one=1, five=5, twentyfive=25)
    wishes = [{items[("one", "five", "twentyfive")[number % 3]]: 1} for number in range(PROCESSES * SHOPPERS)]
    outcomes = race(database_url, wishes)
    held, reserved, free = promised(database_url)
    assert held == reserved == 100 - free
    assert {said.partition(":")[0] for said in outcomes} == {"placed", "sold_out"}
    assert all("left" in said for said in outcomes if said.startswith("sold_out"))


def test_two_lines_of_one_lot_in_opposite_order_neither_oversell_nor_deadlock(database_url: str, stall: Stall) -> None:
    items = stall(40, one=1, two=2)
    forth = {items["one"]: 1, items["two"]: 1}
    back = {items["two"]: 1, items["one"]: 1}
    outcomes = race(database_url, [forth, back] * (PROCESSES * SHOPPERS // 2))
    assert outcomes["placed"] == 13
    assert promised(database_url) == (39, 39, 1)
    assert sum(outcomes.values()) == 32
    assert {said.partition(":")[0] for said in outcomes} == {"placed", "sold_out"}


def test_without_the_guard_the_same_race_does_oversell(database_url: str, stall: Stall) -> None:
    """The canary: it shows that the tests above would see a hub that promises what it does not hold."""
    items = stall(1, crate=1)
    race(database_url, [{items["crate"]: 1}] * PROCESSES * SHOPPERS, guarded=False)
    held, _, _ = promised(database_url)
    assert held > 1
