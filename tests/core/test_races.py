"""32 shoppers in four processes order the same goods at once, on both databases. Nothing is ever promised twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.orders.tables import customer_order, order_line
from commensal.parts.checks import broken_invariants
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item

PROCESSES, SHOPPERS = 4, 8

Stall = Callable[..., Mapping[str, str]]
Race = Callable[..., Counter[str]]


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


@pytest.fixture(scope="module")
def racing() -> Iterator[subprocess.Popen[str]]:
    """The process whose forks race; it imports the program once for all tests."""
    command = [sys.executable, "-m", "commensal.testing.racing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def race(racing: subprocess.Popen[str], database_url: str) -> Race:
    """Starts the shoppers, a share of them in each process, and counts the outcomes."""

    def run(wishes: list[dict[str, int]], *, guarded: bool = True) -> Counter[str]:
        order = {"url": database_url, "session_id": "shop-session", "wishes": wishes, "guarded": guarded}
        assert racing.stdin is not None
        assert racing.stdout is not None
        print(json.dumps({**order, "processes": PROCESSES}), file=racing.stdin, flush=True)
        return Counter(json.loads(racing.stdout.readline()))

    return run


def read_levels(url: str) -> tuple[int, int, int]:
    """Returns the pieces that orders hold, and the lot's reserved and free pieces."""
    store = Store(url, clock=SystemClock(), ids=RandomIds())
    with store.read() as tx:
        held_pieces = tx.value(
            select(func.sum(order_line.c.quantity * order_line.c.lot_quantity))
            .join(customer_order, customer_order.c.id == order_line.c.order_id)
            .where(customer_order.c.state == "Held")
        )
        lot = tx.one(select(stock_lot.c.reserved, stock_lot.c.free))
        broken = [str(invariant) for invariant in broken_invariants(tx)]
    store.close()
    if held_pieces == lot["reserved"]:
        assert broken == []
    return int(held_pieces or 0), lot["reserved"], lot["free"]


def test_the_last_unit_goes_to_one_and_the_others_are_told_that_it_is_gone(
    database_url: str, stall: Stall, race: Race
) -> None:
    items = stall(1, crate=1)
    outcomes = race([{items["crate"]: 1}] * PROCESSES * SHOPPERS)
    assert outcomes.pop("placed") == 1
    (message,) = outcomes
    assert outcomes[message] == 31
    assert message == "sold_out: There is not enough left.; Pommes is sold out."
    assert read_levels(database_url) == (1, 1, 0)


def test_three_sizes_of_one_heap_never_add_up_to_more_than_the_heap(
    database_url: str, stall: Stall, race: Race
) -> None:
    items = stall(100, one=1, five=5, twentyfive=25)
    wishes = [{items[("one", "five", "twentyfive")[number % 3]]: 1} for number in range(PROCESSES * SHOPPERS)]
    outcomes = race(wishes)
    held_pieces, reserved, free = read_levels(database_url)
    assert held_pieces == reserved == 100 - free
    assert {message.partition(":")[0] for message in outcomes} == {"placed", "sold_out"}
    assert all("left" in message for message in outcomes if message.startswith("sold_out"))


def test_two_lines_of_one_lot_in_opposite_order_neither_oversell_nor_deadlock(
    database_url: str, stall: Stall, race: Race
) -> None:
    items = stall(40, one=1, two=2)
    small_first = {items["one"]: 1, items["two"]: 1}
    large_first = {items["two"]: 1, items["one"]: 1}
    outcomes = race([small_first, large_first] * (PROCESSES * SHOPPERS // 2))
    assert outcomes["placed"] == 13
    assert read_levels(database_url) == (39, 39, 1)
    assert sum(outcomes.values()) == 32
    assert {message.partition(":")[0] for message in outcomes} == {"placed", "sold_out"}


def test_without_the_guard_the_same_race_does_oversell(database_url: str, stall: Stall, race: Race) -> None:
    """Shows that the tests above would detect a hub that promises goods it does not have."""
    items = stall(1, crate=1)
    race([{items["crate"]: 1}] * PROCESSES * SHOPPERS, guarded=False)
    held_pieces, _, _ = read_levels(database_url)
    assert held_pieces > 1
