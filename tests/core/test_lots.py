"""Stock lots: counted in whole grains, explained by a journal that only grows."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound, Problem, Stale
from commensal.parts.checks.invariants import check_levels
from commensal.stock.levels import FINEST, as_text, in_units, to_grains
from commensal.stock.lots import StockLot, change_lot, lot_by_id, lots_of, open_lot
from commensal.stock.movements import count_stock, movements_of, receive_stock
from commensal.stock.tables import stock_lot
from commensal.stock.take import take_stock
from commensal.storage.database import Store

DIVISORS = [number for number in range(1, FINEST + 1) if FINEST % number == 0]


@pytest.fixture
def farm(hamlet: Any) -> str:
    name: str = hamlet.enterprise("a-farm")
    return name


def open_new_lot(store: Store, farm: str, **kwargs: Any) -> StockLot:
    with store.write() as tx:
        return open_lot(tx, enterprise_id=farm, **{"name": "Pommes", "unit": "Kilogram", **kwargs})


def mistakes(error: Conflict | Invalid) -> list[tuple[str, str]]:
    return [(problem.where, problem.code) for problem in error.problems]


@given(grains=st.integers(0, 10**9), per_unit=st.sampled_from(DIVISORS))
def test_grains_become_units_and_the_same_grains_again(grains: int, per_unit: int) -> None:
    quantity = in_units(grains, per_unit)
    assert Fraction(quantity) == Fraction(grains, per_unit)
    assert to_grains(quantity, "Kilogram", per_unit) == grains


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0.0005", "too_fine"),
        ("1E-999999", "too_fine"),
        ("-1", "quantity"),
        ("NaN", "quantity"),
        ("1E+999999", "quantity"),
        ("Infinity", "quantity"),
    ],
)
def test_what_is_no_whole_number_of_grains_is_refused(quantity: str, code: str) -> None:
    problem = to_grains(Decimal(quantity), "Kilogram", 1000, "/on_hand")
    assert isinstance(problem, Problem)
    assert (problem.code, problem.where) == (code, "/on_hand")
    assert "0.001 kg" in str(problem) or code == "quantity"


def test_stock_reads_well_in_any_language() -> None:
    assert as_text(2500, "Kilogram", 1000) == "2.5 kg"
    assert as_text(100_000, "Kilogram", 1000) == "100 kg"
    assert as_text(3, "Bunch", 1) == "3"


def test_a_lot_is_counted_as_is_usual_for_its_unit(store: Store, farm: str) -> None:
    units = {"Kilogram": 1000, "Litre": 1000, "Metre": 100, "Piece": 1, "Bunch": 1, "Dozen": 1, "Gram": 1}
    for unit, per_unit in units.items():
        assert open_new_lot(store, farm, unit=unit).per_unit == per_unit


def test_an_opened_lot_has_what_it_was_given_and_a_journal_that_says_so(store: Store, farm: str) -> None:
    lot = open_new_lot(store, farm, on_hand=Decimal("12.5"))
    assert lot.on_hand == lot.free == Decimal("12.5")
    assert lot.reserved == lot.sold == 0
    with store.read() as tx:
        assert lot_by_id(tx, farm, lot.id) == lot
        assert [(movement.kind, movement.free_change) for movement in movements_of(tx, farm, lot.id)] == [
            ("received", Decimal("12.5"))
        ]


def test_every_mistake_in_a_new_lot_is_named(store: Store, farm: str) -> None:
    with pytest.raises(Invalid) as error:
        open_new_lot(store, farm, name="  ", unit="Percent", per_unit=3)
    assert mistakes(error.value) == [("/name", "required"), ("/unit", "unit"), ("/per_unit", "per_unit")]
    cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"on_hand": Decimal("1.0001")}, ("/on_hand", "too_fine")),
        ({"unlimited": True, "on_hand": Decimal(1)}, ("/on_hand", "unlimited")),
        ({"unit": "Bushel"}, ("/unit", "unit")),
        ({"per_unit": 0}, ("/per_unit", "per_unit")),
    ]
    for values, mistake in cases:
        with pytest.raises(Invalid) as error:
            open_new_lot(store, farm, **values)
        assert mistake in mistakes(error.value)


def test_what_comes_in_is_added_and_what_is_counted_is_set(store: Store, farm: str, clock: ManualClock) -> None:
    lot = open_new_lot(store, farm, on_hand=Decimal(10))
    with store.write() as tx:
        take_stock(tx, {lot.id: 4000}, order_id="o")
    clock.advance(hours=1)
    with store.write() as tx:
        assert receive_stock(tx, farm, lot.id, Decimal("2.5"), note="du champ").on_hand == Decimal("12.5")
    clock.advance(hours=1)
    with store.write() as tx:
        stock = count_stock(tx, farm, lot.id, Decimal(11), person_id="ada")
    assert [stock.on_hand, stock.free, stock.reserved] == [11, 7, 4]
    with store.read() as tx:
        journal = movements_of(tx, farm, lot.id)
        assert [(movement.kind, movement.free_change, movement.note, movement.person_id) for movement in journal] == [
            ("counted", Decimal("-1.5"), "", "ada"),
            ("received", Decimal("2.5"), "du champ", None),
            ("taken", Decimal(-4), "", None),
            ("received", Decimal(10), "", None),
        ]
        first = movements_of(tx, farm, lot.id, limit=1)
        assert movements_of(tx, farm, lot.id, after=first[0].id) == journal[1:]
        assert check_levels(tx) == []


def test_a_count_below_what_is_reserved_is_refused(store: Store, farm: str) -> None:
    lot = open_new_lot(store, farm, on_hand=Decimal(10))
    with store.write() as tx:
        take_stock(tx, {lot.id: 4000}, order_id="o")
    with pytest.raises(Conflict, match="4 kg of Pommes are ordered"), store.write() as tx:
        count_stock(tx, farm, lot.id, Decimal("3.999"))
    with store.write() as tx:
        assert count_stock(tx, farm, lot.id, Decimal(4)).free == 0


def test_what_becomes_unlimited_has_no_free_level_and_sells_nothing_until_counted_again(
    store: Store, farm: str
) -> None:
    lot = open_new_lot(store, farm, on_hand=Decimal(10))
    with store.write() as tx:
        unlimited_lot = change_lot(tx, farm, lot.id, 1, unlimited=True)
        assert [unlimited_lot.unlimited, unlimited_lot.free, unlimited_lot.version] == [True, 0, 2]
        for act in (receive_stock, count_stock):
            with pytest.raises(Conflict, match="nothing to count"):
                act(tx, farm, lot.id, Decimal(5))
        counted_lot = change_lot(tx, farm, lot.id, 2, unlimited=False)
        assert [counted_lot.unlimited, counted_lot.free] == [False, 0]
        assert count_stock(tx, farm, lot.id, Decimal(3)).free == 3
        assert check_levels(tx) == []


def test_an_edit_of_an_older_version_or_of_somebody_elses_lot_is_refused(store: Store, farm: str, hamlet: Any) -> None:
    lot = open_new_lot(store, farm)
    with store.write() as tx:
        assert change_lot(tx, farm, lot.id, 1, name=" Poires ").name == "Poires"
        with pytest.raises(Stale):
            change_lot(tx, farm, lot.id, 1, name="Pêches")
        with pytest.raises(Invalid):
            change_lot(tx, farm, lot.id, 2, name="")
        for act in (receive_stock, count_stock):
            with pytest.raises(NotFound):
                act(tx, "hub", lot.id, Decimal(5))
        for read in (lot_by_id, movements_of):
            with pytest.raises(NotFound):
                read(tx, "hub", lot.id)
        with pytest.raises(NotFound):
            change_lot(tx, "hub", lot.id, 2, name="Mine")


def test_lots_come_in_pages(store: Store, farm: str) -> None:
    ids = sorted(open_new_lot(store, farm, name=f"Lot {number}").id for number in range(5))
    with store.read() as tx:
        first = lots_of(tx, farm, limit=3)
        assert [lot.id for lot in (*first, *lots_of(tx, farm, after=first[-1].id, limit=3))] == ids


def test_a_level_that_its_journal_does_not_explain_is_found(store: Store, farm: str) -> None:
    lot = open_new_lot(store, farm, on_hand=Decimal(10))
    with store.write() as tx:
        tx.execute(update(stock_lot).where(stock_lot.c.id == lot.id).values(free=9_000, sold=1_000))
    with store.read() as tx:
        (difference,) = check_levels(tx)
    assert (difference.lot_id, difference.level, difference.journal) == (
        lot.id,
        (9_000, 0, 1_000, 0),
        (10_000, 0, 0, 0),
    )
