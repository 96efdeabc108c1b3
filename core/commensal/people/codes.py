"""Single-use codes of links in e-mails: having one proves access to the mails of an address.

A code is created when its e-mail is sent, in the transaction that admits the e-mail. The job that waits for a worker
names the person only, so that neither the database nor a backup of it ever contains a code that works: `email_code`
has their SHA-256. A retried e-mail has another code; earlier ones stay valid, since the earlier e-mail may have come.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import ColumnElement, ScalarSelect, String, insert, literal, select, update

from ..base.errors import Refused
from ..storage.database import Time, Transaction
from ..storage.jobs import enqueue
from .tables import email_change, email_code, person

# Fingerprints of secrets: enough to recognise a secret, useless for logging in.


def fingerprint(secret: str) -> str:
    """The SHA-256 in hex. Only for secrets of 112 random bits or more (ASVS 6.5.2), which need no slow hash."""
    return sha256(secret.encode()).hexdigest()


Purpose = Literal["confirm", "reset", "change"]
LASTS: dict[Purpose, timedelta] = {
    "confirm": timedelta(days=3),
    "reset": timedelta(minutes=20),
    "change": timedelta(days=1),
}
_RECIPIENT = select(person.c.id.label("person_id"), person.c.name, person.c.language)


def mail_code(tx: Transaction, email: str, purpose: Purpose, *, kind: str, source: str = "") -> bool:
    """Enqueues an e-mail of this `kind` with a new code to the person whose address is `email` (as kept).

    `source` is the known browser or the network that asks for it, by which it is counted too.

    Sends nothing and returns False if there is no such person, or they are disabled. How many e-mails leave is limited
    when they are sent (`parts/mail/capping.py`).
    """
    recipient = tx.first(_RECIPIENT.where(person.c.email == email, person.c.disabled_at.is_(None)))
    if recipient is not None:
        asked_by = {"source": source} if source else {}
        enqueue(tx, "mail", {"kind": kind, "purpose": purpose, "to": email, **asked_by, **recipient})
    return recipient is not None


def new_code(tx: Transaction, person_id: str, purpose: Purpose, email: str) -> str | None:
    """Creates a code that proves access to `email`: for "change", the address that the person wants, else the one that
    they have. None if it is not that any more, or the person is disabled. The code must go nowhere but to its reader.
    """
    secret = tx.ids.secret()
    values = {
        "hash": literal(fingerprint(secret), String),
        "person_id": person.c.id,
        "purpose": literal(purpose, String),
        "email": literal(email, String),
        "created_at": literal(tx.now, Time),
        "expires_at": literal(tx.now + LASTS[purpose], Time),
    }
    address = _address(tx, purpose, literal(person_id, String))
    addressee = select(*values.values()).where(
        person.c.id == person_id, person.c.disabled_at.is_(None), address == email
    )
    inserted = tx.execute(insert(email_code).from_select(list(values), addressee))
    return secret if inserted.rowcount == 1 else None


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
        code.email == _address(tx, purpose, code.person_id),
    )


def _address(tx: Transaction, purpose: Purpose, person_id: ColumnElement[str]) -> ScalarSelect[str]:
    """The address of a person that a code of this purpose proves."""
    if purpose == "change":
        wish = email_change.c
        return select(wish.email).where(wish.person_id == person_id, wish.expires_at > tx.now).scalar_subquery()
    return select(person.c.email).where(person.c.id == person_id).scalar_subquery()
