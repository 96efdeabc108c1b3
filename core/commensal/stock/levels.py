"""The only code that changes levels: one UPDATE for any number of lots, and the journal entries for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from sqlalchemy import Text, Update, bindparam, delete, exists, select, update

from ..base.errors import NotFound
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
