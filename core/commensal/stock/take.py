"""Changes of stock by orders: take, give back, hand over, take back, weigh.

Each function runs a constant number of statements, whatever the number of lots, and takes grains by lot id: callers add
up the lines of one lot first. An unlimited lot has no free level, but its reservations are counted too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..base.errors import Problem, SoldOut
from ..storage.database import Transaction
from .levels import LevelChange, as_text, change_locked_levels, lock_lots, write_movements
from .tables import StockLotRow

Grains = Mapping[str, int]  # by lot id


def take_stock(tx: Transaction, grains: Grains, *, order_id: str, person_id: str | None = None) -> Sequence[str]:
    """Reserves grains of all lots, or nothing, in three statements. Quantities are positive.

    Returns the ids of the lots whose last grain it takes.

    Raises `SoldOut` with one `Problem` for each lot that has too little, with what is left; `NotFound` for an unknown
    lot. Then the transaction must end without a commit.
    """
    return change_reserved(tx, grains, order_id=order_id, person_id=person_id)


def change_reserved(
    tx: Transaction, differences: Grains, *, order_id: str, person_id: str | None = None
) -> Sequence[str]:
    """Reserves more of some lots and less of others in one step, without deadlocks, for an order that changes.

    Returns the ids of the lots whose last grain it takes, unless more can be lent from elsewhere. Raises what
    `take_stock` raises.
    """
    if not differences:
        return ()
    lots = lock_lots(tx, differences)
    changes = {lot.id: LevelChange(free=-_free_part(lot, differences), reserved=differences[lot.id]) for lot in lots}
    ended = [lot for lot in lots if differences[lot.id] > 0 and _has_ended(tx, lot)]
    if ended or not change_locked_levels(tx, lots, changes):
        short_lots = ended or [lot for lot in lots if lot.free < _free_part(lot, differences)]
        raise _sold_out(tx, short_lots, differences) if short_lots else _overdrawn(differences, order_id)
    released = {lot_id: change for lot_id, change in changes.items() if change.reserved < 0}
    taken = {lot_id: change for lot_id, change in changes.items() if change.reserved > 0}
    write_movements(tx, "released", released, order_id=order_id, person_id=person_id)
    write_movements(tx, "taken", taken, order_id=order_id, person_id=person_id)
    return [lot.id for lot in lots if lot.free == -changes[lot.id].free > 0 and not lot.beyond]


def hand_on_reserved(
    tx: Transaction, grains: Grains, *, order_id: str, to_order_id: str, person_id: str | None = None
) -> None:
    """Moves what one order has reserved to another one. No level changes, so nobody else can take it in between."""
    if not grains:
        return
    lock_lots(tx, grains)
    released = {lot_id: LevelChange(reserved=-quantity) for lot_id, quantity in grains.items()}
    taken = {lot_id: LevelChange(reserved=quantity) for lot_id, quantity in grains.items()}
    write_movements(tx, "released", released, order_id=order_id, person_id=person_id)
    write_movements(tx, "taken", taken, order_id=to_order_id, person_id=person_id)


def release_stock(
    tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None, restock: bool = True
) -> None:
    """Releases what an order had reserved. Without `restock` the goods are lost and do not go on sale again."""
    _move(tx, "released", amounts, order_id, person_id, reserved=-1, free=int(restock))


def hand_over(tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """Turns reserved goods into sold ones: the customer has them."""
    _move(tx, "sold", amounts, order_id, person_id, reserved=-1, sold=1)


def undo_hand_over(tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """Turns sold goods into reserved ones again, by the opposite movement: they were not handed over after all."""
    _move(tx, "sold", amounts, order_id, person_id, reserved=1, sold=-1)


def return_sold(
    tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None, restock: bool = True
) -> None:
    """Takes back what was handed over. Without `restock` the goods are lost and do not go on sale again."""
    _move(tx, "restocked", amounts, order_id, person_id, sold=-1, free=int(restock))


def weigh_stock(tx: Transaction, differences: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """Changes a reservation by the difference between its weight and what was reserved; positive: it is heavier.

    The weight is right: if it takes more than was free, the rest is recorded as counted stock, and no other reservation
    shrinks. What a lighter reservation does not need goes back on sale.
    """
    if not differences:
        return
    lots = lock_lots(tx, differences)
    weighed = {lot.id: LevelChange(free=-_free_part(lot, differences), reserved=differences[lot.id]) for lot in lots}
    missing = {lot.id: _free_part(lot, differences) - lot.free for lot in lots}
    surplus = {lot_id: LevelChange(free=grains) for lot_id, grains in missing.items() if grains > 0}
    changes = {
        lot_id: change._replace(free=change.free + surplus.get(lot_id, LevelChange()).free)
        for lot_id, change in weighed.items()
    }
    if not change_locked_levels(tx, lots, changes):
        raise _overdrawn(differences, order_id)
    if surplus:
        write_movements(tx, "counted", surplus, order_id=order_id, person_id=person_id)
    write_movements(tx, "weighed", weighed, order_id=order_id, person_id=person_id)


def _move(
    tx: Transaction,
    kind: str,
    amounts: Grains,
    order_id: str,
    person_id: str | None,
    *,
    free: int = 0,
    reserved: int = 0,
    sold: int = 0,
) -> None:
    """Moves all amounts between levels; each factor is 1, 0 or -1."""
    if not amounts:
        return
    lots = lock_lots(tx, amounts)
    changes = {
        lot.id: LevelChange(free * _free_part(lot, amounts), reserved * amounts[lot.id], sold * amounts[lot.id])
        for lot in lots
    }
    if not change_locked_levels(tx, lots, changes):
        raise _overdrawn(amounts, order_id)
    write_movements(tx, kind, changes, order_id=order_id, person_id=person_id)


def _free_part(lot: StockLotRow, amounts: Grains) -> int:
    """Returns the part of the amount that changes the free level: none if the lot is unlimited."""
    return 0 if lot.unlimited else amounts[lot.id]


def _has_ended(tx: Transaction, lot: StockLotRow) -> bool:
    """Tells whether the time until which the lot may be sold here has passed."""
    return lot.free_until is not None and lot.free_until <= tx.now


def _sold_out(tx: Transaction, lots: Sequence[StockLotRow], grains: Grains) -> SoldOut:
    missing = {lot.id: grains[lot.id] - (0 if _has_ended(tx, lot) else lot.free) for lot in lots}
    return SoldOut([_shortage(lot, grains, _has_ended(tx, lot)) for lot in lots], missing)


def _shortage(lot: StockLotRow, grains: Grains, is_over: bool) -> Problem:
    unit, per_unit = lot.unit, lot.per_unit
    values = {
        "lot_id": lot.id,
        "name": lot.name,
        "left": as_text(lot.free, unit, per_unit),
        "wanted": as_text(grains[lot.id], unit, per_unit),
    }
    if is_over:
        return Problem("sold_out", "{name} cannot be ordered at the moment.", values={**values, "left": "0"})
    if lot.free == 0:
        return Problem("sold_out", "{name} is sold out.", values=values)
    return Problem("sold_out", "Only {left} of {name} are left; {wanted} were wanted.", values=values)


def _overdrawn(amounts: Grains, order_id: str) -> AssertionError:
    return AssertionError(f"order {order_id} moves more than it holds of the lots {', '.join(sorted(amounts))}")
