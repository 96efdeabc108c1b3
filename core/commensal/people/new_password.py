"""Changing the password of a logged-in person who knows the old one."""

from __future__ import annotations

from sqlalchemy import select, update

from ..base.errors import Conflict, Invalid, Problem
from ..storage.database import Row, Store, Transaction
from .login_throttle import count_try, forget_tries
from .passwords import hash_password, password_matches
from .people import COLUMNS, Person
from .sessions import revoke_sessions
from .tables import person

_SESSIONS = "sessions"  # the source of tries by people who are logged in already


def check_new_password(store: Store, person_id: str, *, old: str, new: str) -> tuple[str, str]:
    """The hashes of the old password and of the new one, for `change_password`. Takes 60 ms: call it outside of
    transactions.

    Raises `Invalid` if the old one is wrong or the new one is refused; `TooMany` as `prove_password`.
    """
    row = _check_password(store, person_id, old, "/old")
    return str(row["password_hash"]), hash_password(new, "/new", own=(row["name"], row["email"]))


def has_password(tx: Transaction, person_id: str) -> bool:
    """Whether the person has a password here; who only logs in elsewhere has none until they ask for one by mail."""
    return tx.value(select(person.c.password_hash).where(person.c.id == person_id)) is not None


def prove_password(store: Store, person_id: str, password: str) -> None:
    """Raises `Invalid` if this is not the person's password, or they have none. Takes 30 ms: call it outside of
    transactions.

    The try is counted before it is checked, since somebody who finds a browser open could guess. Raises `TooMany` after
    too many tries; they do not keep the owner from logging in elsewhere.
    """
    _check_password(store, person_id, password, "/password")


def _check_password(store: Store, person_id: str, password: str, where: str) -> Row:
    with store.write() as tx:
        query = select(person.c.password_hash, person.c.name, person.c.email)
        row = tx.one(query.where(person.c.id == person_id))
        if row["password_hash"] is None:
            text = "You have no password here yet. Get one by mail: “Forgotten your password?” on the page to log in."
            raise Invalid([Problem("no_password", text, where)])
        count_try(tx, row["email"], _SESSIONS)
    if not password_matches(password, row["password_hash"]):
        raise Invalid([Problem("wrong", "This is not your password.", where)])
    with store.write() as tx:
        forget_tries(tx, row["email"], _SESSIONS)
    return row


def change_password(tx: Transaction, person_id: str, hashes: tuple[str, str], *, keep: str | None) -> Person:
    """Sets the new password and ends all sessions but `keep`, the fingerprint of the one in use.

    `hashes` are those of `check_new_password`. API tokens stay: their owner revokes them one by one. Raises `Conflict`
    if the password was changed meanwhile.
    """
    old, new = hashes
    statement = update(person).where(person.c.id == person_id, person.c.password_hash == old)
    row = tx.first(statement.values(password_hash=new, version=person.c.version + 1).returning(*COLUMNS))
    if row is None:
        raise Conflict("password_changed", "Your password was changed meanwhile.")
    revoke_sessions(tx, person_id, keep=keep)
    return Person(**row)
