"""Lots that a move has joined: stock lent from a lot of its own, which is stock of a main lot again when it returns.

A hub may hold the goods of one producer by two ways: by a lease of the producer's own instance, and by one of a hub
that resells them. When the producer moves to the reseller's instance, both leases are of one lot there. They stay two
leases, with their own counts, epochs and messages: the one from the old home is continued for a lot of its own, in
which nothing but lent stock lies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, delete, func, or_, select, update

from commensal import Transaction, insert_once
from commensal.parts.copies import LotCopy, assign_lots, carry_stock, join_free_stock, keep_lots
from commensal.stock import lots_by_id

from ..delivery.lanes import lanes_locked
from ..grants.tables import federation_lease
from .tables import federation_joined_lot

JOINED = "the same goods"  # note of movements between a joined lot and its main lot
_joined, _lease = federation_joined_lot.c, federation_lease.c
_MAIN = select(_joined.main_id).where(_joined.lot_id == bindparam("lot"))
_JOINED = select(_joined.lot_id).where(_joined.main_id == bindparam("lot")).order_by(_joined.lot_id)
_MAIN_ID = select(_joined.main_id).where(_joined.lot_id == bindparam("lot")).scalar_subquery()
_SAME_GOODS = select(_joined.lot_id).where(or_(_joined.main_id == bindparam("lot"), _joined.main_id == _MAIN_ID))
_ARE_OF_GOODS = or_(_lease.lot_id == bindparam("lot"), _lease.lot_id == _MAIN_ID, _lease.lot_id.in_(_SAME_GOODS))
_LOCKED = select(_lease.id).where(_ARE_OF_GOODS).order_by(_lease.id).with_for_update().subquery()
_LOCK = select(func.count()).select_from(_LOCKED)  # one row to read, however many hubs hold the goods
_PEERS = select(_lease.peer_id).where(_ARE_OF_GOODS)
_TO_HOLDERS = lanes_locked(_PEERS)


def id_apart(lot_id: str, epoch: int) -> str:
    """Returns the id of the lot for a lease kept apart, by the lot's id at the old home and the move's epoch."""
    return f"{lot_id}.{epoch}"


def main_lot(tx: Transaction, lot_id: str) -> str:
    """Returns the id of the lot to which the stock of this lot returns: its own id if it was not joined to another."""
    return str(tx.value(_MAIN, {"lot": lot_id}) or lot_id)


def lots_joined(tx: Transaction, main_id: str) -> list[str]:
    """Returns the id of the main lot and those of all lots joined to it."""
    return [main_id, *(row["lot_id"] for row in tx.all(_JOINED, {"lot": main_id}))]


def join_lot(tx: Transaction, lot_id: str, main_id: str) -> None:
    """Notes that stock of `lot_id` is stock of `main_id` when it returns."""
    insert_once(tx, federation_joined_lot, {"lot_id": lot_id, "main_id": main_id})


def split_lent_stock(tx: Transaction, lot_id: str, origin_id: str, lent: int, *, note: str) -> bool:
    """Makes a lot, unless it is there, and moves `lent` grains of another one's lent stock there.

    What comes back of it is stock of the other one, or of the main lot of that. Returns False if less is lent.
    """
    lots = lots_by_id(tx, [origin_id, lot_id])
    main = lots[origin_id]
    copy = LotCopy(
        id=lot_id,
        name=main.name,
        unit=main.unit,
        per_unit=main.per_unit,
        unlimited=main.unlimited,
        new=lot_id not in lots,
    )
    keep_lots(tx, main.enterprise_id, [copy])
    join_lot(tx, lot_id, main_lot(tx, origin_id))
    if main.unlimited:
        return True
    return carry_stock(tx, lot_id, free=0, lent=lent, note=note) and carry_stock(
        tx, origin_id, free=0, lent=-lent, note=note
    )


def gather_free_stock(tx: Transaction, lot_id: str) -> str:
    """Moves what is free of a joined lot to its main lot, whose id it returns. Other lots stay as they are."""
    main_id = main_lot(tx, lot_id)
    if main_id != lot_id:
        join_free_stock(tx, lot_id, main_id, note=JOINED)
    return main_id


@contextmanager
def free_stock_of_main(tx: Transaction, lot_id: str) -> Iterator[None]:
    """Within the block what is free of the main lot is free of this one, so that it can be lent from it."""
    main_id = main_lot(tx, lot_id)
    if main_id == lot_id:
        yield
        return
    join_free_stock(tx, main_id, lot_id, note=JOINED)
    yield
    join_free_stock(tx, lot_id, main_id, note=JOINED)


def lock_leases(tx: Transaction, lot_id: str) -> None:
    """Locks all leases of the lot, and of those joined with it.

    Whoever changes more than one lease of a lot begins with this. PostgreSQL locks them in the order of their ids, so
    of two transactions that each need the other's lease one waits for the other, and no deadlock arises. SQLite has
    one writer, and locks nothing.
    """
    if tx.postgresql:
        tx.value(_LOCK, {"lot": lot_id})


def hold_lanes_to_holders(tx: Transaction, lot_id: str, *more: str) -> None:
    """Locks the lanes to all who hold the goods, and to the peers `more`: to be called before more than one is told.

    PostgreSQL locks them, as it does their leases, without telling which.
    """
    if tx.postgresql:
        tx.value(_TO_HOLDERS, {"lot": lot_id, "peers": ["", *more], "name": "order"})


def adopt_lots(tx: Transaction, lot_ids: Collection[str], enterprise_id: str) -> None:
    """Makes copied lots, with their leases on either side, those of another enterprise here."""
    assign_lots(tx, sorted(lot_ids), enterprise_id)
    tx.execute(update(federation_lease).where(_lease.lot_id.in_(sorted(lot_ids))).values(enterprise_id=enterprise_id))


def forget_joined_lots(tx: Transaction, enterprise_id: str) -> None:
    """Forgets which lots were joined, because the enterprise moves away with them."""
    leased = select(_lease.lot_id).where(_lease.enterprise_id == enterprise_id)
    tx.execute(delete(federation_joined_lot).where(_joined.lot_id.in_(leased)))
