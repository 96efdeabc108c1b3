"""Announces lots that orders have taken the last of, and lots that have run low: each once until it is refilled.

Orders pay nothing for lots that run low: one query a minute reads those that have a low level. An enterprise is told at
most once an hour, about all its lots since the last time, so that the rush after an opening is one e-mail, not sixty.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import exists, select

from ...enterprises.tables import enterprise
from ...events.announce import announce
from ...hooks import specifications
from ...instance import Instance
from ...stock.levels import forget_notices, lock_lots
from ...stock.lots import StockLot, is_low, lot_of
from ...stock.tables import low_stock_notice, stock_lot
from ...storage.database import Transaction, insert_rows
from ...storage.jobs import Job

GATHERED = timedelta(hours=1)  # between two announcements to one enterprise
SETTLED = timedelta(days=1)  # goods that orders give back count as a refill only after that time
AT_ONCE = 500  # lots in one transaction; the others wait for the next call
_lot, _notice = stock_lot.c, low_stock_notice.c


def announce_low_stock(tx: Transaction) -> list[StockLot]:
    """Announces lots that are low and whose owners have not been told. Returns them, sorted by enterprise and name.

    Leaves out lots that may not be sold here any more, since their enterprise moves, and those of archived enterprises.
    """
    _forget_refilled(tx)
    low = {lot.id: lot for lot in map(lot_of, lock_lots(tx, _untold(tx))) if lot.is_low}
    if low:
        insert_rows(tx, low_stock_notice, [{"lot_id": lot_id, "told_at": tx.now} for lot_id in sorted(low)])
        announce(tx, specifications.stock_low, stock_lot, _lot.id.in_(sorted(low)))
    return sorted(low.values(), key=lambda lot: (lot.enterprise_id, lot.name, lot.id))


def _untold(tx: Transaction) -> list[str]:
    other = stock_lot.alias()
    notices = low_stock_notice.join(other, other.c.id == _notice.lot_id)
    told_just_now = (
        exists()
        .select_from(notices)
        .where(other.c.enterprise_id == _lot.enterprise_id, _notice.told_at > tx.now - GATHERED)
    )
    statement = (
        select(_lot.id)
        .join(enterprise, enterprise.c.id == _lot.enterprise_id)
        .where(is_low(), ~exists().where(_notice.lot_id == _lot.id), ~told_just_now, enterprise.c.archived_at.is_(None))
        .where(_lot.free_until.is_(None) | (_lot.free_until > tx.now))
        .order_by(_lot.enterprise_id, _lot.id)
        .limit(AT_ONCE)
    )
    return [row["id"] for row in tx.all(statement)]


def _forget_refilled(tx: Transaction) -> None:
    """Forgets notices that are a day old and whose lots have more than their low level again, or have none any more."""
    refilled = _lot.low_level.is_(None) | (_lot.free > _lot.low_level)
    statement = select(_lot.id).join(low_stock_notice, _notice.lot_id == _lot.id)
    conditions = (_notice.told_at <= tx.now - SETTLED, refilled)
    forget_notices(tx, [row["id"] for row in tx.all(statement.where(*conditions).limit(AT_ONCE))])


def announce_sold_out(instance: Instance, job: Job) -> None:
    """Does the job "sold_out": tells the plugins of each lot's enterprise that orders have taken the last of it. A lot
    that has some again by now is left out."""
    lot = stock_lot.c
    is_empty = (lot.id.in_(job.payload["lots"])) & (lot.free == 0)
    instance.store.transact(lambda tx: announce(tx, specifications.sold_out, stock_lot, is_empty))
