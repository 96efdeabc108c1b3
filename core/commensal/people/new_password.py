"""A new password for somebody who is logged in and knows the old one."""

from __future__ import annotations

from sqlalchemy import select, update

from ..errors import Conflict, Invalid, Problem
from ..store import Transaction
from .passwords import hash_password, password_matches
from .people import COLUMNS, Person
from .sessions import revoke_sessions
from .tables import person


def check_new_password(tx: Transaction, person_id: str, *, old: str, new: str) -> tuple[str, str]:
    """What is kept of the old password and of the new one; only reads. Takes 60 ms: call it outside of transactions.

    Raises `Invalid` where the old one is wrong, or the new one will not do.
    """
    row = tx.first(select(person.c.password_hash, person.c.name, person.c.email).where(person.c.id == person_id))
    kept: str | None = row["password_hash"] if row else None
    if row is None or not password_matches(old, kept) or kept is None:
        raise Invalid([Problem("wrong", "This is not your password.", "/old")])
    return kept, hash_password(new, "/new", own=(row["name"], row["email"]))


def prove_password(tx: Transaction, person_id: str, password: str) -> None:
    """Raises `Invalid` where this is not the person's password; only reads. Takes 30 ms: call it outside of
    transactions."""
    kept: str | None = tx.value(select(person.c.password_hash).where(person.c.id == person_id))
    if not password_matches(password, kept):
        raise Invalid([Problem("wrong", "This is not your password.", "/password")])


def change_password(tx: Transaction, person_id: str, checked: tuple[str, str], *, keep: str | None) -> Person:
    """Sets the password that was checked and ends all sessions but `keep`, the fingerprint of the one in use.

    API tokens stay: they are revoked one by one. Raises `Conflict` where the password was changed meanwhile.
    """
    old, new = checked
    statement = update(person).where(person.c.id == person_id, person.c.password_hash == old)
    row = tx.first(statement.values(password_hash=new, version=person.c.version + 1).returning(*COLUMNS))
    if row is None:
        raise Conflict("password_changed", "Your password was changed meanwhile.")
    revoke_sessions(tx, person_id, keep=keep)
    return Person(**row)
