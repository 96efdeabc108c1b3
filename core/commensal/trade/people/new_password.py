"""A new password for somebody who is logged in and knows the old one."""

from __future__ import annotations

from sqlalchemy import select, update

from ...base.errors import Conflict, Invalid, Problem
from ...storage.database import Row, Store, Transaction
from .login_throttle import count_try, forget_tries
from .passwords import hash_password, password_matches
from .people import COLUMNS, Person
from .sessions import revoke_sessions
from .tables import person

_SESSIONS = "sessions"  # the source of tries by who is logged in already


def check_new_password(store: Store, person_id: str, *, old: str, new: str) -> tuple[str, str]:
    """What is kept of the old password and of the new one. Takes 60 ms: call it outside of transactions.

    Raises `Invalid` where the old one is wrong, or the new one will not do; `TooMany` as `prove_password`.
    """
    row = _proved(store, person_id, old, "/old")
    return str(row["password_hash"]), hash_password(new, "/new", own=(row["name"], row["email"]))


def prove_password(store: Store, person_id: str, password: str) -> None:
    """Raises `Invalid` where this is not the person's password. The try is counted before it is checked: whoever
    found a browser open could guess. Takes 30 ms: call it outside of transactions.

    Raises `TooMany` after too many; they do not keep the owner from logging in elsewhere.
    """
    _proved(store, person_id, password, "/password")


def _proved(store: Store, person_id: str, password: str, where: str) -> Row:
    with store.write() as tx:
        wanted = select(person.c.password_hash, person.c.name, person.c.email)
        row = tx.one(wanted.where(person.c.id == person_id))
        count_try(tx, row["email"], _SESSIONS)
    if not password_matches(password, row["password_hash"]):
        raise Invalid([Problem("wrong", "This is not your password.", where)])
    with store.write() as tx:
        forget_tries(tx, row["email"], _SESSIONS)
    return row


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
