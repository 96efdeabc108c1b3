"""Browsers with which a person has logged in before, each recognised by a secret in a cookie. The secret gives no
access: it only exempts the browser from the limits that wrong passwords from elsewhere have caused."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from ..storage.database import Transaction
from .fingerprint import fingerprint
from .tables import known_browser, person

LASTS = timedelta(days=365)  # since the last log-in


def knows_browser(tx: Transaction, email: str, secret: str) -> bool:
    """Whether the person at this address has logged in with the browser that holds `secret`."""
    row = known_browser.c
    of_person = select(row.hash).join(person, person.c.id == row.person_id).where(person.c.email == email)
    return tx.value(of_person.where(row.hash == fingerprint(secret), row.expires_at > tx.now)) is not None


def remember_browser(tx: Transaction, person_id: str, secret: str) -> str:
    """Remembers the browser for `LASTS`, and returns its secret: the current one if it is theirs, or a new one."""
    row = known_browser.c
    statement = update(known_browser).where(row.hash == fingerprint(secret), row.person_id == person_id)
    if secret and tx.execute(statement.values(expires_at=tx.now + LASTS)).rowcount == 1:
        return secret
    new = tx.ids.secret()
    values = {"hash": fingerprint(new), "person_id": person_id, "created_at": tx.now, "expires_at": tx.now + LASTS}
    tx.execute(insert(known_browser).values(values))
    return new


def forget_browsers(tx: Transaction, person_id: str) -> None:
    """Forgets all browsers of a person, since somebody else may have logged in with one."""
    tx.execute(delete(known_browser).where(known_browser.c.person_id == person_id))
