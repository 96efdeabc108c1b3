"""Units of a lot that travel: lent to others who sell them, or leased from where the goods are.

Where the goods are, what others may sell is `lent`: it is still there, and nobody else can have it. Where they are
sold, it came by a lease and is free like anything else. The core knows levels only; who lends what to whom, and why,
is kept by whoever calls these functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, update

from ...storage.database import Time, Transaction
from .moving import Change, change_levels, lock_lots, write_movements
from .tables import stock_lot

_TELL = update(stock_lot).where(stock_lot.c.id == bindparam("lot"))


def lend_stock(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Others may sell these grains from now on. False, and nothing is done, where less is free."""
    return _travel(tx, "lent", lot_id, Change(free=-grains, lent=grains), note)


def settle_lent(
    tx: Transaction, lot_id: str, *, back: int = 0, sold: int = 0, lent: int | None = None, note: str = ""
) -> bool:
    """What others held has come `back` or was `sold`, in grains; negative: what they sold was brought back to them.

    `lent` is by how much what they hold changes, where the scales or a loss make it another figure than the two say.
    False, and nothing is done, where a level would fall below zero.
    """
    return _travel(
        tx, "lent", lot_id, Change(free=back, sold=sold, lent=-(back + sold) if lent is None else lent), note
    )


def lease_in(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Grains that may be sold here came from where the goods are; negative: they go back. False where less is free."""
    return _travel(tx, "leased", lot_id, Change(free=grains), note)


def settle_here(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Free grains turn out to have been sold here, by an order that was lost. False where less is free."""
    return _travel(tx, "leased", lot_id, Change(free=-grains, sold=grains), note)


def write_off(tx: Transaction, lot_id: str, grains: int, *, note: str = "") -> bool:
    """Free grains are not there after all. False where less is free."""
    return _travel(tx, "counted", lot_id, Change(free=-grains), note)


def carry_stock(tx: Transaction, lot_id: str, *, free: int, lent: int, note: str = "") -> bool:
    """A lot comes here with its enterprise, or leaves with it (negative), in grains. False where less is there."""
    return _travel(tx, "leased", lot_id, Change(free=free, lent=lent), note)


def count_copies(tx: Transaction, levels: Mapping[str, tuple[int, int]], *, note: str = "") -> None:
    """Where the goods are, so much of each lot may still be ordered, in grains: for each lot that, and how much of what
    is reserved here it is without already. What is reserved here and not known there is not free.
    """
    rows = {row["id"]: row for row in lock_lots(tx, levels)}
    changes = {}
    for lot_id, (there, known) in levels.items():
        row = rows[lot_id]
        free = 0 if row["unlimited"] else max(0, there - max(0, row["reserved"] - known))
        if free != row["free"]:
            changes[lot_id] = Change(free=free - row["free"])
    if changes and not change_levels(tx, changes):
        raise AssertionError("a locked lot has other levels")
    write_movements(tx, "leased", changes, note=note)


def tell_beyond(tx: Transaction, lot_id: str, beyond: int, free_until: datetime | None) -> None:
    """What may be had from elsewhere, in grains, as it is told; and until when (UTC) the lot may be sold here."""
    tx.change(_TELL, {"lot": lot_id, "beyond": beyond, "free_until": free_until})


def tell_beyonds(tx: Transaction, levels: Mapping[str, int]) -> None:
    """The same for many lots, by id, in grains; until when they may be sold stays as it is."""
    if levels:
        mine = stock_lot.c.id == bindparam("told_lot")
        rows = [{"told_lot": lot_id, "told": beyond} for lot_id, beyond in sorted(levels.items())]
        tx.execute(update(stock_lot).where(mine).values(beyond=bindparam("told")), rows)


def sell_until(tx: Transaction, ends: Mapping[str, datetime | None]) -> None:
    """The moments (UTC) until which lots may be sold here, by id: None without an end, a past one for not at all."""
    if ends:
        mine = stock_lot.c.id == bindparam("ended_lot")
        rows = [{"ended_lot": lot_id, "ends": end} for lot_id, end in sorted(ends.items())]
        tx.execute(update(stock_lot).where(mine).values(free_until=bindparam("ends", type_=Time)), rows)


def _travel(tx: Transaction, kind: str, lot_id: str, change: Change, note: str) -> bool:
    if not any(change):
        return True
    if not change_levels(tx, {lot_id: change}):
        return False
    write_movements(tx, kind, {lot_id: change}, note=note)
    return True
