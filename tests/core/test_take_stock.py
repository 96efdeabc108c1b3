"""Taking stock: everything or nothing, in three statements, and never more than there is, however many orders race."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, Text, event, insert, select, update

from commensal.base.errors import NotFound, SoldOut
from commensal.parts.checks.invariants import check_levels
from commensal.stock.lots import StockLot, change_lot, lot_by_id, open_lot
from commensal.stock.movements import movements_of
from commensal.stock.take import change_reserved, hand_over, release_stock, return_sold, take_stock, weigh_stock
from commensal.storage.database import Store, Transaction, Whole

FARM = "a-farm"
BY: dict[str, Any] = {"order_id": "order", "person_id": "ada"}


@pytest.fixture
def lots(store: Store, hamlet: Any) -> list[StockLot]:
    """Three lots: ten kilograms, five pieces, and one unlimited."""
    hamlet.enterprise(FARM)
    with store.write() as tx:
        return [
            open_lot(tx, enterprise_id=FARM, name="Pommes", unit="Kilogram", on_hand=Decimal(10)),
            open_lot(tx, enterprise_id=FARM, name="Courges", unit="Piece", on_hand=Decimal(5)),
            open_lot(tx, enterprise_id=FARM, name="Basilic", unit="Bunch", unlimited=True),
        ]


def levels(tx: Transaction, lot: StockLot) -> Any:
    lot_now = lot_by_id(tx, FARM, lot.id)
    assert check_levels(tx) == []
    return lot_now.free, lot_now.reserved, lot_now.sold


def test_an_order_takes_from_all_its_lots(store: Store, lots: list[StockLot]) -> None:
    apples, squash, basil = lots
    with store.write() as tx:
        take_stock(tx, {squash.id: 2, apples.id: 2500, basil.id: 40}, **BY)
        assert levels(tx, apples) == (Decimal("7.5"), Decimal("2.5"), 0)
        assert levels(tx, squash) == (3, 2, 0)
        assert levels(tx, basil) == (0, 40, 0)  # unlimited, but still counted
        (movement,) = movements_of(tx, FARM, basil.id)
        assert [movement.kind, movement.free_change, movement.reserved_change] == ["taken", 0, 40]
        assert (movement.order_id, movement.person_id) == ("order", "ada")


def test_who_wants_more_than_there_is_gets_nothing_and_is_told_what_is_left(store: Store, lots: list[StockLot]) -> None:
    apples, squash, basil = lots
    with store.write() as tx:
        take_stock(tx, {squash.id: 5}, **BY)
    with pytest.raises(SoldOut) as error, store.write() as tx:
        take_stock(tx, {apples.id: 10_001, squash.id: 1, basil.id: 1}, **BY)
    assert sorted(map(str, error.value.problems)) == [
        "Courges is sold out.",
        "Only 10 kg of Pommes are left; 10.001 kg were wanted.",
    ]
    assert {problem.values["lot_id"] for problem in error.value.problems} == {apples.id, squash.id}
    with store.read() as tx:
        assert levels(tx, apples) == (10, 0, 0)
        assert levels(tx, basil) == (0, 0, 0)


def test_the_last_grain_can_be_taken_and_no_more(store: Store, lots: list[StockLot]) -> None:
    apples = lots[0]
    with store.write() as tx:
        take_stock(tx, {apples.id: 10_000}, **BY)
        assert levels(tx, apples) == (0, 10, 0)
    with pytest.raises(SoldOut), store.write() as tx:
        take_stock(tx, {apples.id: 1}, **BY)


def test_an_unknown_lot_is_not_found(store: Store, lots: list[StockLot]) -> None:
    with pytest.raises(NotFound), store.write() as tx:
        take_stock(tx, {lots[0].id: 1, "unknown": 1}, **BY)


@pytest.mark.parametrize("count", [1, 3, 30])
def test_taking_costs_three_statements_whatever_the_number_of_lots(store: Store, hamlet: Any, count: int) -> None:
    hamlet.enterprise(FARM)
    with store.write() as tx:
        lots = [
            open_lot(tx, enterprise_id=FARM, name=f"{n}", unit="Piece", on_hand=Decimal(5), unlimited=False)
            for n in range(count)
        ]
    statements: list[str] = []
    with store.write() as tx:
        event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        take_stock(tx, {lot.id: 1 for lot in lots}, **BY)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "UPDATE", "INSERT"]


def test_what_an_order_gives_up_is_on_sale_again_unless_it_is_lost(store: Store, lots: list[StockLot]) -> None:
    apples, _, basil = lots
    with store.write() as tx:
        take_stock(tx, {apples.id: 3000, basil.id: 3}, **BY)
        release_stock(tx, {apples.id: 1000, basil.id: 1}, **BY)
        assert levels(tx, apples) == (8, 2, 0)
        assert levels(tx, basil) == (0, 2, 0)
        release_stock(tx, {apples.id: 2000}, restock=False, **BY)
        assert levels(tx, apples) == (8, 0, 0)


def test_what_is_handed_over_is_sold_and_may_come_back(store: Store, lots: list[StockLot]) -> None:
    apples, _, basil = lots
    with store.write() as tx:
        take_stock(tx, {apples.id: 3000, basil.id: 3}, **BY)
        hand_over(tx, {apples.id: 3000, basil.id: 3}, **BY)
        assert levels(tx, apples) == (7, 0, 3)
        return_sold(tx, {apples.id: 1000, basil.id: 3}, **BY)
        assert levels(tx, apples) == (8, 0, 2)
        assert levels(tx, basil) == (0, 0, 0)
        return_sold(tx, {apples.id: 500}, restock=False, **BY)
        assert levels(tx, apples) == (8, 0, Decimal("1.5"))
        kinds = [movement.kind for movement in movements_of(tx, FARM, apples.id)]
        assert sorted(kinds) == ["received", "restocked", "restocked", "sold", "taken"]


def test_a_changed_order_takes_and_releases_at_once(store: Store, lots: list[StockLot]) -> None:
    apples, squash, _ = lots
    with store.write() as tx:
        take_stock(tx, {apples.id: 3000}, **BY)
        change_reserved(tx, {apples.id: -2000, squash.id: 5}, **BY)
        assert levels(tx, apples) == (9, 1, 0)
        assert levels(tx, squash) == (0, 5, 0)
    with pytest.raises(SoldOut) as error, store.write() as tx:
        change_reserved(tx, {apples.id: -1000, squash.id: 1}, **BY)
    assert [problem.values["name"] for problem in error.value.problems] == ["Courges"]
    with store.read() as tx:
        assert levels(tx, apples) == (9, 1, 0)


def test_the_scales_decide_how_much_was_reserved(store: Store, lots: list[StockLot]) -> None:
    apples, squash, basil = lots
    with store.write() as tx:
        take_stock(tx, {apples.id: 9000, squash.id: 1, basil.id: 1}, **BY)
        weigh_stock(tx, {apples.id: -500, squash.id: 1, basil.id: 2}, **BY)
        assert levels(tx, apples) == (Decimal("1.5"), Decimal("8.5"), 0)
        assert levels(tx, squash) == (3, 2, 0)
        assert levels(tx, basil) == (0, 3, 0)
        weigh_stock(tx, {apples.id: 2000}, **BY)  # half a kilogram more than there was
        assert levels(tx, apples) == (0, Decimal("10.5"), 0)
        movements = [
            [movement.kind, movement.free_change, movement.reserved_change]
            for movement in movements_of(tx, FARM, apples.id)
        ]
        assert ["counted", Decimal("0.5"), 0] in movements
        assert ["weighed", Decimal(-2), 2] in movements


def test_an_order_cannot_give_back_what_it_does_not_hold(store: Store, lots: list[StockLot]) -> None:
    apples = lots[0]
    acts: list[Callable[[Transaction], object]] = [
        lambda tx: release_stock(tx, {apples.id: 1}, **BY),
        lambda tx: release_stock(tx, {apples.id: 1}, restock=False, **BY),
        lambda tx: hand_over(tx, {apples.id: 1}, **BY),
        lambda tx: return_sold(tx, {apples.id: 1}, **BY),
        lambda tx: weigh_stock(tx, {apples.id: -1}, **BY),
        lambda tx: change_reserved(tx, {apples.id: -1}, **BY),
    ]
    for act in acts:
        with pytest.raises(AssertionError, match="moves more than it holds"), store.write() as tx:
            act(tx)
    with store.read() as tx:
        assert levels(tx, apples) == (10, 0, 0)


def test_nothing_to_move_costs_nothing(store: Store, lots: list[StockLot]) -> None:
    with store.read() as tx:  # a write would be refused
        for act in (take_stock, change_reserved, release_stock, hand_over, return_sold, weigh_stock):
            act(tx, {}, **BY)


def test_a_lot_that_became_unlimited_or_counted_again_gives_back_rightly(store: Store, lots: list[StockLot]) -> None:
    apples = lots[0]
    with store.write() as tx:
        take_stock(tx, {apples.id: 4000}, **BY)
        change_lot(tx, FARM, apples.id, 1, unlimited=True)
        release_stock(tx, {apples.id: 1000}, **BY)
        assert levels(tx, apples) == (0, 3, 0)
        change_lot(tx, FARM, apples.id, 2, unlimited=False)
        release_stock(tx, {apples.id: 1000}, **BY)
        assert levels(tx, apples) == (1, 2, 0)


def race(act: Callable[[], None], threads: int) -> list[BaseException | None]:
    """Runs `act` in this many threads at once; returns what each raised, or None."""
    barrier, outcomes = threading.Barrier(threads), list[BaseException | None]()

    def run_one() -> None:
        barrier.wait()
        try:
            act()
            outcomes.append(None)
        except Exception as error:  # whatever it is, the test wants to see it
            outcomes.append(error)

    workers = [threading.Thread(target=run_one) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return outcomes


def test_racing_for_the_last_units_never_oversells_and_losers_learn_what_is_left(
    store: Store, lots: list[StockLot]
) -> None:
    apples, squash, _ = lots

    def act() -> None:
        store.transact(lambda tx: take_stock(tx, {squash.id: 2, apples.id: 1}, **BY))

    outcomes = race(act, 8)
    assert outcomes.count(None) == 2
    errors = [error for error in outcomes if error is not None]
    assert all(isinstance(error, SoldOut) for error in errors), errors
    assert {str(error.problems[0]) for error in errors if isinstance(error, SoldOut)} == {
        "Only 1 of Courges are left; 2 were wanted."
    }
    with store.read() as tx:
        assert levels(tx, squash) == (1, 4, 0)
        assert levels(tx, apples) == (Decimal("9.998"), Decimal("0.002"), 0)


def test_orders_of_the_same_lots_in_other_orders_never_lock_each_other_out(store: Store, lots: list[StockLot]) -> None:
    apples, squash, basil = lots
    wishes = [{apples.id: 1, squash.id: 1, basil.id: 1}, {basil.id: 1, squash.id: 1, apples.id: 1}]
    turn = iter(range(8))

    def act() -> None:
        wish = wishes[next(turn) % 2]
        for _ in range(5):
            with store.write() as tx:  # not `transact`: a deadlock would show
                take_stock(tx, wish, **BY)
            with store.write() as tx:
                change_reserved(tx, dict.fromkeys(wish, -1), **BY)

    outcomes = race(act, 4)
    assert all(outcome is None or isinstance(outcome, SoldOut) for outcome in outcomes), outcomes
    with store.read() as tx:
        assert levels(tx, squash) == (5, 0, 0)


def test_the_same_race_without_the_guard_does_oversell(store: Store) -> None:
    """Reads, computes and writes without a CHECK. If this does not oversell, the races above prove nothing."""
    table = Table("canary", MetaData(), Column("id", Text, primary_key=True), Column("free", Whole), sqlite_strict=True)
    table.create(store.engine)
    with store.write() as tx:
        tx.execute(insert(table).values(id="lot", free=5))
    all_have_read, taken = threading.Barrier(8), list[int]()

    def act() -> None:
        with store.read() as tx:
            free = tx.value(select(table.c.free))
        all_have_read.wait()
        if free >= 2:
            with store.write() as tx:
                tx.execute(update(table).values(free=free - 2))
            taken.append(2)

    outcomes = race(act, 8)
    assert outcomes == [None] * 8
    assert sum(taken) > 5
    table.drop(store.engine)
