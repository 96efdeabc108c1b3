"""Finds e-mails that could not be sent, by reason, for monitors and for `commensal check`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from ...base.errors import Problem
from ...storage.database import Transaction
from ...storage.jobs.tables import job

MIN_ATTEMPTS = 2  # a single failed attempt may be temporary; the second comes a minute later
_MAX_REASONS = 3  # reported at most, the most frequent first
_COLUMNS = (
    job.c.state,
    job.c.error,
    func.count().label("count"),
    func.min(job.c.created_at).label("since"),
)
_FAILED = (
    select(*_COLUMNS)
    .where(job.c.kind == "mail", job.c.error != "", job.c.state.in_(("waiting", "running", "parked")))
    .where((job.c.state == "parked") | (job.c.attempts >= MIN_ATTEMPTS))
    .group_by(job.c.state, job.c.error)
    .order_by(func.count().desc(), job.c.error)
    .limit(_MAX_REASONS)
)


def unsent_mail(tx: Transaction) -> Iterator[Problem]:
    """A problem for each reason why e-mails were refused for good, or failed more than once."""
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
