"""Single-use codes that travel by e-mail: whoever has one reads the mail of that address."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, String, func, insert, literal, select, update

from ...base.errors import Refused
from ...storage.database import Time, Transaction
from ...storage.jobs import promise
from .fingerprint import fingerprint
from .tables import email_code, person

Purpose = Literal["confirm", "reset"]
LASTS: dict[Purpose, timedelta] = {"confirm": timedelta(days=3), "reset": timedelta(minutes=20)}
_MOST = 5  # mails an hour to one address: more would only annoy whoever reads it


def mail_code(tx: Transaction, email: str, purpose: Purpose, *, kind: str) -> bool:
    """Promises an e-mail of this `kind` with a new code to the person at `email`, as it is kept.

    Nothing is sent, and False returned, where there is nobody, they are disabled, or they had five in this hour.
    """
    secret = tx.ids.secret()
    lately = select(func.count()).where(
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
        person.c.email == email, person.c.disabled_at.is_(None), lately.scalar_subquery() < _MOST
    )
    if tx.execute(insert(email_code).from_select(list(values), addressee)).rowcount != 1:
        return False
    known = tx.one(select(person.c.name, person.c.language).where(person.c.email == email))
    promise(tx, "mail", {"kind": kind, "to": email, **known, "code": secret})
    return True


def use_code(tx: Transaction, secret: str, purpose: Purpose, *, person_id: str | None = None) -> str:
    """The id of the person whose code this is (`person_id`, if given). It can never be used again.

    Raises `Refused` for a code that is not valid, or not any more.
    """
    code = email_code
    statement = update(code).where(*_valid(tx, secret, purpose))
    if person_id is not None:
        statement = statement.where(code.c.person_id == person_id)
    found: str | None = tx.value(statement.values(used_at=tx.now).returning(code.c.person_id))
    if found is None:
        raise Refused("code", "This link is not valid any more. Please ask for a new one.")
    return found


def owner_of_code(tx: Transaction, secret: str, purpose: Purpose) -> str | None:
    """The address of the person whose code this is, without using it up; None for a code that is not valid."""
    found: str | None = tx.value(select(email_code.c.email).where(*_valid(tx, secret, purpose)))
    return found


def _valid(tx: Transaction, secret: str, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    code = email_code.c
    return (
        code.hash == fingerprint(secret),
        code.purpose == purpose,
        code.used_at.is_(None),
        code.expires_at > tx.now,
        code.email == select(person.c.email).where(person.c.id == code.person_id).scalar_subquery(),
    )
