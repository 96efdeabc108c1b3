"""Sales that follow each other by a rhythm: a correction of one goes on to the next, which may be there already."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select

from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...orders.tables import customer_order
from ...sale_sessions.coordinations import change_coordination
from ...sale_sessions.questions import coordination_by_id, session_by_id, sessions_of
from ...sale_sessions.rhythm import shifted
from ...sale_sessions.sessions import change_session
from ...sale_sessions.tables import coordination, sale_session
from ...sale_sessions.values import Coordination, SaleSession
from ...storage.database import Transaction


class _Plan(NamedTuple):
    """The moments that later sales follow (UTC)."""

    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime


def is_repeated(tx: Transaction, sale: Coordination) -> bool:
    """Whether a sale follows this one by a rhythm, or was made after it and has not closed yet."""
    return sale.rhythm is not None or _next_of(tx, sale) is not None


def correct_next(tx: Transaction, hooks: Hooks, before: Coordination, session: SaleSession) -> bool:
    """Moves the sale that was made after this one as much as this one's plan has moved since it was `before`, with
    `session`, the coordinator's own: by the clock on the wall, and only what follows the plan from before, since
    somebody has changed the rest by hand.

    Returns whether the next sale follows the plan now; it need not exist yet. False: it is for a person to look at,
    since it was changed, or customers have ordered for its hand-out. Raises what `change_coordination` and
    `change_session` raise.
    """
    following = _next_of(tx, before)
    own = None if following is None else _own_session(tx, following)
    if following is None or own is None:
        return True
    after = coordination_by_id(tx, before.id, before.coordinator_id)
    session_after = session_by_id(tx, session.id, after.coordinator_id)
    old, new, now = _plan(before, session), _plan(after, session_after), _plan(following, own)
    zone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == before.coordinator_id))
    opens_at = shifted(now.opens_at, zone, start=old.opens_at, new_start=new.opens_at)
    expected = _Plan(*(shifted(moment, zone, start=old.opens_at, new_start=now.opens_at) for moment in old))
    moved = _Plan(*(shifted(moment, zone, start=new.opens_at, new_start=opens_at) for moment in new))
    if now != expected or moved.closes_at <= tx.now:
        return now == moved
    if (moved.opens_at, *moved[2:]) != (now.opens_at, *now[2:]) and _has_orders(tx, following):
        return False
    changed = change_coordination(
        tx,
        following.id,
        following.coordinator_id,
        following.version,
        opens_at=moved.opens_at,
        closes_at=moved.closes_at,
    )
    if moved[2:] != now[2:]:
        version = session_by_id(tx, own.id, changed.coordinator_id).version
        change_session(
            tx, hooks, own.id, changed.coordinator_id, version, begins_at=moved.begins_at, ends_at=moved.ends_at
        )
    return True


def _next_of(tx: Transaction, sale: Coordination) -> Coordination | None:
    """The sale that was made after this one by its rhythm, unless it is over."""
    later = coordination.c
    id = tx.value(
        select(later.id).where(
            later.previous_id == sale.id,
            later.coordinator_id == sale.coordinator_id,
            later.cancelled_at.is_(None),
            later.completed_at.is_(None),
            later.closes_at > tx.now,
        )
    )
    return None if id is None else coordination_by_id(tx, id, sale.coordinator_id)


def _own_session(tx: Transaction, sale: Coordination) -> SaleSession | None:
    own = (each for each in sessions_of(tx, sale.id, sale.coordinator_id) if each.enterprise_id == sale.coordinator_id)
    return next(own, None)


def _plan(sale: Coordination, session: SaleSession) -> _Plan:
    return _Plan(sale.plan_opens_at, sale.plan_closes_at, *session.plan)


def _has_orders(tx: Transaction, sale: Coordination) -> bool:
    order = customer_order.c
    placed = exists().where(order.session_id == sale_session.c.id, order.state.not_in(("Draft", "Cancelled")))
    return tx.value(select(sale_session.c.id).where(sale_session.c.coordination_id == sale.id, placed)) is not None
