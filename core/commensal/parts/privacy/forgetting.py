"""Erases the data of a person (GDPR, art. 17), and keeps what the law requires under a pseudonym.

Orders, payments and journals stay: accounts must be kept for ten years from the end of the year (Code de commerce, art.
L123-22), tax documents for six (LPF, art. L102 B). They no longer contain a name. The name on an order moves into a
table that no page reads, until those years are over. Journals contain only ids of people, so their hash chains stay
valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Column, ColumnElement, DefaultClause, Table, and_, delete, func, literal, or_, select, update

from ...base.errors import Conflict
from ...enterprises.tables import (
    customer,
    customer_in_category,
    customer_person,
    enterprise,
    enterprise_member,
    household_invitation,
    member_invitation,
)
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.consents import withdraw_all
from ...orders.tables import cart_line, customer_order, guest_order, order_link
from ...payments.tables import payment_journal
from ...people.codes import fingerprint
from ...people.email import mailbox_of
from ...people.tables import (
    api_token,
    email_change,
    email_code,
    known_browser,
    log_in_begun,
    log_in_departure,
    log_in_failure,
    mailbox_count,
    person,
    person_identity,
    person_recovery_code,
    person_second_factor,
    person_session,
    phone_proof,
)
from ...sale_sessions.tables import sale_session
from ...storage.database import Json, RowQuery, Transaction, insert_rows
from ...storage.database.marks import is_personal
from ...storage.idempotency import idempotent_answer
from ...storage.jobs.tables import job
from .personal_rows import DataSubject, Forgotten, rows_about
from .tables import retained_identity

# Reasons to refuse the erasure of a person for now: unsettled orders, and enterprises without another owner.


def refuse_unsettled(tx: Transaction, subject: DataSubject) -> None:
    """Raises `Conflict` naming the first order that is under way, unpaid or to be refunded, or an enterprise that would
    be left without an owner."""
    for row in tx.all(_unsettled(tx, subject).limit(1)):
        raise Conflict(
            "order_open",
            "Order {number} at {shop} is not settled yet: first it must be handed over and paid, or cancelled.",
            number=row["number"],
            shop=row["name"],
        )
    if subject.person_id is None:
        return
    for row in tx.all(_owned_alone(subject.person_id)):
        raise Conflict("last_owner", "{shop} has no other owner; make somebody else one first.", shop=row["name"])


def _unsettled(tx: Transaction, subject: DataSubject) -> RowQuery:
    order = customer_order.c
    placed = order.state.in_(("Held", "Complete"))
    under_way = or_(order.state == "Held", sale_session.c.ends_at > tx.now)
    owes = or_(order.payment_state == "Unpaid", order.paid_total != order.total)
    owed = and_(order.state == "Cancelled", order.paid_total != 0)
    return (
        select(order.number, enterprise.c.name)
        .join(enterprise, enterprise.c.id == order.enterprise_id)
        .join(sale_session, sale_session.c.id == order.session_id)
        .where(order.id.in_(subject.order_ids), or_(and_(placed, or_(under_way, owes)), owed))
        .order_by(order.placed_at)
    )


def _owned_alone(person_id: str) -> RowQuery:
    member, other = enterprise_member, enterprise_member.alias()
    others = select(other.c.person_id).where(
        other.c.enterprise_id == member.c.enterprise_id, other.c.role == "owner", other.c.person_id != person_id
    )
    return (
        select(enterprise.c.name)
        .join(member, member.c.enterprise_id == enterprise.c.id)
        .where(
            member.c.person_id == person_id,
            member.c.role == "owner",
            ~others.exists(),
            enterprise.c.archived_at.is_(None),
        )
    )


DOMAIN = "forgotten.invalid"  # RFC 2606: no mail ever arrives there
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_DELETED = (
    person_session,
    api_token,
    email_code,
    email_change,
    log_in_begun,
    log_in_departure,
    known_browser,
    phone_proof,
    person_identity,
    person_recovery_code,
    person_second_factor,
    enterprise_member,
    customer_in_category,
    customer_person,
    household_invitation,
    order_link,
    guest_order,
)


def forget_person(tx: Transaction, hooks: Hooks, subject: DataSubject, *, years: int) -> Forgotten:
    """Erases the person. Names on orders are kept for `years` from the end of the year of the order; 0: for ever.

    Raises `Conflict` if something is not settled, and any `Refused` that a plugin raises.
    """
    refuse_unsettled(tx, subject)
    hooks.each(specifications.erase_person, tx=tx, person=subject)
    retained = _keep_identities(tx, subject, years)
    withdraw_all(tx, subject.order_ids)
    removed = dict(_remove(tx, subject))
    blanked = dict(_blank(tx, hooks, subject))
    pseudonym = f"forgotten-{subject.person_id or next(iter((*subject.customer_ids, *subject.order_ids)), '')}"
    tx.trace("forgot", "person", subject.person_id or "", customers=list(subject.customer_ids), orders=len(retained))
    return Forgotten(
        pseudonym=pseudonym,
        removed={name: count for name, count in removed.items() if count},
        blanked={name: count for name, count in blanked.items() if count},
        identities=len(retained),
        kept_until=max(retained, default=None),
    )


def _keep_identities(tx: Transaction, subject: DataSubject, years: int) -> list[datetime]:
    """Keeps the names on orders that belong to the accounts: held and complete ones, and those with a journal entry.

    Returns when each of them will be deleted.
    """
    order = customer_order.c
    has_journal = select(payment_journal.c.order_id).where(payment_journal.c.order_id == order.id).exists()
    is_booked = or_(order.state.in_(("Held", "Complete")), has_journal)
    is_retained = select(retained_identity.c.order_id).where(retained_identity.c.order_id == order.id).exists()
    query = select(order.id, order.enterprise_id, order.name, order.email, order.address, order.placed_at)
    rows = tx.all(
        query.where(order.id.in_(subject.order_ids), is_booked, ~is_retained, ~order.email.endswith(f"@{DOMAIN}"))
    )
    keep_until = {row["id"]: _FOR_EVER if years == 0 else _end_of_year(row["placed_at"], years) for row in rows}
    identities = [
        {
            "order_id": row["id"],
            "enterprise_id": row["enterprise_id"],
            "name": row["name"],
            "email": row["email"],
            "address": row["address"],
            "forgotten_at": tx.now,
            "keep_until": keep_until[row["id"]],
        }
        for row in rows
        if keep_until[row["id"]] > tx.now
    ]
    insert_rows(tx, retained_identity, identities)
    return [row["keep_until"] for row in identities]


def _end_of_year(moment: datetime, years: int) -> datetime:
    return datetime(moment.year + years + 1, 1, 1, tzinfo=UTC)


def _remove(tx: Transaction, subject: DataSubject) -> Iterator[tuple[str, int]]:
    """Deletes rows that serve only the person's own use of the instance. Yields the number of rows by table."""
    yield "idempotent_answer", tx.execute(delete(idempotent_answer).where(_is_their_answer(subject))).rowcount
    for table, is_about_them in rows_about(subject, ()):
        if table in _DELETED:
            yield table.name, tx.execute(delete(table).where(is_about_them)).rowcount
    failed = log_in_failure.c.email_hash == fingerprint(subject.email)
    yield "log_in_failure", tx.execute(delete(log_in_failure).where(failed)).rowcount
    invited = member_invitation.c.email == subject.email
    yield "member_invitation", tx.execute(delete(member_invitation).where(invited)).rowcount
    to_household = household_invitation.c.email == subject.email
    yield "invitations to households", tx.execute(delete(household_invitation).where(to_household)).rowcount
    got = mailbox_count.c.mailbox == fingerprint(mailbox_of(subject.email))
    yield "mailbox_count", tx.execute(delete(mailbox_count).where(got)).rowcount
    drafts = select(customer_order.c.id).where(
        customer_order.c.id.in_(subject.order_ids), customer_order.c.state == "Draft"
    )
    yield "cart_line", tx.execute(delete(cart_line).where(cart_line.c.order_id.in_(drafts))).rowcount
    yield "job", _remove_messages(tx, subject)


