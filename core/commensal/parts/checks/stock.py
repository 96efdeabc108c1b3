"""Compares the levels of all lots with the sums of their journals."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from ...stock.tables import stock_lot, stock_movement
from ...storage.database import RowQuery, Transaction

_LEVELS = ("free", "reserved", "sold", "lent")


def _differing_lots() -> RowQuery:
    lot, movement = stock_lot.c, stock_movement.c
    changes = [func.sum(movement[f"{level}_change"]).label(level) for level in _LEVELS]
    sums = select(movement.lot_id, *changes).group_by(movement.lot_id).subquery()
    journal = [func.coalesce(sums.c[level], 0).label(f"journal_{level}") for level in _LEVELS]
    return (
        select(lot.id, lot.name, *(lot[level] for level in _LEVELS), *journal)
        .select_from(stock_lot.outerjoin(sums, sums.c.lot_id == lot.id))
        .where(or_(*(lot[level] != journal_level for level, journal_level in zip(_LEVELS, journal, strict=True))))
        .order_by(lot.id)
    )


_DIFFERING = _differing_lots()  # built once: the simulator runs it after every hundredth event


@dataclass(frozen=True, kw_only=True)
class LevelDifference:
    """A lot whose levels differ from its journal; both in grains, as (free, reserved, sold, lent)."""

    lot_id: str
    name: str
    level: tuple[int, ...]
    journal: tuple[int, ...]


def check_levels(tx: Transaction) -> list[LevelDifference]:
    """Returns the lots whose levels and journal differ. Reads the whole journal."""
    rows = tx.all(_DIFFERING)
    return [
        LevelDifference(
            lot_id=row["id"],
            name=row["name"],
            level=tuple(row[level] for level in _LEVELS),
            journal=tuple(int(row[f"journal_{level}"]) for level in _LEVELS),  # PostgreSQL adds up to a numeric
        )
        for row in rows
    ]
