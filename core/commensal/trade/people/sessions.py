"""Sessions: a secret in somebody's browser, known here by its SHA-256 only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from ...base.errors import Busy, NotFound
from ...storage.database import Store, Transaction
from .actor import Actor
from .fingerprint import fingerprint
from .people import Person
from .tables import log_in_begun, person_session

IDLE = timedelta(days=30)  # without a sign of life the session ends
LONGEST = timedelta(days=180)  # with any number of them too
SEEN_EVERY = timedelta(hours=1)  # signs of life are written down no more often, so that reading does not write


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session that just began. The secret is told this once. `browser` is the secret by which a browser is known when
    somebody logs in with it again; it opens nothing."""

    secret: str = field(repr=False)
    person: Person
    expires_at: datetime
    browser: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session as its owner sees it. `id` is the fingerprint of the secret and opens nothing."""

    id: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


_COLUMNS = [person_session.c["hash" if one.name == "id" else one.name].label(one.name) for one in fields(Session)]


def is_live(now: datetime) -> ColumnElement[bool]:
    """The condition that a row of `person_session` is a session that still counts."""
    row = person_session.c
    return and_(row.revoked_at.is_(None), row.expires_at > now, row.seen_at > now - IDLE)


def begin_session(tx: Transaction, person: Person, *, agent: str = "") -> NewSession:
    """A new session for somebody who has proved who they are. `agent` says in which browser."""
    secret, expires_at = tx.ids.secret(), tx.now + LONGEST
    values = {"created_at": tx.now, "seen_at": tx.now, "expires_at": expires_at, "agent": agent[:200]}
    tx.execute(insert(person_session).values(hash=fingerprint(secret), person_id=person.id, **values))
    return NewSession(secret=secret, person=person, expires_at=expires_at)


def was_seen_long_ago(actor: Actor, now: datetime) -> bool:
    """Whether a sign of life of this session should be written down, by `note_seen`."""
    return actor.seen_at is not None and actor.seen_at <= now - SEEN_EVERY


def note_seen(tx: Transaction, session_hash: str) -> None:
    """Writes down that the session is in use, unless somebody did within the hour."""
    late = update(person_session).where(person_session.c.hash == session_hash, is_live(tx.now))
    tx.execute(late.where(person_session.c.seen_at <= tx.now - SEEN_EVERY).values(seen_at=tx.now))


def keep_alive(store: Store, actor: Actor, now: datetime) -> None:
    """Writes down a sign of life where one is due. For after a request was read: it needs a transaction of its own."""
    if actor.session_hash is None or not was_seen_long_ago(actor, now):
        return
    try:
        with store.write() as tx:
            note_seen(tx, actor.session_hash)
    except Busy:  # reading must not fail for it; the next request writes it down
        return


def log_out(tx: Transaction, session_hash: str) -> None:
    """Ends one session, by its fingerprint. Ending it twice is fine."""
    open_one = update(person_session).where(person_session.c.hash == session_hash)
    tx.execute(open_one.where(person_session.c.revoked_at.is_(None)).values(revoked_at=tx.now))


def revoke_session(tx: Transaction, person_id: str, session_id: str) -> None:
    """Ends one of a person's sessions, from any of their browsers. Raises `NotFound`."""
    mine = (person_session.c.hash == session_id, person_session.c.person_id == person_id, is_live(tx.now))
    if tx.execute(update(person_session).where(*mine).values(revoked_at=tx.now)).rowcount != 1:
        raise NotFound


def revoke_sessions(tx: Transaction, person_id: str, *, keep: str | None = None) -> int:
    """Ends all sessions of a person but `keep`, a fingerprint, and log-ins that wait for a code. Returns how many
    sessions."""
    tx.execute(delete(log_in_begun).where(log_in_begun.c.person_id == person_id))
    mine = update(person_session).where(person_session.c.person_id == person_id, is_live(tx.now))
    if keep is not None:
        mine = mine.where(person_session.c.hash != keep)
    return tx.execute(mine.values(revoked_at=tx.now)).rowcount


def list_sessions(tx: Transaction, person_id: str) -> Sequence[Session]:
    """A person's live sessions, the one in use last first; at most 100."""
    mine = select(*_COLUMNS).where(person_session.c.person_id == person_id, is_live(tx.now))
    return [Session(**row) for row in tx.all(mine.order_by(person_session.c.seen_at.desc()).limit(100))]
