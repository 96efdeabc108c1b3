"""Logging in with e-mail and password, and with a code where somebody has a second factor.

Checking takes tens of milliseconds and happens outside of transactions; the session begins inside one, and only if the
password is still the one that was checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from ...base.errors import Problem, Refused, Unauthorised
from ...storage.database import Store, Transaction
from .browsers import knows_browser, remember_browser
from .email import read_email
from .fingerprint import fingerprint
from .login_throttle import CODES, count_try, forget_tries, source_of, warn_owner
from .passwords import password_matches, renewed_hash
from .people import COLUMNS, Person, person_by_id
from .second_factor import has_second_factor, prove_second_factor
from .sessions import NewSession, begin_session, log_out
from .tables import log_in_begun, person

LASTS = timedelta(minutes=10)  # from the password to the code


@dataclass(frozen=True, kw_only=True)
class CheckedPassword:
    """The outcome of a check. `person` is None where address or password are not right: which, is not told. `source`
    is for whom the try was counted, `browser` the secret of the cookie by which the browser may be known."""

    email: str
    person: Person | None
    source: str = ""
    browser: str = field(default="", repr=False)
    kept: str = field(default="", repr=False)
    renewed: str = field(default="", repr=False)  # to be kept instead, with the settings of today


def check_password(store: Store, email: str, password: str, *, address: str = "", browser: str = "") -> CheckedPassword:
    """Counts a try to log in, then checks it. Takes as long for an unknown address as for a wrong password.

    `address` is the client's, `browser` the secret by which it may be known. Call it outside of transactions. Raises
    `TooMany` where too many tries of this network or browser failed lately, whether there is such an account or not;
    `Busy`.
    """
    read = read_email(email)
    said = "" if isinstance(read, Problem) else read
    with store.write() as tx:
        source = source_of(tx, said, address=address, browser=browser)
        count_try(tx, said, source)
    with store.read() as tx:
        row = tx.first(select(*COLUMNS, person.c.password_hash).where(person.c.email == said))
    known = dict(row) if row is not None else {}
    kept = known.pop("password_hash", None)
    wrong = CheckedPassword(email=said, person=None, source=source, browser=browser)
    if not password_matches(password, kept) or known["disabled_at"] is not None:
        return wrong
    return replace(wrong, person=Person(**known), kept=kept, renewed=renewed_hash(password, kept))


@dataclass(frozen=True)
class CodeWanted:
    """The password is right, and a code of the second factor is still to come."""


def log_in(
    tx: Transaction, checked: CheckedPassword, *, code: str = "", agent: str = "", replaces: str | None = None
) -> NewSession | CodeWanted | None:
    """Begins a session, always with a new secret; `replaces` is the session that this browser had, and ends.

    `CodeWanted` where the person has a second factor, and no code is given: ask for it, and log in again with it, or
    `await_code`. None where password or code was not right: commit it, since a code is counted, and the owner of the
    account may be told. `wrong_password` says it to people.
    """
    if checked.person is None or not _still_so(tx, checked):
        warn_owner(tx, checked.email, checked.source)
        known = tx.value(select(person.c.id).where(person.c.email == checked.email))
        tx.trace("log-in failed", "person", known or "")
        return None
    if checked.renewed:
        tx.execute(update(person).where(person.c.id == checked.person.id).values(password_hash=checked.renewed))
    forget_tries(tx, checked.email, checked.source)
    if has_second_factor(tx, checked.person.id):
        if not code:
            return CodeWanted()
        if not _code_is_right(tx, checked.person, code, checked.browser):
            return None
    return _begin(tx, checked.person, agent, replaces, checked.browser)


def await_code(tx: Transaction, person_id: str) -> str:
    """A secret for a page that asks for the code: with it `finish_log_in` needs no password any more, for ten minutes.
    Only for whom `log_in` has told `CodeWanted`."""
    secret = tx.ids.secret()
    tx.execute(insert(log_in_begun).values(hash=fingerprint(secret), person_id=person_id, expires_at=tx.now + LASTS))
    return secret


def finish_log_in(
    tx: Transaction, begun: str, code: str, *, agent: str = "", replaces: str | None = None, browser: str = ""
) -> NewSession | None:
    """Begins the session for which `await_code` gave `begun`. None where the code is wrong: the failure is counted, so
    commit it. Raises `Refused` where it took too long, or the password was changed since; `TooMany`."""
    row = log_in_begun.c
    waiting = select(row.person_id).join(person, person.c.id == row.person_id).where(person.c.disabled_at.is_(None))
    person_id: str | None = tx.value(waiting.where(row.hash == fingerprint(begun), row.expires_at > tx.now))
    if person_id is None:
        raise Refused("log_in_again", "This took too long. Please log in again from the start.")
    who = person_by_id(tx, person_id)
    if not _code_is_right(tx, who, code, browser):
        return None
    tx.execute(delete(log_in_begun).where(row.person_id == person_id))
    return _begin(tx, who, agent, replaces, browser)


def _code_is_right(tx: Transaction, who: Person, code: str, browser: str) -> bool:
    known = browser and knows_browser(tx, who.email, browser)
    return prove_second_factor(tx, who.id, code, source=f"{CODES} {fingerprint(browser)}" if known else CODES)


def _begin(tx: Transaction, who: Person, agent: str, replaces: str | None, browser: str) -> NewSession:
    if replaces is not None:
        log_out(tx, replaces)
    tx.trace("logged in", "person", who.id)
    return replace(begin_session(tx, who, agent=agent), browser=remember_browser(tx, who.id, browser))


def wrong_password() -> Unauthorised:
    """What to tell whoever failed to log in; the same whatever the reason."""
    return Unauthorised("log_in", "The e-mail address or the password is not right.")


def code_wanted() -> Unauthorised:
    """What to tell a program whose password is right, and that has given no code."""
    return Unauthorised("code_wanted", "Add the code of your second factor.")


def _still_so(tx: Transaction, checked: CheckedPassword) -> bool:
    """Locks the person, so that a password that changes just now ends this session too, or prevents it."""
    assert checked.person is not None
    same = select(person.c.id).where(person.c.id == checked.person.id, person.c.password_hash == checked.kept)
    return tx.value(same.where(person.c.disabled_at.is_(None)).with_for_update(key_share=True)) is not None
