"""Single-use codes sent by e-mail: having one proves access to the mails of that address."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, String, func, insert, literal, select, update

from ...base.errors import Refused
from ...storage.database import Time, Transaction
from ...storage.jobs import enqueue
from .fingerprint import fingerprint
from .tables import email_code, person

Purpose = Literal["confirm", "reset"]
LASTS: dict[Purpose, timedelta] = {"confirm": timedelta(days=3), "reset": timedelta(minutes=20)}
_MOST = 5  # mails an hour to one address: more would only annoy its owner


def mail_code(tx: Transaction, email: str, purpose: Purpose, *, kind: str) -> bool:
    """Promises an e-mail of this `kind` with a new code to the person whose address is `email` (as kept).

    Sends nothing and returns False if there is no such person, they are disabled, or got five within the last hour.
    """
    code = new_code(tx, email, purpose)
    if code is None:
        return False
    recipient = tx.one(select(person.c.name, person.c.language).where(person.c.email == email))
    enqueue(tx, "mail", {"kind": kind, "to": email, **recipient, "code": code})
    return True


def new_code(tx: Transaction, email: str, purpose: Purpose) -> str | None:
    """A new code of the person whose address is `email` (as kept). None where `mail_code` sends nothing."""
    secret = tx.ids.secret()
    recent = select(func.count()).where(
        email_code.c.person_id == person.c.id,
        email_code.c.purpose == purpose,
        email_code.c.created_at > tx.now - timedelta(hours=1),
    )
    values = {
        "hash": literal(fingerprint(secret), String),
        "person_id": person.c.id,
        "purpose": literal(purpose, String),
        "email": person.c.email,
        "created_at": literal(tx.now, Time),
        "expires_at": literal(tx.now + LASTS[purpose], Time),
    }
    addressee = select(*values.values()).where(
        person.c.email == email, person.c.disabled_at.is_(None), recent.scalar_subquery() < _MOST
    )
    is_made = tx.execute(insert(email_code).from_select(list(values), addressee)).rowcount == 1
    return secret if is_made else None


def use_code(tx: Transaction, secret: str, purpose: Purpose, *, person_id: str | None = None) -> str:
    """Uses up a code and returns the id of its person, who must be `person_id` if given.

    Raises `Refused` for a code that is unknown, expired or used.
    """
    code = email_code
    statement = update(code).where(*_valid(tx, secret, purpose))
    if person_id is not None:
        statement = statement.where(code.c.person_id == person_id)
    owner_id: str | None = tx.value(statement.values(used_at=tx.now).returning(code.c.person_id))
    if owner_id is None:
        raise Refused("code", "This link is not valid any more. Please ask for a new one.")
    return owner_id


def owner_of_code(tx: Transaction, secret: str, purpose: Purpose) -> str | None:
    """The address of the code's person; does not use the code up. None for a code that is not valid."""
    address: str | None = tx.value(select(email_code.c.email).where(*_valid(tx, secret, purpose)))
    return address


def _valid(tx: Transaction, secret: str, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    code = email_code.c
    return (
        code.hash == fingerprint(secret),
        code.purpose == purpose,
        code.used_at.is_(None),
        code.expires_at > tx.now,
        code.email == select(person.c.email).where(person.c.id == code.person_id).scalar_subquery(),
    )
