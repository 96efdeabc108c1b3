"""Sessions: the browser holds a secret, the database only its SHA-256."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from ..base.errors import Busy, NotFound
from ..storage.database import Store, Transaction
from .actor import Actor
from .codes import fingerprint
from .people import Person
from .tables import known_browser, log_in_begun, person, person_session

IDLE = timedelta(days=30)  # a session ends after so long without a request
LONGEST = timedelta(days=180)  # a session ends after so long in any case
SEEN_EVERY = timedelta(hours=1)  # `seen_at` is written no more often, so that most reads do not write


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session that just began. The secret is shown this once. `browser` is the secret that recognises the browser at
    later log-ins; it gives no access."""

    secret: str = field(repr=False)
    person: Person
    expires_at: datetime
    browser: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class ProviderSession:
    """With which provider a session begins ("oidc:main"), and what that calls its own session; "": by password."""

    provider: str = ""
    provider_session: str = ""


BY_PASSWORD = ProviderSession()


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session as its owner sees it. `id` is the fingerprint of the secret and gives no access."""

    id: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


_COLUMNS = [
    person_session.c["hash" if attribute.name == "id" else attribute.name].label(attribute.name)
    for attribute in fields(Session)
]


def is_live(now: datetime) -> ColumnElement[bool]:
    """The condition that a row of `person_session` is neither ended nor expired."""
    return is_live_at(now, now - IDLE)


def is_live_at(
    now: datetime | ColumnElement[datetime], idle_since: datetime | ColumnElement[datetime]
) -> ColumnElement[bool]:
    """The same for a constant statement, whose parameters are both moments; `idle_since` is `IDLE` before `now`."""
    row = person_session.c
    return and_(row.revoked_at.is_(None), row.expires_at > now, row.seen_at > idle_since)


def begin_session(
    tx: Transaction, person: Person, *, agent: str = "", elsewhere: ProviderSession = BY_PASSWORD
) -> NewSession:
    """Begins a session for a person who has proved their identity. `agent` is the browser's name of itself."""
    secret, expires_at = tx.ids.secret(), tx.now + LONGEST
    values = {"created_at": tx.now, "seen_at": tx.now, "expires_at": expires_at, "agent": agent[:200]}
    row = {"hash": fingerprint(secret), "person_id": person.id, **values, **asdict(elsewhere)}
    tx.execute(insert(person_session).values(row))
    return NewSession(secret=secret, person=person, expires_at=expires_at)


def was_seen_long_ago(actor: Actor, now: datetime) -> bool:
    """Whether `seen_at` of the actor's session is old enough to be written again, by `note_seen`."""
    return actor.seen_at is not None and actor.seen_at <= now - SEEN_EVERY


def note_seen(tx: Transaction, session_hash: str) -> None:
    """Writes that the session is in use, unless that was written within `SEEN_EVERY`."""
    statement = update(person_session).where(person_session.c.hash == session_hash, is_live(tx.now))
    tx.execute(statement.where(person_session.c.seen_at <= tx.now - SEEN_EVERY).values(seen_at=tx.now))


def keep_alive(store: Store, actor: Actor, now: datetime) -> None:
    """Writes that the session is in use, if that is due, in a transaction of its own. For the end of a read request."""
    if actor.session_hash is None or not was_seen_long_ago(actor, now):
        return
    try:
        with store.write() as tx:
            note_seen(tx, actor.session_hash)
    except Busy:  # a read must not fail because of it; the next request writes it
        return


def lock_session(tx: Transaction, session_hash: str) -> str | None:
    """The id of the person whose live session this is; None for one that has ended. It does not end before this
    transaction does: whoever ends it at the same moment sees what this transaction has written."""
    query = select(person_session.c.person_id).where(person_session.c.hash == session_hash, is_live(tx.now))
    person_id: str | None = tx.value(query.with_for_update())
    return person_id


def log_out(tx: Transaction, session_hash: str) -> str:
    """Ends a session by its fingerprint. Ending it twice has no effect. Returns the provider with which it began; ""
    for one that began with a password, or had ended."""
    statement = update(person_session).where(person_session.c.hash == session_hash)
    ended = statement.where(person_session.c.revoked_at.is_(None)).values(revoked_at=tx.now)
    return tx.value(ended.returning(person_session.c.provider)) or ""


def end_provider_sessions(
    tx: Transaction, provider: str, *, person_id: str | None, provider_session: str, begun_until: datetime
) -> int:
    """Ends the sessions that began with a provider until then: those of one person there, or one of the provider's own
    sessions, or both. Returns how many. One of the two must be named."""
    assert person_id or provider_session
    row = person_session.c
    statement = update(person_session).where(row.provider == provider, row.created_at <= begun_until, is_live(tx.now))
    if person_id:
        statement = statement.where(row.person_id == person_id)
    if provider_session:
        statement = statement.where(row.provider_session == provider_session)
    return tx.execute(statement.values(revoked_at=tx.now)).rowcount


def revoke_session(tx: Transaction, person_id: str, session_id: str) -> None:
    """Ends any of the person's sessions by its id. Raises `NotFound`."""
    conditions = (person_session.c.hash == session_id, person_session.c.person_id == person_id, is_live(tx.now))
    if tx.execute(update(person_session).where(*conditions).values(revoked_at=tx.now)).rowcount != 1:
        raise NotFound


def revoke_sessions(tx: Transaction, person_id: str, *, keep: str | None = None) -> int:
    """Ends all sessions of a person but `keep`, a fingerprint, and their log-ins that wait for a code.

    Returns the number of ended sessions.
    """
    tx.execute(delete(log_in_begun).where(log_in_begun.c.person_id == person_id))
    statement = update(person_session).where(person_session.c.person_id == person_id, is_live(tx.now))
    if keep is not None:
        statement = statement.where(person_session.c.hash != keep)
    return tx.execute(statement.values(revoked_at=tx.now)).rowcount


def list_sessions(tx: Transaction, person_id: str) -> Sequence[Session]:
    """A person's live sessions, the most recently used first; at most 100."""
    query = select(*_COLUMNS).where(person_session.c.person_id == person_id, is_live(tx.now))
    return [Session(**row) for row in tx.all(query.order_by(person_session.c.seen_at.desc()).limit(100))]


# Browsers with which a person has logged in before, each recognised by a secret in a cookie. The secret gives no
# access: it only exempts the browser from the limits that wrong passwords from elsewhere have caused.

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
