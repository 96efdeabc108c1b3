"""Finds sales that have opened and were not announced yet, and announces each once.

The query reads sessions that are open or closed recently, by the index of their closing, so its cost does not grow over
the years. It also finds a session that was created or moved after its opening had passed.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, delete, exists, select

from ...events.announce import announce
from ...events.tables import sale_opening
from ...hooks import specifications
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Transaction, insert_rows

LATEST = timedelta(days=7)  # after the closing: covers sales that opened and closed while no worker was running
AT_ONCE = 500  # sales in one transaction; the others wait for the next call


def announce_openings(tx: Transaction) -> list[str]:
    """Announces sessions that have opened and are not cancelled. Returns their ids."""
    announced = exists().where(sale_opening.c.session_id == sale_session.c.id)
    statement = (
        select(sale_session.c.id)
        .join(coordination, coordination.c.id == sale_session.c.coordination_id)
        .where(
            sale_session.c.closes_at > tx.now - LATEST,
            sale_session.c.opens_at <= tx.now,
            coordination.c.cancelled_at.is_(None),
            ~announced,
        )
        .order_by(sale_session.c.opens_at, sale_session.c.id)
        .limit(AT_ONCE)
    )
    ids = [row["id"] for row in tx.all(statement)]
    insert_rows(tx, sale_opening, [{"session_id": session_id, "announced_at": tx.now} for session_id in ids])
    if ids:
        announce(tx, specifications.sale_opened, sale_session, sale_session.c.id.in_(ids))
    return ids


def forget_openings(tx: Transaction) -> None:
    """Deletes the records of openings that `announce_openings` does not read any more."""
    still_needed = exists().where(
        and_(sale_session.c.id == sale_opening.c.session_id, sale_session.c.closes_at > tx.now - LATEST)
    )
    tx.execute(delete(sale_opening).where(~still_needed))
