"""People made from the shell, by whoever runs the instance and is trusted with its database."""

from __future__ import annotations

from sqlalchemy import func, literal, update

from ...storage.database import Store, Time
from .login_throttle import forget_all_tries
from .people import COLUMNS, Person, add_person, new_person
from .proved import adopt
from .sessions import revoke_sessions
from .tables import person
from .tokens import revoke_tokens


def add_operator(store: Store, *, email: str, name: str, password: str, language: str, operator: bool = True) -> Person:
    """Makes a person with a confirmed address, or gives the one who exists this password and ends their
    sessions and API tokens.

    `operator` makes them one; it never unmakes one. Raises `Invalid` with every mistake.
    """
    new = new_person(email=email, name=name, password=password, language=language)
    with store.write() as tx:
        made = add_person(tx, new, confirmed=True, is_operator=operator)
        if made is not None:
            return made
        again = {
            "password_hash": new.password_hash,
            "confirmed_at": func.coalesce(person.c.confirmed_at, literal(tx.now, Time)),
            "disabled_at": None,
            "version": person.c.version + 1,
        } | ({"is_operator": True} if operator else {})
        row = tx.one(update(person).where(person.c.email == new.email).values(**again).returning(*COLUMNS))
        adopt(tx, row["id"], new.email, row["name"], own_orders=False)
        revoke_sessions(tx, row["id"])
        revoke_tokens(tx, row["id"])
        forget_all_tries(tx, new.email)
        return Person(**row)
