"""Repeats sales by their rhythm."""

from __future__ import annotations

import structlog
from sqlalchemy import select, update

from ...base.errors import PluginError, Refused
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...sale_sessions.questions import read_coordinations
from ...sale_sessions.rhythm import next_opening
from ...sale_sessions.tables import coordination
from ...sale_sessions.values import Coordination
from ...storage.database import Transaction
from .clone import copy_coordination

AT_ONCE = 50  # sales in one transaction; the others wait for the next call
_log = structlog.get_logger("commensal.sale_sessions")


def repeat_due(tx: Transaction, hooks: Hooks) -> list[str]:
    """Creates the next sale of every series whose latest sale has closed. Returns the ids of the new sales.

    Exactly one follows: the rhythm moves to it in the same transaction, and `previous_id` is unique. A date is skipped
    if the previous sale was still open by its plan, or if more than half of the new sale's time has passed already. If
    a plugin of a shop fails, its series waits for the next call, and the other series go on.
    """
    statement = (
        select(coordination)
        .join(enterprise, enterprise.c.id == coordination.c.coordinator_id)
        .where(
            coordination.c.rhythm.is_not(None), coordination.c.closes_at <= tx.now, enterprise.c.archived_at.is_(None)
        )
        .order_by(coordination.c.closes_at)
        .limit(AT_ONCE)
    )
    return [repeated.id for sale in read_coordinations(tx, statement) if (repeated := _try_to_repeat(tx, hooks, sale))]


def _try_to_repeat(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    try:
        with tx.attempt():
            return _repeat(tx, hooks, sale)
    except (PluginError, Refused) as error:
        _log.error("a sale could not be repeated", coordination=sale.id, exc_info=error)
        return None


def _repeat(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    take_rhythm = update(coordination).where(coordination.c.id == sale.id, coordination.c.version == sale.version)
    if sale.rhythm is None or tx.execute(take_rhythm.values(rhythm=None, version=sale.version + 1)).rowcount != 1:
        return None  # another transaction has repeated it
    closes_at = sale.plan_closes_at
    half_time = (closes_at - sale.opens_at) / 2
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == sale.coordinator_id))
    next_sale = next_opening(sale.rhythm, sale.opens_at, timezone, not_before=max(closes_at, tx.now - half_time))
    if next_sale is None:
        return None
    opens_at, rhythm = next_sale
    return copy_coordination(tx, hooks, sale, opens_at, rhythm=rhythm, previous_id=sale.id)
