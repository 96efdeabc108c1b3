"""Brings forward what was put off while the clock was ahead, once it is right again.

Whatever failed then is due again in that future: jobs, a next try to log in, the next call of a peer. But no retry is
put off for longer than a known time, so a moment further ahead shows by itself that the clock was wrong when it was
written. It becomes now, which costs one more try at worst. Where it is known that the clock was ahead, by minutes only,
so does every such moment until then: nobody can tell which of them it has written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache

from sqlalchemy import Column, Table, bindparam, or_, select, update

from ..database import RowQuery, Time, Transaction
from ..database.marks import most_ahead
from .clock import was_ahead_until
from .run import DELAYS
from .tables import job

_AHEAD = timedelta(hours=1)  # of `created_at`; less may be the clock of another machine
_AT_ONCE = 1_000  # jobs


def bring_forward(tx: Transaction, tables: Iterable[Table]) -> None:
    """Sets every moment to now that lies further ahead than its column's mark allows, or that a clock which is known
    to have been ahead may have written, and makes jobs due that were put off while the clock was ahead."""
    ahead_until = tx.value(was_ahead_until())
    was_ahead = ahead_until is not None and ahead_until > tx.now
    for table in tables:
        for column in table.columns:
            longest = most_ahead(column)
            longest = timedelta() if was_ahead and longest else longest
            if longest is not None and tx.first(_any_ahead(column), {"latest": tx.now + longest}) is not None:
                tx.execute(update(table).where(column > tx.now + longest).values({column: tx.now}))
    _bring_jobs_forward(tx, *((timedelta(), timedelta()) if was_ahead else (DELAYS[-1], _AHEAD)))


@cache
def _any_ahead(column: Column[object]) -> RowQuery:
    """Whether there is anything to do, which is hardly ever: made once for each column, and cheap to ask each hour."""
    return select(column).where(column > bindparam("latest", type_=Time)).limit(1)


def _bring_jobs_forward(tx: Transaction, beyond: timedelta, ahead: timedelta) -> None:
    """A job that has failed is due within the longest delay. So is one that was created ahead of time to be due soon
    after, like another try that a handler has enqueued; one for a later moment keeps it. `beyond`: how far ahead a job
    lies at least to be looked at; `ahead`: how far one was created ahead of time, unless it has failed."""
    put_off = select(job.c.id, job.c.attempts, job.c.created_at, job.c.due_at).where(
        job.c.state == "waiting",
        job.c.due_at > tx.now + beyond,
        or_(job.c.attempts > 0, job.c.created_at > tx.now + ahead),
    )
    rows = tx.all(put_off.order_by(job.c.due_at).limit(_AT_ONCE))
    ids = [row["id"] for row in rows if row["attempts"] or row["due_at"] <= row["created_at"] + DELAYS[-1]]
    if ids:
        tx.execute(update(job).where(job.c.id.in_(ids), job.c.state == "waiting").values(due_at=tx.now))
        tx.due_moments.append(tx.now)
