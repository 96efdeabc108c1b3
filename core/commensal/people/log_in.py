"""Logging in with e-mail and password, and what slows down those who guess.

Checking takes tens of milliseconds and happens outside of transactions; the session begins inside one, and only if the
password is still the one that was checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import case, delete, literal, select, update

from ..errors import Problem, TooMany, Unauthorised
from ..store import Transaction, insert_or
from .email import read_email
from .fingerprint import fingerprint
from .passwords import password_matches, renewed_hash
from .people import COLUMNS, Person
from .sessions import NewSession, begin_session, log_out
from .tables import log_in_failure, person

FREE = 5  # failures in a row that cost nothing
_FIRST, _LAST = timedelta(seconds=30), timedelta(minutes=15)  # of waiting; doubled by each failure in between
_FORGIVEN = timedelta(days=1)  # without a failure


@dataclass(frozen=True, kw_only=True)
class CheckedPassword:
    """The outcome of a check. `person` is None where address or password are not right: which, is not told."""

    email: str
    person: Person | None
    kept: str = field(default="", repr=False)
    renewed: str = field(default="", repr=False)  # to be kept instead, with the settings of today


def check_password(tx: Transaction, email: str, password: str) -> CheckedPassword:
    """Checks a log-in; only reads. Takes as long for an unknown address as for a wrong password.

    Raises `TooMany` where this address had too many failures lately, known or not; `Busy`.
    """
    read = read_email(email)
    address = "" if isinstance(read, Problem) else read
    _slow_down(tx, address)
    row = tx.first(select(*COLUMNS, person.c.password_hash).where(person.c.email == address))
    known = dict(row) if row is not None else {}
    kept = known.pop("password_hash", None)
    if not password_matches(password, kept) or known["disabled_at"] is not None:
        return CheckedPassword(email=address, person=None)
    return CheckedPassword(email=address, person=Person(**known), kept=kept, renewed=renewed_hash(password, kept))


def log_in(
    tx: Transaction, checked: CheckedPassword, *, agent: str = "", replaces: str | None = None
) -> NewSession | None:
    """Begins a session, always with a new secret; `replaces` is the session that this browser had, and ends.

    None where the password was not right: the failure is counted, so commit it. `wrong_password` says it to people.
    """
    if checked.person is None or not _still_so(tx, checked):
        _count_failure(tx, checked.email)
        known = tx.value(select(person.c.id).where(person.c.email == checked.email))
        tx.trace("log-in failed", "person", known or "")
        return None
    forget_failures(tx, checked.email)
    if checked.renewed:
        tx.execute(update(person).where(person.c.id == checked.person.id).values(password_hash=checked.renewed))
    if replaces is not None:
        log_out(tx, replaces)
    tx.trace("logged in", "person", checked.person.id)
    return begin_session(tx, checked.person, agent=agent)


def wrong_password() -> Unauthorised:
    """What to tell whoever failed to log in; the same whatever the reason."""
    return Unauthorised("log_in", "The e-mail address or the password is not right.")


def forget_failures(tx: Transaction, email: str) -> None:
    """They have proved who they are."""
    tx.execute(delete(log_in_failure).where(log_in_failure.c.email_hash == fingerprint(email)))


def _still_so(tx: Transaction, checked: CheckedPassword) -> bool:
    """Locks the person, so that a password that changes just now ends this session too, or prevents it."""
    assert checked.person is not None
    same = select(person.c.id).where(person.c.id == checked.person.id, person.c.password_hash == checked.kept)
    return tx.value(same.where(person.c.disabled_at.is_(None)).with_for_update(key_share=True)) is not None


def _count_failure(tx: Transaction, email: str) -> None:
    one = log_in_failure
    first = insert_or(tx, one).values(email_hash=fingerprint(email), failures=1, last_at=tx.now)
    again = case((one.c.last_at < tx.now - _FORGIVEN, literal(1)), else_=one.c.failures + 1)
    tx.execute(first.on_conflict_do_update(index_elements=["email_hash"], set_={"failures": again, "last_at": tx.now}))


def _slow_down(tx: Transaction, email: str) -> None:
    row = tx.first(select(log_in_failure).where(log_in_failure.c.email_hash == fingerprint(email)))
    if row is None or row["failures"] < FREE:
        return
    wait = min(_FIRST * 2 ** min(row["failures"] - FREE, 10), _LAST)
    left = row["last_at"] + wait - tx.now
    if left > timedelta(0):
        raise TooMany(int(left.total_seconds()) + 1)
