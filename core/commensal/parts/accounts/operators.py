"""Operators of the instance, and accounts that they create from the shell: they are trusted with its database."""

from __future__ import annotations

from sqlalchemy import func, literal, select, update

from ...enterprises.tokens import revoke_tokens
from ...people.login_throttle import forget_all_tries
from ...people.people import COLUMNS, NewPerson, Person, add_person, new_person
from ...people.sessions import revoke_sessions
from ...people.tables import person
from ...storage.database import Store, Time, Transaction
from .confirmations import link_customer_records
from .identities import unlink_identities


def has_operator(tx: Transaction) -> bool:
    """Whether anybody who can log in runs the instance."""
    operators = select(person.c.id).where(person.c.is_operator, person.c.disabled_at.is_(None))
    return tx.value(operators.limit(1)) is not None


def add_confirmed_person(tx: Transaction, new: NewPerson, *, is_operator: bool = False) -> Person | None:
    """Creates a person whose address the operator vouches for, and links earlier customer records of that address.

    Returns None if the address has an account.
    """
    added = add_person(tx, new, confirmed=True, is_operator=is_operator)
    if added is not None:
        link_customer_records(tx, added.id, new.email, new.name, own_orders=False)
    return added


def add_operator(store: Store, *, email: str, name: str, password: str, language: str, operator: bool = True) -> Person:
    """Creates a person with a confirmed address, or gives an existing one this password, ends their sessions and API
    tokens, and disconnects their accounts elsewhere.

    `operator` makes them an operator; False takes the role from nobody. Raises `Invalid` with every mistake.
    """
    new = new_person(email=email, name=name, password=password, language=language)
    with store.write() as tx:
        added = add_confirmed_person(tx, new, is_operator=operator)
        if added is not None:
            return added
        values = {
            "password_hash": new.password_hash,
            "confirmed_at": func.coalesce(person.c.confirmed_at, literal(tx.now, Time)),
            "disabled_at": None,
            "version": person.c.version + 1,
        } | ({"is_operator": True} if operator else {})
        row = tx.one(update(person).where(person.c.email == new.email).values(**values).returning(*COLUMNS))
        link_customer_records(tx, row["id"], new.email, row["name"], own_orders=False)
        revoke_sessions(tx, row["id"])
        revoke_tokens(tx, row["id"])
        unlink_identities(tx, row["id"])
        forget_all_tries(tx, new.email)
        return Person(**row)
