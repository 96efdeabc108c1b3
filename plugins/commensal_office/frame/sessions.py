"""Which sale of a shop a page is about: the one that the visitor names, or the one that matters now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from commensal import NotFound, SaleSession, Transaction, sale_by_id, sessions_of_shop
from commensal.pages import Visit

RECENT = 20  # sales of a shop among which a page chooses
_AFTERWARDS = timedelta(days=2)  # a sale matters until its hand-out has been over for so long


def recent_sessions(tx: Transaction, enterprise_id: str) -> list[SaleSession]:
    """The shop's latest sessions that were not cancelled, by their distribution, the latest first."""
    sessions = sessions_of_shop(tx, enterprise_id, limit=RECENT)
    return sorted(
        (each for each in sessions if each.cancelled_at is None), key=lambda each: each.begins_at, reverse=True
    )


def current_session(sessions: Sequence[SaleSession], now: datetime) -> SaleSession | None:
    """The session that matters now: the next to be distributed of those that have opened, or are just over; else the
    next one to open, else the last one."""
    earliest_first = sorted(sessions, key=lambda each: each.begins_at)
    begun = [each for each in earliest_first if each.opens_at <= now < each.ends_at + _AFTERWARDS]
    coming = [each for each in earliest_first if now < each.opens_at]
    candidates = begun or coming or earliest_first[-1:]
    return candidates[0] if candidates else None


def session_of_page(
    tx: Transaction, visit: Visit, enterprise_id: str, sessions: Sequence[SaleSession]
) -> SaleSession | None:
    """The session that the query names (``?sale=``), or the one of `sessions` that matters now. Raises `NotFound`."""
    named = visit.query.get("sale", "")
    return chosen_session(tx, enterprise_id, named) if named else current_session(sessions, tx.now)


def session_before(sessions: Sequence[SaleSession], session: SaleSession) -> SaleSession | None:
    """The session that was distributed before this one, of the same name if there is one: a shop may have several kinds
    of sale, or name each one."""
    earlier = [each for each in sessions if each.begins_at < session.begins_at]
    of_its_kind = [each for each in earlier if each.name == session.name]
    return max(of_its_kind or earlier, key=lambda each: each.begins_at, default=None)


def session_after(sessions: Sequence[SaleSession], session: SaleSession) -> SaleSession | None:
    """The next sale of the same name that opens after this one: a shop may have several kinds of sale."""
    later = [each for each in sessions if each.opens_at > session.opens_at and each.name == session.name]
    return min(later, key=lambda each: each.opens_at, default=None)


def chosen_session(tx: Transaction, enterprise_id: str, session_id: str) -> SaleSession:
    """The shop's session with this id. Raises `NotFound` for an unknown one, and for that of another shop."""
    session = sale_by_id(tx, session_id).session
    if session.enterprise_id != enterprise_id:
        raise NotFound
    return session
