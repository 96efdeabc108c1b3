"""Tells whether a sale is open, by the clock alone. No job opens or closes a sale, so none can be late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_

from .tables import coordination, coordination_supplier, sale_session
from .values import SaleSession


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
