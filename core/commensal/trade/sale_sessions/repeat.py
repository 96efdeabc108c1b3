"""Lets sales come back by their rhythm."""

from __future__ import annotations

import structlog
from sqlalchemy import select, update

from ...base.errors import PluginError, Refused
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..enterprises.tables import enterprise
from .clone import copy
from .questions import read_coordinations
from .rhythm import next_opening
from .tables import coordination
from .values import Coordination

AT_ONCE = 50  # sales in one transaction; the others wait for the next call
_log = structlog.get_logger("commensal.sale_sessions")


def repeat_due(tx: Transaction, hooks: Hooks) -> list[str]:
    """Makes the next sale of every series whose latest one has closed. Returns the ids of the new ones.

    Exactly one follows: the rhythm moves on to it in the same transaction, and `previous_id` is unique. A date is
    skipped when the sale before was still open by its plan, or when more than half of the new one's time has passed
    already. A series whose shop has a plugin that fails is left for the next call, and the others go on.
    """
    due = (
        select(coordination)
        .join(enterprise, enterprise.c.id == coordination.c.coordinator_id)
        .where(
            coordination.c.rhythm.is_not(None), coordination.c.closes_at <= tx.now, enterprise.c.archived_at.is_(None)
        )
        .order_by(coordination.c.closes_at)
        .limit(AT_ONCE)
    )
    return [made.id for sale in read_coordinations(tx, due) if (made := _try(tx, hooks, sale))]


def _try(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    try:
        with tx.attempt():
            return _repeat(tx, hooks, sale)
    except (PluginError, Refused) as error:
        _log.error("a sale could not be repeated", coordination=sale.id, exc_info=error)
        return None


def _repeat(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    moving_on = update(coordination).where(coordination.c.id == sale.id, coordination.c.version == sale.version)
    if sale.rhythm is None or tx.execute(moving_on.values(rhythm=None, version=sale.version + 1)).rowcount != 1:
        return None  # somebody else was faster
    closes_at = sale.plan_closes_at
    half = (closes_at - sale.opens_at) / 2
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == sale.coordinator_id))
    following = next_opening(sale.rhythm, sale.opens_at, timezone, not_before=max(closes_at, tx.now - half))
    if following is None:
        return None
    opens_at, rhythm = following
    return copy(tx, hooks, sale, opens_at, rhythm=rhythm, previous_id=sale.id)
