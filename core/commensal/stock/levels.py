"""The only code that changes levels: one UPDATE for any number of lots, and the journal entries for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from sqlalchemy import Text, Update, bindparam, delete, exists, select, update

from ..base.errors import NotFound, Problem
from ..base.units.measures import MEASURES, Measure, convert
from ..events.announce import announce
from ..hooks import specifications
from ..storage.database import Transaction, Whole, as_json, insert_rows, parameter_rows
from ..storage.database.change_capture import MAX_DETAILED_ROWS
from .tables import StockLotRow, low_stock_notice, stock_lot, stock_movement

_NOTICES = delete(low_stock_notice).where(low_stock_notice.c.lot_id.in_(bindparam("lots", expanding=True)))
_REFILLED = exists().where(stock_lot.c.id == low_stock_notice.c.lot_id, stock_lot.c.free > stock_lot.c.low_level)
TRAVELLING = ("lent", "leased")  # kinds of movements, see `../parts/copies/lending.py`


class LevelChange(NamedTuple):
    """The grains by which a lot's levels change."""

    free: int = 0
    reserved: int = 0
    sold: int = 0
    lent: int = 0


# SQLite ignores the lock and needs none: it has one writer.
_LOTS = (
    select(stock_lot)
    .where(stock_lot.c.id.in_(bindparam("lots", expanding=True)))
    .order_by(stock_lot.c.id)
    .with_for_update(key_share=True)
)


def lock_lots(tx: Transaction, lot_ids: Iterable[str], enterprise_id: str | None = None) -> list[StockLotRow]:
    """Locks these lots until the transaction ends and returns their rows. Raises `NotFound` if one is missing.

    PostgreSQL locks them in the order of their ids, so that two orders of the same lots never deadlock. The lock is the
    weaker one, which lets other transactions refer to the lot.
    """
    distinct_ids = set(lot_ids)
    statement = _LOTS if enterprise_id is None else _LOTS.where(stock_lot.c.enterprise_id == enterprise_id)
    rows = tx.rows(StockLotRow, statement, {"lots": sorted(distinct_ids)})
    if len(rows) != len(distinct_ids):
        raise NotFound("no_lot", "There is no such stock.")
    return rows


def change_levels(tx: Transaction, changes: Mapping[str, LevelChange]) -> bool:
    """Changes the levels of all lots with one statement. Returns False if a level would fall below zero.

    Then the transaction must end without a commit: the other lots have been changed.
    """
    if not any(any(change) for change in changes.values()):
        return True
    return tx.change(_levels_update(tx.postgresql, guarded=True), _parameters(changes)) == len(changes)


def change_locked_levels(tx: Transaction, lots: Iterable[StockLotRow], changes: Mapping[str, LevelChange]) -> bool:
    """Changes the levels of lots that this transaction has locked and read, without waiting for the database.

    Returns False if a level would fall below zero; then nothing has been changed.
    """
    levels = {lot.id: LevelChange(lot.free, lot.reserved, lot.sold, lot.lent) for lot in lots}
    if any(
        level + step < 0
        for lot_id, change in changes.items()
        for level, step in zip(levels[lot_id], change, strict=True)
    ):
        return False
    if any(any(change) for change in changes.values()):
        tx.later(_levels_update(tx.postgresql, guarded=False), _parameters(changes))
    return True


def _parameters(changes: Mapping[str, LevelChange]) -> dict[str, str]:
    return {"changes": as_json([{"lot_id": lot_id, **change._asdict()} for lot_id, change in sorted(changes.items())])}


@cache
def _levels_update(on_postgresql: bool, *, guarded: bool) -> Update:
    """An UPDATE that leaves out lots whose level would fall below zero; not `guarded`, it fails by their constraint."""
    lot = stock_lot.c
    change = parameter_rows(on_postgresql, "changes", {"lot_id": Text(), **dict.fromkeys(LevelChange._fields, Whole)}).c
    new_levels = {name: lot[name] + change[name] for name in LevelChange._fields}
    guards = [level >= 0 for level in new_levels.values()] if guarded else []
    return update(stock_lot).where(lot.id == change.lot_id, *guards).values(new_levels)


def write_movements(
    tx: Transaction,
    kind: str,
    changes: Mapping[str, LevelChange],
    *,
    order_id: str | None = None,
    person_id: str | None = None,
    note: str = "",
) -> None:
    """Writes one entry of the journal for each lot, all with one statement.

    Changes that people make are announced to plugins; those by orders and those between instances are not. A lot that
    people have refilled is told again when it runs low.
    """
    rows = [
        {
            "id": tx.new_id(),
            "lot_id": lot_id,
            "at": tx.now,
            "kind": kind,
            "free_change": change.free,
            "reserved_change": change.reserved,
            "sold_change": change.sold,
            "lent_change": change.lent,
            "order_id": order_id,
            "person_id": person_id,
            "note": note,
        }
        for lot_id, change in changes.items()
    ]
    insert_rows(tx, stock_movement, rows)
    if order_id is None and kind not in TRAVELLING and changes:
        announce(tx, specifications.stock_changed, stock_lot, stock_lot.c.id.in_(sorted(changes)))
        tx.change(_NOTICES.where(_REFILLED), {"lots": sorted(changes)})
        _trace(tx, kind, changes)


