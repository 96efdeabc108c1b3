"""What orders do to stock: take, give back, hand over, take back, weigh.

Each costs a constant number of statements, whatever the number of lots, and takes grains by lot id: callers add up the
lines of one lot first. What is unlimited has no free level to take from; what is ordered of it is counted all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...base.errors import Problem, SoldOut
from ...storage.database import Row, Transaction
from .grains import as_text
from .moving import Change, change_levels, lock_lots, write_movements

Grains = Mapping[str, int]  # by lot id


def take_stock(tx: Transaction, wanted: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """Reserves what is wanted of every lot, or nothing: three statements. Quantities are positive.

    Raises `SoldOut` with one `Problem` for each lot that is short, saying what is left; `NotFound` for an unknown lot.
    Then the transaction must end without a commit.
    """
    change_taken(tx, wanted, order_id=order_id, person_id=person_id)


def change_taken(tx: Transaction, differences: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """Reserves more of some lots and less of others: what an order that changes needs, at once and without deadlocks.

    Raises what `take_stock` raises.
    """
    if not differences:
        return
    lots = lock_lots(tx, differences)
    changes = {lot["id"]: Change(free=-_counted(lot, differences), reserved=differences[lot["id"]]) for lot in lots}
    over = [lot for lot in lots if differences[lot["id"]] > 0 and _is_over(tx, lot)]
    if over or not change_levels(tx, changes):
        short = over or [lot for lot in lots if lot["free"] < _counted(lot, differences)]
        raise _sold_out(tx, short, differences) if short else _unreserved(differences, order_id)
    less = {lot_id: change for lot_id, change in changes.items() if change.reserved < 0}
    more = {lot_id: change for lot_id, change in changes.items() if change.reserved > 0}
    write_movements(tx, "released", less, order_id=order_id, person_id=person_id)
    write_movements(tx, "taken", more, order_id=order_id, person_id=person_id)


def release_stock(
    tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None, restock: bool = True
) -> None:
    """Gives back what an order had reserved. Without `restock` the goods are lost, and do not go on sale again."""
    _move(tx, "released", amounts, order_id, person_id, reserved=-1, free=int(restock))


def hand_over(tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """What was reserved has reached the customer."""
    _move(tx, "sold", amounts, order_id, person_id, reserved=-1, sold=1)


def return_sold(
    tx: Transaction, amounts: Grains, *, order_id: str, person_id: str | None = None, restock: bool = True
) -> None:
    """Takes back what was handed over. Without `restock` the goods are lost, and do not go on sale again."""
    _move(tx, "restocked", amounts, order_id, person_id, sold=-1, free=int(restock))


def weigh_stock(tx: Transaction, differences: Grains, *, order_id: str, person_id: str | None = None) -> None:
    """What a reservation weighs more (positive) or less (negative) than was reserved.

    The scales are right: where more is weighed than was free, the rest is noted as found, and nobody else's reservation
    shrinks. What is lighter goes back on sale.
    """
    if not differences:
        return
    lots = lock_lots(tx, differences)
    weighed = {lot["id"]: Change(free=-_counted(lot, differences), reserved=differences[lot["id"]]) for lot in lots}
    missing = {lot["id"]: _counted(lot, differences) - lot["free"] for lot in lots}
    found = {lot_id: Change(free=grains) for lot_id, grains in missing.items() if grains > 0}
    both = {lot_id: one._replace(free=one.free + found.get(lot_id, Change()).free) for lot_id, one in weighed.items()}
    if not change_levels(tx, both):
        raise _unreserved(differences, order_id)
    if found:
        write_movements(tx, "counted", found, order_id=order_id, person_id=person_id)
    write_movements(tx, "weighed", weighed, order_id=order_id, person_id=person_id)


def _move(
    tx: Transaction, kind: str, amounts: Grains, order_id: str, person_id: str | None,
    *, free: int = 0, reserved: int = 0, sold: int = 0,
) -> None:  # fmt: skip
    """Moves all amounts between levels; each factor is 1, 0 or -1."""
    if not amounts:
        return
    changes = {
        lot["id"]: Change(free * _counted(lot, amounts), reserved * amounts[lot["id"]], sold * amounts[lot["id"]])
        for lot in lock_lots(tx, amounts)
    }
    if not change_levels(tx, changes):
        raise _unreserved(amounts, order_id)
    write_movements(tx, kind, changes, order_id=order_id, person_id=person_id)


def _counted(lot: Row, amounts: Grains) -> int:
    """What an amount means for the free level."""
    return 0 if lot["unlimited"] else amounts[lot["id"]]


def _is_over(tx: Transaction, lot: Row) -> bool:
    """The time in which it could be sold here has passed."""
    return lot["free_until"] is not None and bool(lot["free_until"] <= tx.now)


def _sold_out(tx: Transaction, lots: Sequence[Row], wanted: Grains) -> SoldOut:
    missing = {lot["id"]: wanted[lot["id"]] - (0 if _is_over(tx, lot) else lot["free"]) for lot in lots}
    return SoldOut([_short(lot, wanted, _is_over(tx, lot)) for lot in lots], missing)


def _short(lot: Row, wanted: Grains, over: bool) -> Problem:
    unit, per_unit = lot["unit"], lot["per_unit"]
    values = {
        "lot_id": lot["id"],
        "name": lot["name"],
        "left": as_text(lot["free"], unit, per_unit),
        "wanted": as_text(wanted[lot["id"]], unit, per_unit),
    }
    if over:
        return Problem("sold_out", "{name} cannot be ordered at the moment.", values={**values, "left": "0"})
    if lot["free"] == 0:
        return Problem("sold_out", "{name} is sold out.", values=values)
    return Problem("sold_out", "Only {left} of {name} are left; {wanted} were wanted.", values=values)


def _unreserved(amounts: Grains, order_id: str) -> AssertionError:
    return AssertionError(f"order {order_id} moves more than it holds of the lots {', '.join(sorted(amounts))}")
