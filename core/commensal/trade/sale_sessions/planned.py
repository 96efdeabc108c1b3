"""What was planned and what happened: closing a sale early leaves the plan, which its rhythm and its clones follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_

from ...storage.database import Time
from .tables import sale_session
from .values import Coordination, SaleSession

_Sale = TypeVar("_Sale", Coordination, SaleSession)
_row = sale_session.c


def closing(old: _Sale, new: _Sale, now: datetime) -> _Sale:
    """`new` as it closes if it is changed at the moment `now`.

    A closing that has come already happens now, because no order was ever too late in hindsight; what was planned
    stays. A closing that lies ahead is a new plan.
    """
    if new.closes_at == old.closes_at:
        return new
    if new.closes_at > now:
        return replace(new, planned_closes_at=None)
    closes_at = min(old.closes_at, now)
    if closes_at == old.closes_at:
        return replace(new, closes_at=closes_at)
    return replace(new, closes_at=closes_at, planned_closes_at=old.planned_closes_at or old.closes_at)


def followed(
    old: Coordination, new: Coordination
) -> tuple[ColumnElement[datetime], ColumnElement[datetime], ColumnElement[datetime | None]]:
    """Opening, closing and planned closing of a session, in SQL, after its coordination has become `new`.

    Sessions that kept the times of the sale follow, others are cut to fit. One that was closed together with the sale
    and had a plan of its own goes back to it where the sale gets a new plan.
    """
    opens, closes, planned = _row.opens_at, _row.closes_at, _row.planned_closes_at
    new_opens, new_closes = literal(new.opens_at, Time), literal(new.closes_at, Time)
    own = and_(closes == old.closes_at, planned != old.plan_closes_at, planned < new_closes)
    follows = or_(closes == old.closes_at, closes > new_closes)
    early = new.planned_closes_at is not None
    back = [] if early else [(own, planned)]
    then = case(*back, (follows, new_closes), else_=closes)
    plan = func.coalesce(planned, closes, type_=Time) if early else null()
    return (
        case((or_(opens == old.opens_at, opens < new_opens), new_opens), else_=opens),
        then,
        case((then != closes, plan), else_=planned),
    )
