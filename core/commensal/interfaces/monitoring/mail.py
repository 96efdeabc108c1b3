"""What keeps e-mails from being sent, by reason: for monitors, and for who asks `commensal check`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from ...base.errors import Problem
from ...storage.database import Transaction
from ...storage.jobs.tables import job

SECOND = 2  # tries, from which on it is more than a hiccup: the second one comes a minute after the first
_REASONS = 3  # that are told, the most frequent first
_COLUMNS = (
    job.c.state,
    job.c.error,
    func.count().label("count"),
    func.min(job.c.created_at).label("since"),
)
_FAILED = (
    select(*_COLUMNS)
    .where(job.c.kind == "mail", job.c.error != "", job.c.state.in_(("waiting", "running", "parked")))
    .where((job.c.state == "parked") | (job.c.attempts >= SECOND))
    .group_by(job.c.state, job.c.error)
    .order_by(func.count().desc(), job.c.error)
    .limit(_REASONS)
)


def unsent_mail(tx: Transaction) -> Iterator[Problem]:
    """E-mails that were refused for good, or whose delivery has failed more than once."""
    for row in tx.all(_FAILED):
        values = {"count": row["count"], "since": row["since"], "error": row["error"]}
        if row["state"] == "parked":
            text = (
                "{count} e-mails were given up, the oldest of {since:%Y-%m-%d %H:%M} UTC: {error}; see [mail], then "
                "`commensal jobs --retry mail`."
            )
        else:
            text = (
                "{count} e-mails could not be sent yet, the oldest of {since:%Y-%m-%d %H:%M} UTC: {error}; see [mail]."
            )
        yield Problem("unsent_mail", text, values=values)
