"""Tells whether a sale is open, by the clock alone. No job opens or closes a sale, so none can be late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_

from ..storage.database import Time
from .tables import coordination, coordination_supplier, sale_session
from .values import Coordination, SaleSession


def is_open(session: SaleSession, now: datetime) -> bool:
    """Tells whether the session is open: from the moment of opening, until before the moment of closing."""
    return not is_settled(session) and session.opens_at <= now < session.closes_at


def is_coming(session: SaleSession, now: datetime) -> bool:
    """Tells whether the session will open later."""
    return not is_settled(session) and now < session.opens_at


def is_settled(session: SaleSession) -> bool:
    """Tells whether the session is cancelled or completed, so that it never opens again."""
    return session.cancelled_at is not None or session.completed_at is not None


def orderable_until(session: SaleSession, supplier_closes_at: datetime | None) -> datetime:
    """Returns the cut-off for one supplier's goods: its own, but never later than the session's closing."""
    return min(session.closes_at, supplier_closes_at or session.closes_at)


# The same in SQL, for queries that join sale_session with coordination, and for `cut_off` with coordination_supplier.


def open_at(now: datetime) -> ColumnElement[bool]:
    return and_(not_over_at(now), sale_session.c.opens_at <= now)


def coming_at(now: datetime) -> ColumnElement[bool]:
    return and_(not_over_at(now), sale_session.c.opens_at > now)


def not_over_at(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Returns the condition that a session is open or will open."""
    is_unsettled = and_(coordination.c.cancelled_at.is_(None), coordination.c.completed_at.is_(None))
    return and_(is_unsettled, sale_session.c.closes_at > now)


def cut_off() -> ColumnElement[datetime]:
    """Returns the expression of `orderable_until`."""
    own, closing = coordination_supplier.c.closes_at, sale_session.c.closes_at
    return case((or_(own.is_(None), own > closing), closing), else_=own)


# Planned and actual closing: a sale that closes at another moment for once keeps its plan, which later sales follow.

_Sale = TypeVar("_Sale", Coordination, SaleSession)
_row = sale_session.c


def apply_closing(old: _Sale, new: _Sale, now: datetime, *, once: bool = False) -> _Sale:
    """Returns `new` with the closing that results from a change at the moment `now`.

    A closing in the past becomes `now`, because an order must not become too late in hindsight, and the plan is kept. A
    closing in the future is a new plan, unless it holds `once`.
    """
    if new.closes_at == old.closes_at:
        return new
    plan = old.planned_closes_at or old.closes_at
    if new.closes_at > now:
        return replace(new, planned_closes_at=plan if once and plan != new.closes_at else None)
    closes_at = min(old.closes_at, now)
    if closes_at == old.closes_at:
        return replace(new, closes_at=closes_at)
    return replace(new, closes_at=closes_at, planned_closes_at=plan)


def followed_times(
    old: Coordination, new: Coordination
) -> tuple[ColumnElement[datetime], ColumnElement[datetime], ColumnElement[datetime | None]]:
    """Returns SQL for a session's opening, closing and planned closing after its coordination has become `new`.

    Sessions with the same times as the sale follow it, others are shortened to fit. A session that was closed together
    with the sale and had its own plan returns to this plan if the sale gets a new one.
    """
    opens, closes, planned = _row.opens_at, _row.closes_at, _row.planned_closes_at
    new_opens, new_closes = literal(new.opens_at, Time), literal(new.closes_at, Time)
    own_plan = and_(closes == old.closes_at, planned != old.plan_closes_at, planned < new_closes)
    follows = or_(closes == old.closes_at, closes > new_closes)
    closes_then = case((own_plan, planned), (follows, new_closes), else_=closes)
    plan = null() if new.planned_closes_at is None else func.coalesce(planned, closes, type_=Time)
    return (
        case((or_(opens == old.opens_at, opens < new_opens), new_opens), else_=opens),
        closes_then,
        case((closes_then != closes, plan), else_=planned),
    )
