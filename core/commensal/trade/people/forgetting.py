"""Deletes what has run out: sessions, codes and counted failures. Runs daily; nothing here grows with the years."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from ...storage.database import Transaction
from .sessions import IDLE
from .tables import api_token, email_change, email_code, known_browser, log_in_begun, log_in_failure, person_session

KEEP = timedelta(days=30)  # what has ended is kept a while, for whoever looks into an incident


def forget_what_ran_out(tx: Transaction) -> int:
    """Deletes what ended more than thirty days ago. Returns how many rows."""
    then = tx.now - KEEP
    session, token, code, failure = person_session.c, api_token.c, email_code.c, log_in_failure.c
    statements = (
        delete(person_session).where(
            or_(session.expires_at < then, session.revoked_at < then, session.seen_at < then - IDLE)
        ),
        delete(api_token).where(or_(token.expires_at < then, token.revoked_at < then)),
        delete(email_code).where(code.expires_at < then),
        delete(email_change).where(email_change.c.expires_at < tx.now),
        delete(known_browser).where(known_browser.c.expires_at < tx.now),
        delete(log_in_begun).where(log_in_begun.c.expires_at < tx.now),
        delete(log_in_failure).where(failure.last_at < tx.now - timedelta(days=1)),
    )
    return sum(tx.execute(one).rowcount for one in statements)
