"""Goods that people have marked with a star, to find them again first."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, select

from commensal import Conflict, NotFound, Transaction, insert_once
from commensal.stock import lots_by_id

from .tables import shop_favourite

STAR, UNSTAR = "star/", "unstar/"  # before the id of a lot, in the values of buttons
MOST = 500  # of one person
_row = shop_favourite.c
_LOTS = select(_row.lot_id).where(_row.person_id == bindparam("person"))


def favourites_of(tx: Transaction, person_id: str | None) -> frozenset[str]:
    """The lots of the goods that a person has marked; none for a guest."""
    if person_id is None:
        return frozenset()
    return frozenset(row["lot_id"] for row in tx.all(_LOTS, {"person": person_id}))


def mark_favourite(tx: Transaction, person_id: str, lot_id: str, *, marked: bool) -> None:
    """Marks goods, or takes the mark off; twice does no harm. Raises `NotFound`, `Conflict` for too many."""
    if not marked:
        tx.execute(delete(shop_favourite).where(_row.person_id == person_id, _row.lot_id == lot_id))
        return
    if lot_id not in lots_by_id(tx, [lot_id]):
        raise NotFound
    if tx.value(select(func.count()).where(_row.person_id == person_id)) >= MOST:
        raise Conflict("too_many_favourites", "You have marked {most} goods already.", most=MOST)
    insert_once(tx, shop_favourite, {"person_id": person_id, "lot_id": lot_id, "marked_at": tx.now})
