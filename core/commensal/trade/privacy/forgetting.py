"""Forgets a person (GDPR, art. 17), and keeps what the law wants kept, under a pseudonym.

Orders, payments and journals stay: accounts are kept for ten years from the end of the year (Code de commerce, art.
L123-22), tax documents for six (LPF, art. L102 B). They name nobody any more. The name of who placed an order goes into
a table of its own, which no page reads, until those years are over. Journals name people by ids only, so their chains
of hashes hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, func, literal, or_, select, update

from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...interfaces.api.tables import idempotent_answer
from ...interfaces.mail.tables import mailbox_count
from ...storage.database import Json, Transaction, insert_rows
from ...storage.database.marks import is_personal
from ...storage.jobs.tables import job
from ..enterprises.tables import customer, customer_in_category, enterprise_member, member_invitation
from ..orders.consents import withdraw_all
from ..orders.tables import cart_line, customer_order, guest_order, order_link
from ..payments.tables import payment_journal
from ..people.fingerprint import fingerprint
from ..people.mailboxes import mailbox_of
from ..people.tables import (
    api_token,
    email_change,
    email_code,
    known_browser,
    log_in_begun,
    log_in_failure,
    person,
    person_recovery_code,
    person_second_factor,
    person_session,
)
from .belonging import rows_about
from .refusing import refuse_unsettled
from .tables import retained_identity
from .values import DataSubject, Forgotten

DOMAIN = "forgotten.invalid"  # RFC 2606: no mail ever arrives there
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_GOES = (
    person_session, api_token, email_code, email_change, log_in_begun, known_browser,
    person_recovery_code, person_second_factor, enterprise_member, customer_in_category, order_link, guest_order,
)  # fmt: skip


def forget_person(tx: Transaction, hooks: Hooks, subject: DataSubject, *, years: int) -> Forgotten:
    """Forgets the person. `years` is how long names on orders are kept, from the end of the year; 0: for ever.

    Raises `Conflict` where something is not settled, and whatever a plugin refuses it with.
    """
    refuse_unsettled(tx, subject)
    hooks.each(specifications.erase_person, tx=tx, person=subject)
    kept = _keep_identities(tx, subject, years)
    withdraw_all(tx, subject.order_ids)
    removed = dict(_remove(tx, subject))
    blanked = dict(_blank(tx, hooks, subject))
    pseudonym = f"forgotten-{subject.person_id or next(iter((*subject.customer_ids, *subject.order_ids)), '')}"
    tx.trace("forgot", "person", subject.person_id or "", customers=list(subject.customer_ids), orders=len(kept))
    return Forgotten(
        pseudonym=pseudonym,
        removed={name: count for name, count in removed.items() if count},
        blanked={name: count for name, count in blanked.items() if count},
        identities=len(kept),
        kept_until=max(kept, default=None),
    )


def _keep_identities(tx: Transaction, subject: DataSubject, years: int) -> list[datetime]:
    """Only of orders that went into accounts: those that stand, and those that money was received for."""
    order = customer_order.c
    booked = select(payment_journal.c.order_id).where(payment_journal.c.order_id == order.id).exists()
    stands = or_(order.state.in_(("Held", "Complete")), booked)
    known = select(retained_identity.c.order_id).where(retained_identity.c.order_id == order.id).exists()
    wanted = select(order.id, order.enterprise_id, order.name, order.email, order.address, order.placed_at)
    rows = tx.all(wanted.where(order.id.in_(subject.order_ids), stands, ~known, ~order.email.endswith(f"@{DOMAIN}")))
    until = {row["id"]: _FOR_EVER if years == 0 else _end_of_year(row["placed_at"], years) for row in rows}
    identities = [
        {
            "order_id": row["id"],
            "enterprise_id": row["enterprise_id"],
            "name": row["name"],
            "email": row["email"],
            "address": row["address"],
            "forgotten_at": tx.now,
            "keep_until": until[row["id"]],
        }
        for row in rows
        if until[row["id"]] > tx.now
    ]
    insert_rows(tx, retained_identity, identities)
    return [one["keep_until"] for one in identities]


def _end_of_year(moment: datetime, years: int) -> datetime:
    return datetime(moment.year + years + 1, 1, 1, tzinfo=UTC)


def _remove(tx: Transaction, subject: DataSubject) -> Iterator[tuple[str, int]]:
    """What serves nothing but the person's own use of the instance."""
    yield "idempotent_answer", tx.execute(delete(idempotent_answer).where(_answers(subject))).rowcount
    for table, theirs in rows_about(subject, ()):
        if table in _GOES:
            yield table.name, tx.execute(delete(table).where(theirs)).rowcount
    failed = log_in_failure.c.email_hash == fingerprint(subject.email)
    yield "log_in_failure", tx.execute(delete(log_in_failure).where(failed)).rowcount
    invited = member_invitation.c.email == subject.email
    yield "member_invitation", tx.execute(delete(member_invitation).where(invited)).rowcount
    got = mailbox_count.c.mailbox == fingerprint(mailbox_of(subject.email))
    yield "mailbox_count", tx.execute(delete(mailbox_count).where(got)).rowcount
    drafts = select(customer_order.c.id).where(
        customer_order.c.id.in_(subject.order_ids), customer_order.c.state == "Draft"
    )
    yield "cart_line", tx.execute(delete(cart_line).where(cart_line.c.order_id.in_(drafts))).rowcount
    yield "job", _remove_messages(tx, subject)


