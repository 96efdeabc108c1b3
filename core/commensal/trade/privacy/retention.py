"""What is let go by itself, because it is no longer needed: notes, addresses, old names, people who stay away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, literal, select, update

from ...base.errors import Refused
from ...hooks.dispatcher import Hooks
from ...instance.settings import RetentionSettings
from ...interfaces.api.tables import idempotent_answer
from ...storage.database import Flag, Transaction
from ..enterprises.tables import customer, enterprise_member
from ..orders.tables import customer_order
from ..people.tables import api_token, person, person_session
from ..sale_sessions.tables import sale_session
from .forgetting import DOMAIN, forget_person
from .subject import subject_by_email
from .tables import retained_identity

AT_ONCE = 50  # people that one run forgets: the rest is for the next day, so that nobody waits for the database


@dataclass(frozen=True, kw_only=True)
class LetGo:
    """What a run let go, or would: `people` by their addresses, and why others must stay."""

    notes: int
    answers: int
    identities: int
    people: Sequence[str]
    refused: Sequence[tuple[str, Refused]]


def let_go(tx: Transaction, hooks: Hooks, kept: RetentionSettings) -> LetGo:
    """Lets go of everything whose time is over. Runs daily; `commensal person retention --dry-run` shows what it
    would do."""
    gone, refused = _people(tx, hooks, kept)
    done = LetGo(
        notes=_notes(tx, kept.notes_days),
        answers=_answers(tx, kept.addresses_days),
        identities=tx.execute(delete(retained_identity).where(retained_identity.c.keep_until <= tx.now)).rowcount,
        people=gone,
        refused=refused,
    )
    if done.notes or done.answers or done.identities or done.people:
        tx.trace(
            "let go", "retention",
            notes=done.notes, answers=done.answers, identities=done.identities, people=len(done.people),
        )  # fmt: skip
    return done


def _notes(tx: Transaction, days: int) -> int:
    """What customers wrote on their orders may tell of allergies, health or faith (GDPR, art. 9)."""
    if days == 0:
        return 0
    over = select(sale_session.c.id).where(sale_session.c.ends_at < tx.now - timedelta(days=days))
    noted = (customer_order.c.note != "", customer_order.c.session_id.in_(over))
    return tx.execute(update(customer_order).where(*noted).values(note="")).rowcount


def _answers(tx: Transaction, days: int) -> int:
    """Kept answers to guests, whose IP address stands in them."""
    if days == 0:
        return 0
    one = idempotent_answer.c
    return tx.execute(
        delete(idempotent_answer).where(
            one.actor.startswith("address:"), one.created_at < tx.now - timedelta(days=days)
        )
    ).rowcount


def _people(tx: Transaction, hooks: Hooks, kept: RetentionSettings) -> tuple[list[str], list[tuple[str, Refused]]]:
    gone: list[str] = []
    refused: list[tuple[str, Refused]] = []
    if kept.customers_days == 0:
        return gone, refused
    for email in _inactive(tx, tx.now - timedelta(days=kept.customers_days)):
        if len(gone) == AT_ONCE:
            break
        try:
            with tx.attempt():
                forget_person(tx, hooks, subject_by_email(tx, email), years=kept.identities_years)
        except Refused as error:
            refused.append((email, error))
        else:
            gone.append(email)
    return gone, refused


def _inactive(tx: Transaction, since: datetime) -> list[str]:
    """Addresses of people and customers whom nobody has heard of since then."""
    ordered = select(customer_order.c.id).where(customer_order.c.changed_at >= since)
    people = select(person.c.email).where(
        person.c.created_at < since,
        person.c.is_operator == literal(False, Flag()),
        ~person.c.email.endswith(f"@{DOMAIN}"),
        ~_any(person_session.c.person_id == person.c.id, person_session.c.seen_at >= since),
        ~_any(api_token.c.person_id == person.c.id, api_token.c.revoked_at.is_(None)),
        ~_any(enterprise_member.c.person_id == person.c.id),
        ~ordered.where(customer_order.c.person_id == person.c.id).exists(),
        ~ordered.where(customer_order.c.email == person.c.email).exists(),
    )
    guests = select(customer.c.email).where(
        customer.c.person_id.is_(None),
        customer.c.created_at < since,
        ~customer.c.email.endswith(f"@{DOMAIN}"),
        ~ordered.where(customer_order.c.customer_id == customer.c.id).exists(),
        ~_any(person.c.email == customer.c.email),
    )
    found = people.union(guests).order_by("email").limit(AT_ONCE * 4)
    return list(tx.execute(found).scalars())


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(literal(1)).where(*conditions).exists()
