"""Automatic erasure of data that is no longer needed: notes, IP addresses, old names, inactive people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, delete, func, insert, literal, or_, select, update

from ...base.errors import Refused
from ...enterprises.tables import customer, enterprise_member
from ...hooks.dispatcher import Hooks
from ...instance.settings import RetentionSettings
from ...instance.tables import audit_entry, audit_expiry
from ...orders.tables import customer_order
from ...orders.values import Identity
from ...people.sessions import IDLE
from ...people.tables import (
    api_token,
    email_change,
    email_code,
    known_browser,
    log_in_begun,
    log_in_departure,
    log_in_failure,
    person,
    person_session,
    phone_proof,
)
from ...sale_sessions.tables import sale_session
from ...storage.database import Flag, Transaction
from ...storage.idempotency import idempotent_answer
from .export import subject_by_email
from .forgetting import DOMAIN, forget_person
from .tables import retained_identity

AT_ONCE = 50  # people that one run erases; the rest follows the next day, so that the database is not blocked


@dataclass(frozen=True, kw_only=True)
class RetentionReport:
    """The effect of a run or dry run: numbers of erased rows, addresses of erased `people`, and of those who must stay,
    with the reason."""

    notes: int
    answers: int
    identities: int
    people: Sequence[str]
    refused: Sequence[tuple[str, Refused]]


def apply_retention(tx: Transaction, hooks: Hooks, settings: RetentionSettings) -> RetentionReport:
    """Erases everything whose retention period is over. Runs daily; `commensal person retention --dry-run` shows what
    it would do."""
    forgotten, refused = _people(tx, hooks, settings)
    report = RetentionReport(
        notes=_notes(tx, settings.notes_days),
        answers=_answers(tx, settings.addresses_days),
        identities=tx.execute(delete(retained_identity).where(retained_identity.c.keep_until <= tx.now)).rowcount,
        people=forgotten,
        refused=refused,
    )
    if report.notes or report.answers or report.identities or report.people:
        tx.trace(
            "let go",
            "retention",
            notes=report.notes,
            answers=report.answers,
            identities=report.identities,
            people=len(report.people),
        )
    return report


def _notes(tx: Transaction, days: int) -> int:
    """Empties what customers wrote on old orders: notes, which may reveal allergies, health or faith (GDPR, art. 9),
    others who collected them, and fields of plugins, like the code of a door."""
    if days == 0:
        return 0
    sessions = select(sale_session.c.id).where(sale_session.c.ends_at < tx.now - timedelta(days=days))
    order = customer_order.c
    has_words = or_(order.note != "", order.collector != "", cast(order.plugin_fields, Text) != "{}")
    emptied = update(customer_order).where(has_words, order.session_id.in_(sessions))
    return tx.execute(emptied.values(note="", collector="", plugin_fields={})).rowcount


def _answers(tx: Transaction, days: int) -> int:
    """Deletes kept answers to guests, which contain their IP address."""
    if days == 0:
        return 0
    columns = idempotent_answer.c
    return tx.execute(
        delete(idempotent_answer).where(
            columns.actor.startswith("address:"), columns.created_at < tx.now - timedelta(days=days)
        )
    ).rowcount


def _people(tx: Transaction, hooks: Hooks, settings: RetentionSettings) -> tuple[list[str], list[tuple[str, Refused]]]:
    forgotten: list[str] = []
    refused: list[tuple[str, Refused]] = []
    if settings.customers_days == 0:
        return forgotten, refused
    for email in _inactive(tx, tx.now - timedelta(days=settings.customers_days)):
        if len(forgotten) == AT_ONCE:
            break
        try:
            with tx.attempt():
                forget_person(tx, hooks, subject_by_email(tx, hooks, email), years=settings.identities_years)
        except Refused as error:
            refused.append((email, error))
        else:
            forgotten.append(email)
    return forgotten, refused


def _inactive(tx: Transaction, since: datetime) -> list[str]:
    """Addresses of people and customers without any activity since `since`."""
    ordered = select(customer_order.c.id).where(customer_order.c.changed_at >= since)
    people = select(person.c.email).where(
        person.c.created_at < since,
        person.c.is_operator == literal(False, Flag()),
        ~person.c.email.endswith(f"@{DOMAIN}"),
        ~_exists(person_session.c.person_id == person.c.id, person_session.c.seen_at >= since),
        ~_exists(api_token.c.person_id == person.c.id, api_token.c.revoked_at.is_(None)),
        ~_exists(enterprise_member.c.person_id == person.c.id),
        ~ordered.where(customer_order.c.person_id == person.c.id).exists(),
        ~ordered.where(customer_order.c.email == person.c.email).exists(),
        ~ordered.join(customer, customer.c.id == customer_order.c.customer_id)  # by somebody of their household
        .where(customer.c.person_id == person.c.id, customer_order.c.identity != Identity.TYPED)
        .exists(),
    )
    guests = select(customer.c.email).where(
        customer.c.person_id.is_(None),
        customer.c.created_at < since,
        ~customer.c.email.endswith(f"@{DOMAIN}"),
        ~ordered.where(customer_order.c.customer_id == customer.c.id).exists(),
        ~_exists(person.c.email == customer.c.email),
    )
    query = people.union(guests).order_by("email").limit(AT_ONCE * 4)
    return list(tx.execute(query).scalars())


def _exists(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(literal(1)).where(*conditions).exists()


# Deletes audit entries that are too old. Their expiry is recorded first: without it, the database refuses.


def forget_old_entries(tx: Transaction, *, days: int) -> int:
    """Deletes entries older than `days` and returns how many; 0 days keep everything. Runs daily."""
    before = tx.now - timedelta(days=days)
    is_old = audit_entry.c.at < before
    if days == 0 or not tx.value(select(func.count()).select_from(audit_entry).where(is_old)):
        return 0
    tx.execute(insert(audit_expiry).values(id=tx.new_id(), at=tx.now, before=before))
    deleted = tx.execute(delete(audit_entry).where(is_old)).rowcount
    tx.trace("forgot", "audit_entry", before=before.isoformat(), entries=deleted)
    return deleted


# Daily deletion of expired sessions, tokens, codes and counted failures, so that their tables do not grow for ever.

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
