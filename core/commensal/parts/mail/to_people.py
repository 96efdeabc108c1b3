"""Sends e-mails of plugins to the people who may act: members of an enterprise, or operators of the instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ...enterprises.access import MEMBERS, RIGHTS, scopes_of_member
from ...enterprises.tables import enterprise, enterprise_member
from ...people.tables import person
from ...storage.database import Transaction
from ...storage.jobs import NewJob, enqueue_all
from .links import split_links


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Somebody who gets an e-mail in their language ("fr"); `name` is a person's, or that of the enterprise."""

    email: str
    name: str
    language: str


_PEOPLE = select(person.c.email, person.c.name, person.c.language).where(
    person.c.disabled_at.is_(None), person.c.confirmed_at.is_not(None)
)


def members_who_may(tx: Transaction, enterprise_id: str, scope: str) -> Sequence[Recipient]:
    """The members who hold the scope ("orders:write"), each in their own language; without such a member, the
    enterprise's address in its language, if it has one. Raises `NotFound`."""
    member = enterprise_member.c
    members = (
        _PEOPLE.add_columns(*RIGHTS)
        .join(MEMBERS, member.person_id == person.c.id)
        .where(member.enterprise_id == enterprise_id)
    )
    recipients = [
        Recipient(email=row["email"], name=row["name"], language=row["language"])
        for row in tx.all(members.order_by(person.c.email))
        if scope in scopes_of_member(tx, row)
    ]
    row = tx.one(
        select(enterprise.c.email, enterprise.c.name, enterprise.c.language).where(enterprise.c.id == enterprise_id)
    )
    return recipients or ([Recipient(**row)] if row["email"] else [])


def operators(tx: Transaction) -> Sequence[Recipient]:
    """The operators of the instance who have an active account."""
    return [Recipient(**row) for row in tx.all(_PEOPLE.where(person.c.is_operator).order_by(person.c.email))]


def mail_people(
    tx: Transaction, kind: str, mails: Iterable[tuple[Recipient, Mapping[str, object]]], *, typed: bool = False
) -> None:
    """Enqueues one e-mail to each recipient, with the values of its template: what JSON can encode, and `MailedLink`
    for a link with a secret.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``. Name the kind after the plugin. `typed`:
    somebody has typed the address and not proved that it is theirs, so the limit for its mailbox counts. With a value
    `stop_path`, programs offer to end such mails: they send a POST to that path of the site (RFC 8058).
    """
    enqueue_all(
        tx,
        [
            NewJob(
                "mail",
                {
                    "kind": kind,
                    "language": to.language,
                    "enterprise": to.name,
                    "to": to.email,
                    **split_links(values),
                    **({"typed": True} if typed else {}),
                },
            )
            for to, values in mails
        ],
    )
