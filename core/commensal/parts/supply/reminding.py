"""Reminds customers, on the evening before the distribution, of what they have ordered."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, or_, select, update

from ...enterprises.tables import enterprise
from ...orders.emails import mail_customers
from ...sale_sessions.tables import coordination, sale_session
from ...sale_sessions.values import SaleSession
from ...storage.database import Row, Time, Transaction
from .tables import closing_policy, sale_closing

HOUR = 18  # of the evening before, in the shop's time zone
JUST_TOLD = timedelta(hours=12)  # since the final order was mailed: nobody is reminded so soon
_session, _closing, _policy = sale_session.c, sale_closing.c, closing_policy.c
_NOW = bindparam("now", type_=Time)
_SOON = (
    select(_session.id, _session.begins_at, enterprise.c.timezone, _closing.noticed_at, _policy.final_mail)
    .join_from(sale_session, coordination, coordination.c.id == _session.coordination_id)
    .join(enterprise, enterprise.c.id == _session.enterprise_id)
    .join(sale_closing, _closing.session_id == _session.id)
    .outerjoin(closing_policy, _policy.enterprise_id == _session.enterprise_id)
    .where(_session.begins_at > _NOW, _session.begins_at <= bindparam("soon", type_=Time))
    .where(_closing.reminded_at.is_(None), coordination.c.cancelled_at.is_(None))
    .where(or_(_policy.reminder.is_(None), _policy.reminder))
    .order_by(_session.id)
)


def remind_due(tx: Transaction) -> list[str]:
    """Enqueues the reminders of sessions that are distributed tomorrow, from six in the evening. Returns their ids.

    None is sent where the final order was mailed less than twelve hours before, or the distribution has begun.
    """
    rows = [row for row in tx.all(_SOON, {"now": tx.now, "soon": tx.now + timedelta(days=2)}) if _is_due(row, tx.now)]
    ids = [row["id"] for row in rows]
    if ids:
        tx.execute(update(sale_closing).where(_closing.session_id.in_(ids)).values(reminded_at=tx.now))
        mail_customers(tx, "order_reminder", [row["id"] for row in rows if not _is_just_told(row, tx.now)])
    return ids


def remind_anew(tx: Transaction, session: SaleSession, timezone: str) -> None:
    """Lets the reminder follow a distribution whose new times customers are just told: it goes out on the new evening
    before, also if the old one has passed, and not at all if the new one has."""
    reminded_at = tx.now if _is_evening(session.begins_at, timezone, tx.now) else None
    tx.execute(update(sale_closing).where(_closing.session_id == session.id).values(reminded_at=reminded_at))


def _is_due(row: Row, now: datetime) -> bool:
    return _is_evening(row["begins_at"], row["timezone"], now)


def _is_evening(begins_at: datetime, timezone: str, now: datetime) -> bool:
    """Whether the evening before a distribution has come."""
    day_before = begins_at.astimezone(ZoneInfo(timezone)) - timedelta(days=1)
    return now >= day_before.replace(hour=HOUR, minute=0, second=0, microsecond=0)


def _is_just_told(row: Row, now: datetime) -> bool:
    return row["final_mail"] is not False and now - row["noticed_at"] < JUST_TOLD
