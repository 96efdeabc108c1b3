"""Decides whether the machine's clock is plausible, from the last moment at which it was trusted.

A clock that is years ahead would delete everything whose retention seems to be over. So irreversible work waits after
a jump of more than nine days, until a time server vouches for the clock or a person says that it is right. That the
clock goes on steadily proves nothing. A pause of up to nine days, or a new instance, is not a reason for doubt.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, delete, func, or_, select

from ..database import Time, Transaction, insert_once
from .tables import job, job_slot

EVERY_MINUTE = "announce_openings"  # periodic work of every instance
BRING_FORWARD = "bring_forward"  # the periodic work of `bringing_forward`
PAUSE = timedelta(days=9)  # without work, for which a machine that was off is explanation enough
AHEAD = timedelta(minutes=1)  # tolerance for rows that are newer than the clock
_TRUSTED = "clock_trusted"  # the name of the row with the last trusted moment
_WAS_AHEAD = "clock_was_ahead"  # the name of rows with the last minute of work of a clock that was ahead


def trusted_at(now: datetime | BindParameter[datetime]) -> Select[datetime | None]:
    """A query for the last trusted moment; NULL for a new instance. Before there is one, it is the last work."""
    trusted = select(func.max(job_slot.c.slot)).where(job_slot.c.name == _TRUSTED)
    last_work = select(func.max(job_slot.c.slot)).where(job_slot.c.name == EVERY_MINUTE, job_slot.c.slot <= now)
    return select(func.coalesce(trusted.scalar_subquery(), last_work.scalar_subquery()))


# Made once, since each minute needs them.
_TRUSTED_AT = trusted_at(bindparam("now", type_=Time))
_UNTRUST = delete(job_slot).where(job_slot.c.name == _TRUSTED)


def in_doubt(now: datetime, trusted: datetime | None) -> bool:
    """Whether the clock has jumped ahead since `trusted`, the result of `trusted_at`."""
    return trusted is not None and trusted < now - PAUSE


def clock_in_doubt(tx: Transaction) -> bool:
    """Whether irreversible work must wait, because the clock has jumped ahead and nobody has vouched for it. One
    statement, so ask it only when something would be deleted or ended."""
    return in_doubt(tx.now, tx.value(_TRUSTED_AT, {"now": tx.now}))


def may_run(irreversible: frozenset[str]) -> ColumnElement[bool]:
    """A condition on the table of jobs: all kinds, without the `irreversible` ones while the clock is in doubt. It
    needs the parameters `now` and `plausible_since` (`now` less `PAUSE`)."""
    trusted = trusted_at(bindparam("now", type_=Time)).scalar_subquery()
    plausible = func.coalesce(trusted, bindparam("now", type_=Time)) >= bindparam("plausible_since", type_=Time)
    return or_(job.c.kind.not_in(sorted(irreversible)), plausible)


def trust_clock(tx: Transaction, *, vouched: bool) -> None:
    """Makes now the last trusted moment, unless the clock is in doubt and neither a time server nor a person has
    `vouched` for it.

    A clock that nobody vouches for and that was set back leaves that moment as it is: otherwise it would be in doubt as
    soon as somebody sets it right.
    """
    if vouched:
        _forget_work_ahead(tx)
    else:
        trusted = tx.value(_TRUSTED_AT, {"now": tx.now})
        if in_doubt(tx.now, trusted) or (trusted is not None and trusted > tx.now):
            return
    tx.change(_UNTRUST)
    insert_once(tx, job_slot, {"name": _TRUSTED, "slot": tx.now})


def newest_slot() -> Select[datetime | None]:
    """A query for the minute in which a worker last worked; NULL before the first time."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == EVERY_MINUTE)


def was_ahead_until() -> Select[datetime | None]:
    """A query for the last minute of work of a clock that was ahead, and that somebody has set right since; NULL if
    there was none. Rows of that time keep their moments."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == _WAS_AHEAD)


def _forget_work_ahead(tx: Transaction) -> None:
    """What lies ahead of a clock that is right was written by one that was wrong: it would look like a clock that is
    behind, and like work that is done, until that moment has come."""
    newest = tx.value(newest_slot())
    if newest is not None and newest > tx.now + AHEAD:
        insert_once(tx, job_slot, {"name": _WAS_AHEAD, "slot": newest})
        ahead = (job_slot.c.slot > tx.now, job_slot.c.name.not_in((_TRUSTED, _WAS_AHEAD)))
        tx.execute(delete(job_slot).where(*ahead))
        tx.execute(delete(job_slot).where(job_slot.c.name == BRING_FORWARD))  # what waits for that moment is due now