def _is_their_answer(subject: DataSubject) -> ColumnElement[bool]:
    """The condition for kept answers to the person's requests, and for answers that contain their address."""
    mentions_them = idempotent_answer.c.body.contains(subject.email, autoescape=True)
    if subject.person_id is None:
        return mentions_them
    tokens = select(literal("token:") + api_token.c.id).where(api_token.c.person_id == subject.person_id)
    actor = idempotent_answer.c.actor
    return or_(actor == f"person:{subject.person_id}", actor.in_(tokens), mentions_them)


def _remove_messages(tx: Transaction, subject: DataSubject) -> int:
    """Deletes jobs with e-mails to the person that wait or are parked. Returns how many."""
    waiting = tx.all(select(job.c.id, job.c.payload).where(job.c.state.in_(("waiting", "parked"))))
    job_ids = [row["id"] for row in waiting if subject.email in (row["payload"].get("to"), row["payload"].get("email"))]
    return tx.execute(delete(job).where(job.c.id.in_(job_ids))).rowcount


def _blank(tx: Transaction, hooks: Hooks, subject: DataSubject) -> Iterator[tuple[str, int]]:
    """Empties every column marked as personal, in every row about the person. Yields the number of rows by table."""
    for table, is_about_them in rows_about(subject, hooks.plugins()):
        personal = [column for column in table.c if is_personal(column)]
        if table in _DELETED or table is retained_identity or not personal:
            continue
        values: dict[str, object] = {column.name: _empty_value(column) for column in personal}
        yield (
            table.name,
            tx.execute(update(table).where(is_about_them).values({**values, **_replacements(table, tx)})).rowcount,
        )


def _empty_value(column: Column[object]) -> object:
    if column.nullable:
        return None
    if not isinstance(column.type, Json):
        return ""
    assert isinstance(column.server_default, DefaultClause), f"{column} has no empty value"
    return msgspec.json.decode(str(column.server_default.arg))


def _replacements(table: Table, tx: Transaction) -> dict[str, object]:
    """A pseudonym for columns that need a name, and values that end all access of the person."""
    pseudonym = literal("forgotten-") + table.c.id if "id" in table.c else None
    if pseudonym is None:
        return {}
    names = {"name": pseudonym, "email": pseudonym + f"@{DOMAIN}"}
    if table is person:
        disabled = {"password_hash": None, "is_operator": False, "confirmed_at": None}
        return {
            **names,
            **disabled,
            "disabled_at": func.coalesce(person.c.disabled_at, tx.now),
            "version": table.c.version + 1,
        }
    if table is customer:
        return {**names, "version": table.c.version + 1}
    return {**names, "secret_hash": None, "version": table.c.version + 1} if table is customer_order else {}
