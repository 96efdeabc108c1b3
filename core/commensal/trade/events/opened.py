"""Finds sales that have opened and of which nobody was told. Each is announced once.

The question looks at sessions that are not over, or have not been for long, by the index of their closing: it costs
the same in year five. A session that is made after its opening has passed, or is moved, is found like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, delete, exists, select

from ...hooks import specifications
from ...interfaces.mail.to_enterprise import mail_enterprise
from ...storage.database import Transaction, insert_rows
from ..sale_sessions.questions import count_on_sale, sale_by_id
from ..sale_sessions.tables import coordination, sale_session
from .announce import announce
from .tables import sale_opening

LATEST = timedelta(days=7)  # after the closing: of sales that were over while no worker was up, those are told too
AT_ONCE = 500  # sales in one transaction; the others wait for the next call


def announce_openings(tx: Transaction) -> list[str]:
    """Announces what has opened and was not cancelled before. Returns the ids of the sessions."""
    announced = exists().where(sale_opening.c.session_id == sale_session.c.id)
    opened = (
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
    ids = [row["id"] for row in tx.all(opened)]
    insert_rows(tx, sale_opening, [{"session_id": one, "announced_at": tx.now} for one in ids])
    if ids:
        _warn_of_empty_sales(tx, ids)
        announce(tx, specifications.sale_opened, sale_session, sale_session.c.id.in_(ids))
    return ids


def _warn_of_empty_sales(tx: Transaction, session_ids: Sequence[str]) -> None:
    """Whoever coordinates a sale in which nothing is on sale should hear it from us before they do from shoppers."""
    counted = count_on_sale(tx, session_ids)
    empty = [one for one in session_ids if one not in counted]
    for sale in (sale_by_id(tx, one) for one in empty):
        values = {"sale": sale.session.name, "shop": sale.shop.name}
        mail_enterprise(tx, sale.session.coordinator_id, "empty_sale", values)


def forget_openings(tx: Transaction) -> None:
    """Forgets of which sales was told that are over for so long that nobody will ask again."""
    asked = exists().where(
        and_(sale_session.c.id == sale_opening.c.session_id, sale_session.c.closes_at > tx.now - LATEST)
    )
    tx.execute(delete(sale_opening).where(~asked))
