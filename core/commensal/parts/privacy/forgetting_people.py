"""Daily deletion of expired sessions, tokens, codes and counted failures, so that their tables do not grow for ever."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from ...people.sessions import IDLE
from ...people.tables import (
    api_token,
    email_change,
    email_code,
    known_browser,
    log_in_begun,
    log_in_departure,
    log_in_failure,
    person_session,
    phone_proof,
)
from ...storage.database import Transaction

KEEP = timedelta(days=30)  # after the end: kept for the investigation of incidents


def forget_expired(tx: Transaction) -> int:
    """Deletes sessions, tokens and codes that ended before `KEEP`, and other expired rows. Returns how many."""
    cutoff = tx.now - KEEP
    session, token, code, failure = person_session.c, api_token.c, email_code.c, log_in_failure.c
    statements = (
        delete(person_session).where(
            or_(session.expires_at < cutoff, session.revoked_at < cutoff, session.seen_at < cutoff - IDLE)
        ),
        delete(api_token).where(or_(token.expires_at < cutoff, token.revoked_at < cutoff)),
        delete(email_code).where(code.expires_at < cutoff),
        delete(email_change).where(email_change.c.expires_at < tx.now),
        delete(phone_proof).where(phone_proof.c.proven_at.is_(None), phone_proof.c.asked_at < cutoff),
        delete(known_browser).where(known_browser.c.expires_at < tx.now),
        delete(log_in_begun).where(log_in_begun.c.expires_at < tx.now),
        delete(log_in_departure).where(log_in_departure.c.expires_at < tx.now),
        delete(log_in_failure).where(failure.last_at < tx.now - timedelta(days=1)),
    )
    return sum(tx.execute(statement).rowcount for statement in statements)
