"""Authentication by a session's or token's secret, one statement each. Ended, expired and disabled ones are refused."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select

from ..storage.database import Row, Time, Transaction
from .actor import Actor
from .codes import fingerprint
from .sessions import IDLE, is_live_at
from .tables import api_token, person, person_session

_PERSON = (
    person.c.id.label("person_id"),
    person.c.email,
    person.c.language,
    person.c.is_operator,
    person.c.confirmed_at,
)
# Constant, since every page of somebody who is logged in asks it.
_OF_SESSION = (
    select(*_PERSON, person_session.c.hash.label("session_hash"), person_session.c.seen_at)
    .join(person_session, person_session.c.person_id == person.c.id)
    .where(person_session.c.hash == bindparam("hash"), person.c.disabled_at.is_(None))
    .where(is_live_at(bindparam("now", type_=Time), bindparam("idle_since", type_=Time)))
)


def actor_of_session(tx: Transaction, secret: str, address: str) -> Actor | None:
    """The person with a live session of this secret; None if there is none. `address` is the client's IP address."""
    row = tx.first(_OF_SESSION, {"hash": fingerprint(secret), "now": tx.now, "idle_since": tx.now - IDLE})
    return _actor(row, address) if row is not None else None


def actor_of_token(tx: Transaction, secret: str, address: str) -> Actor | None:
    """The person for whom a live token of this secret acts, with its scopes; None if there is none."""
    token = api_token
    row = tx.first(
        select(
            *_PERSON,
            token.c.id.label("token_id"),
            token.c.scopes.label("token_scopes"),
            token.c.enterprise_id.label("token_enterprise"),
        )
        .join(token, token.c.person_id == person.c.id)
        .where(token.c.hash == fingerprint(secret), token.c.revoked_at.is_(None), person.c.disabled_at.is_(None))
        .where(or_(token.c.expires_at.is_(None), token.c.expires_at > tx.now))
    )
    return _actor(row, address) if row is not None else None


def _actor(row: Row, address: str) -> Actor:
    values: Row = dict(row)
    values["confirmed"] = values.pop("confirmed_at") is not None
    if "token_scopes" in values:
        values["token_scopes"] = frozenset(values["token_scopes"])
    return Actor(**values, address=address)
