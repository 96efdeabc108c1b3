"""Receives and counts stock, and reads a lot's append-only journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, func, select

from ..base.errors import Conflict, Invalid, Problem
from ..base.ids import least_id
from ..base.texts import read_text
from ..storage.database import Transaction
from .levels import LARGEST, LevelChange, as_text, change_levels, in_units, lock_lots, to_grains, write_movements
from .lots import StockLot, lent_error, lot_by_id
from .tables import StockLotRow, StockMovementRow, stock_movement

_row = stock_movement.c
_TAKEN = select(func.coalesce(func.sum(_row.reserved_change), 0)).where(
    _row.lot_id == bindparam("lot"), _row.id >= bindparam("since"), _row.kind.in_(("taken", "released"))
)


@dataclass(frozen=True, kw_only=True)
class StockMovement:
    """A line of a lot's journal. Changes are in the lot's unit; kinds are those of `stock.tables.MOVEMENTS`."""

    id: str
    lot_id: str
    at: datetime
    kind: str
    free_change: Decimal
    reserved_change: Decimal
    sold_change: Decimal
    lent_change: Decimal
    order_id: str | None
    person_id: str | None
    note: str


def receive_stock(
    tx: Transaction, enterprise_id: str, lot_id: str, quantity: Decimal, *, note: str = "", person_id: str | None = None
) -> StockLot:
    """Adds received goods: `quantity`, in the lot's unit, goes on sale. Raises `Invalid`, `NotFound`, `Conflict`."""
    lot, grains, note = _read_lot_and_grains(tx, enterprise_id, lot_id, quantity, "/quantity", note)
    if lot.free + grains > LARGEST:
        raise Invalid([Problem("quantity", "That is more than a lot can hold.", "/quantity")])
    _change_free(tx, "received", lot, grains, note, person_id)
    return lot_by_id(tx, enterprise_id, lot_id)


def count_stock(
    tx: Transaction, enterprise_id: str, lot_id: str, on_hand: Decimal, *, note: str = "", person_id: str | None = None
) -> StockLot:
    """Records a stock count: `on_hand`, in the lot's unit, includes what is reserved and lent.

    Raises `Conflict` if it is less than what is reserved and lent, which must be changed first. Raises `Invalid`,
    `NotFound`.
    """
    lot, grains, note = _read_lot_and_grains(tx, enterprise_id, lot_id, on_hand, "/on_hand", note)
    if grains < lot.reserved:
        text = "{reserved} of {name} are ordered, so there cannot be less. Change or cancel orders first."
        reserved = as_text(lot.reserved, lot.unit, lot.per_unit)
        raise Conflict("below_reserved", text, reserved=reserved, name=lot.name)
    if grains < lot.reserved + lot.lent:
        raise lent_error(lot)
    _change_free(tx, "counted", lot, grains - lot.reserved - lot.lent - lot.free, note, person_id)
    return lot_by_id(tx, enterprise_id, lot_id)


def movements_of(
    tx: Transaction, enterprise_id: str, lot_id: str, *, after: str = "", limit: int = 50
) -> list[StockMovement]:
    """Returns a lot's journal, newest first. `after` is the last id of the page before. Raises `NotFound`."""
    lot = lot_by_id(tx, enterprise_id, lot_id)
    statement = select(stock_movement).where(stock_movement.c.lot_id == lot_id).order_by(stock_movement.c.id.desc())
    if after:
        statement = statement.where(stock_movement.c.id < after)
    return [_movement(row, lot.per_unit) for row in tx.rows(StockMovementRow, statement.limit(limit))]


def taken_since(tx: Transaction, lot_id: str, moment: datetime) -> int:
    """Returns the grains that orders have taken since `moment`, less what they gave back. Reads no older movements."""
    return int(tx.value(_TAKEN, {"lot": lot_id, "since": least_id(moment)}))


def _read_lot_and_grains(
    tx: Transaction, enterprise_id: str, lot_id: str, quantity: Decimal, where: str, note: str
) -> tuple[StockLotRow, int, str]:
    (lot,) = lock_lots(tx, [lot_id], enterprise_id)
    if lot.unlimited:
        raise Conflict("unlimited", "{name} is unlimited, so there is nothing to count.", name=lot.name)
    problems: list[Problem] = []
    note = read_text(note, "/note", problems, most=500, lines=True)
    grains = to_grains(quantity, lot.unit, lot.per_unit, where)
    if isinstance(grains, Problem):
        raise Invalid([grains, *problems])
    if problems:
        raise Invalid(problems)
    return lot, grains, note


def _change_free(tx: Transaction, kind: str, lot: StockLotRow, grains: int, note: str, person_id: str | None) -> None:
    changes = {lot.id: LevelChange(free=grains)}
    if not change_levels(tx, changes):
        raise AssertionError(f"the lot {lot.id} has changed under its lock")
    write_movements(tx, kind, changes, person_id=person_id, note=note)


def _movement(row: StockMovementRow, per_unit: int) -> StockMovement:
    return StockMovement(
        id=row.id,
        lot_id=row.lot_id,
        at=row.at,
        kind=row.kind,
        free_change=in_units(row.free_change, per_unit),
        reserved_change=in_units(row.reserved_change, per_unit),
        sold_change=in_units(row.sold_change, per_unit),
        lent_change=in_units(row.lent_change, per_unit),
        order_id=row.order_id,
        person_id=row.person_id,
        note=row.note,
    )