def forget_notices(tx: Transaction, lot_ids: Iterable[str]) -> None:
    """Forgets that owners were told of these lots that they are low, so that they are told anew."""
    if lots := sorted(lot_ids):
        tx.change(_NOTICES, {"lots": lots})


def _trace(tx: Transaction, kind: str, changes: Mapping[str, LevelChange]) -> None:
    """Audits changes that people make by hand; one entry for each lot, or one for a whole list."""
    if len(changes) > MAX_DETAILED_ROWS:
        tx.trace(kind, "stock_lot", lots=len(changes))
        return
    for lot_id, change in changes.items():
        tx.trace(kind, "stock_lot", lot_id, **{name: grains for name, grains in change._asdict().items() if grains})


# Grains: stock is counted in integer parts of a lot's unit, so that rounding never creates or loses goods.

LARGEST = 10**12  # grains of one lot: a million tonnes in grams
FINEST = 10**6  # grains in one unit; a lot's `per_unit` divides it, so that every level is a short decimal

_MOST_DECIMALS = 18
_USUAL = {"mass": ("Kilogram", 1000), "volume": ("Litre", 1000), "length": ("Metre", 100), "count": ("Piece", 1)}


def usual_unit(measure: Measure) -> tuple[str, int]:
    """Returns the unit in which goods of this measure are stocked, and the grains in it: kilograms in grams, litres in
    millilitres, pieces in pieces, crates in crates."""
    return _USUAL.get(measure.dimension, (measure.term, 1))


def fitting_unit(quantity: Decimal, measure: Measure) -> tuple[str, int]:
    """Returns `usual_unit`, or a finer one, or the measure itself, if the usual grain does not divide the quantity.

    Half a gram of saffron is stocked in milligrams, a pound of cheese in two-thousandths of a pound.
    """
    unit, per_unit = usual_unit(measure)
    choices = ((unit, per_unit), (unit, FINEST), (measure.term, 2000))  # 2000: sixteenths and thousandths
    fitting = (choice for choice in choices if isinstance(grains_of(quantity, measure, *choice), int))
    return next(fitting, (unit, per_unit))


def grains_of(quantity: Decimal, measure: Measure, unit: str, per_unit: int, where: str = "") -> int | Problem:
    """Returns the grains that this quantity takes from a lot counted in `unit`; a `Problem` if they are no integer."""
    lot = MEASURES[unit]
    if not measure.comparable(lot):
        text = "{measure} cannot be taken from a stock that is counted in {unit}."
        return Problem("other_unit", text, where, {"measure": measure.en, "unit": lot.en})
    if not 0 < quantity <= LARGEST or not has_few_decimals(quantity):
        return Problem("quantity", "A quantity must be between 0 and {most}.", where, {"most": LARGEST})
    grains = convert(quantity, measure, lot) * per_unit
    if grains.denominator != 1:
        text = "{quantity} cannot be counted: the smallest amount of this stock is {grain}."
        values = {"quantity": f"{quantity:f} {measure.symbol}".rstrip(), "grain": as_text(1, unit, per_unit)}
        return Problem("too_fine", text, where, values)
    return int(grains)


def has_few_decimals(quantity: Decimal) -> bool:
    """Tells whether exact arithmetic with it is cheap: ``1E-1000000`` is short, but as a fraction takes a megabyte."""
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DECIMALS


def to_grains(quantity: Decimal, unit: str, per_unit: int, where: str = "") -> int | Problem:
    """Returns the grains of a quantity in the lot's unit, or a `Problem` that names the smallest amount."""
    if not quantity.is_finite() or not 0 <= quantity <= LARGEST // per_unit:
        return Problem("quantity", "A quantity must be between 0 and {most}.", where, {"most": LARGEST // per_unit})
    grains = Fraction(quantity) * per_unit if has_few_decimals(quantity) else Fraction(1, 2)
    if grains.denominator != 1:
        text = "{quantity} cannot be counted: the smallest amount of this stock is {grain}."
        return Problem("too_fine", text, where, {"quantity": str(quantity)[:40], "grain": as_text(1, unit, per_unit)})
    return int(grains)


def in_units(grains: int, per_unit: int) -> Decimal:
    """Returns grains as a quantity in the lot's unit."""
    return Decimal(grains) / Decimal(per_unit)


def as_text(grains: int, unit: str, per_unit: int) -> str:
    """Returns grains as text for people in any language: ``2.5 kg``, or ``3`` if the unit has no symbol."""
    return f"{in_units(grains, per_unit):f} {MEASURES[unit].symbol}".rstrip()
