"""Units of a lot that move between instances: lent by the one that has the goods, leased by the one that sells them.

At the instance that has the goods, they are `lent`: still in stock, but only the borrower may sell them. At the
instance that sells them, they are free like any other stock. The core knows only the levels; the callers of these
functions record who lends what to whom, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, update

from ...stock.levels import LevelChange, change_levels, lock_lots, write_movements
from ...stock.tables import stock_lot
from ...storage.database import Time, Transaction

_TELL = update(stock_lot).where(stock_lot.c.id == bindparam("lot"))


def lend_stock(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Lends grains to another instance. Returns False, and changes nothing, if less is free."""
    return _change(tx, "lent", lot_id, LevelChange(free=-grains, lent=grains), note)


def settle_lent(
    tx: Transaction, lot_id: str, *, back: int = 0, sold: int = 0, lent: int | None = None, note: str = ""
) -> bool:
    """Settles lent grains that came `back` or were `sold`; negative: sold goods were returned to the borrower.

    `lent` is the change of the lent level, if weighing or a loss makes it differ from the sum of the two. Returns
    False, and changes nothing, if a level would fall below zero.
    """
    return _change(
        tx, "lent", lot_id, LevelChange(free=back, sold=sold, lent=-(back + sold) if lent is None else lent), note
    )


def lease_in(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Adds leased grains, which may be sold here; negative: returns them. Returns False if less is free."""
    return _change(tx, "leased", lot_id, LevelChange(free=grains), note)


def settle_here(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Records that free grains were sold here, by an order that was lost. Returns False if less is free."""
    return _change(tx, "leased", lot_id, LevelChange(free=-grains, sold=grains), note)


def write_off(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Writes off free grains that are missing; negative: takes that back. Returns False if less is free."""
    return _change(tx, "counted", lot_id, LevelChange(free=-grains), note)


def carry_stock(tx: Transaction, lot_id: str, *, free: int = 0, lent: int = 0, sold: int = 0, note: str = "") -> bool:
    """Adds the grains of a lot whose enterprise moves here; negative: moves away. Returns False if there are less."""
    return _change(tx, "leased", lot_id, LevelChange(free=free, lent=lent, sold=sold), note)


def join_free_stock(tx: Transaction, origin_id: str, target_id: str, *, note: str = "") -> None:
    """Moves all that is free of one lot to another one, which is counted in the same grains."""
    rows = {row.id: row for row in lock_lots(tx, [origin_id, target_id])}
    free = rows[origin_id].free
    changes = {origin_id: LevelChange(free=-free), target_id: LevelChange(free=free)}
    if free and not change_levels(tx, changes):
        raise AssertionError("a locked lot has other levels")
    write_movements(tx, "leased", changes if free else {}, note=note)


def count_copies(tx: Transaction, levels: Mapping[str, tuple[int, int]], *, note: str = "") -> None:
    """Sets the free levels of copies of lots to what the instance that has the goods reports, in grains.

    `levels` maps a lot's id to what may still be ordered there, and to the part of this instance's reservations that
    was already subtracted from it. Reservations not yet known there reduce the free level here.
    """
    rows = {row.id: row for row in lock_lots(tx, levels)}
    changes = {}
    for lot_id, (available, already_counted) in levels.items():
        row = rows[lot_id]
        free = 0 if row.unlimited else max(0, available - max(0, row.reserved - already_counted))
        if free != row.free:
            changes[lot_id] = LevelChange(free=free - row.free)
    if changes and not change_levels(tx, changes):
        raise AssertionError("a locked lot has other levels")
    write_movements(tx, "leased", changes, note=note)


def tell_beyond(tx: Transaction, lot_id: str, beyond: int, free_until: datetime | None) -> None:
    """Sets what is available at another instance, in grains, and until when (UTC) the lot may be sold here."""
    tx.change(_TELL, {"lot": lot_id, "beyond": beyond, "free_until": free_until})


def tell_beyonds(tx: Transaction, levels: Mapping[str, int]) -> None:
    """Sets what is available at other instances for many lots, in grains by id; `free_until` stays as it is."""
    if levels:
        condition = stock_lot.c.id == bindparam("told_lot")
        rows = [{"told_lot": lot_id, "told": beyond} for lot_id, beyond in sorted(levels.items())]
        tx.execute(update(stock_lot).where(condition).values(beyond=bindparam("told")), rows)


def sell_until(tx: Transaction, ends: Mapping[str, datetime | None]) -> None:
    """Sets the moments (UTC) until which lots may be sold here, by id: None for no end, a past moment for never."""
    if ends:
        condition = stock_lot.c.id == bindparam("ended_lot")
        rows = [{"ended_lot": lot_id, "ends": end} for lot_id, end in sorted(ends.items())]
        tx.execute(update(stock_lot).where(condition).values(free_until=bindparam("ends", type_=Time)), rows)


def _change(tx: Transaction, kind: str, lot_id: str, change: LevelChange, note: str) -> bool:
    if not any(change):
        return True
    if not change_levels(tx, {lot_id: change}):
        return False
    write_movements(tx, kind, {lot_id: change}, note=note)
    return True