def _answers(subject: DataSubject) -> ColumnElement[bool]:
    """Answers that were kept for them, or that tell of them."""
    told = idempotent_answer.c.body.contains(subject.email, autoescape=True)
    if subject.person_id is None:
        return told
    tokens = select(literal("token:") + api_token.c.id).where(api_token.c.person_id == subject.person_id)
    actor = idempotent_answer.c.actor
    return or_(actor == f"person:{subject.person_id}", actor.in_(tokens), told)


def _remove_messages(tx: Transaction, subject: DataSubject) -> int:
    """E-mails to them that wait, or were parked."""
    waiting = tx.all(select(job.c.id, job.c.payload).where(job.c.state.in_(("waiting", "parked"))))
    theirs = [row["id"] for row in waiting if subject.email in (row["payload"].get("to"), row["payload"].get("email"))]
    return tx.execute(delete(job).where(job.c.id.in_(theirs))).rowcount


def _blank(tx: Transaction, hooks: Hooks, subject: DataSubject) -> Iterator[tuple[str, int]]:
    """Every column that is marked personal, in every row about them, of the core and of plugins."""
    for table, theirs in rows_about(subject, hooks.plugins()):
        personal = [one for one in table.c if is_personal(one)]
        if table in _GOES or table is retained_identity or not personal:
            continue
        values: dict[str, Any] = {one.name: _nothing(one) for one in personal}
        yield table.name, tx.execute(update(table).where(theirs).values({**values, **_instead(table, tx)})).rowcount


def _nothing(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    return [] if isinstance(column.type, Json) else ""


def _instead(table: Table, tx: Transaction) -> dict[str, Any]:
    """A pseudonym where a name is needed; and nothing opens to them any more."""
    pseudonym = literal("forgotten-") + table.c.id if "id" in table.c else None
    if pseudonym is None:
        return {}
    named = {"name": pseudonym, "email": pseudonym + f"@{DOMAIN}"}
    if table is person:
        off = {"password_hash": None, "is_operator": False, "confirmed_at": None}
        return {
            **named,
            **off,
            "disabled_at": func.coalesce(person.c.disabled_at, tx.now),
            "version": table.c.version + 1,
        }
    if table is customer:
        return {**named, "version": table.c.version + 1}
    return {**named, "secret_hash": None, "version": table.c.version + 1} if table is customer_order else {}
