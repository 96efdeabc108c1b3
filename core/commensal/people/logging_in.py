"""Logging in with e-mail and password, and a code if the person has a second factor.

A check takes tens of milliseconds and runs outside of transactions. The session begins inside a transaction, and only
if the password has not changed since the check.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from sqlalchemy import bindparam, delete, insert, or_, select, update

from ..base.errors import Problem, Refused, Unauthorised
from ..storage.database import Row, Store, Time, Transaction
from .actor import Actor
from .codes import fingerprint
from .email import read_email
from .login_throttle import CODES, count_try, forget_tries, source_of, warn_owner
from .passwords import password_matches, renewed_hash
from .people import COLUMNS, Person, person_by_id
from .second_factor import has_second_factor, prove_second_factor
from .sessions import (
    BY_PASSWORD,
    IDLE,
    NewSession,
    ProviderSession,
    begin_session,
    is_live_at,
    knows_browser,
    log_out,
    remember_browser,
)
from .tables import api_token, log_in_begun, person, person_session

LASTS = timedelta(minutes=10)  # from the password to the code


@dataclass(frozen=True, kw_only=True)
class CheckedPassword:
    """The outcome of a check. `person` is None if address or password are wrong; it does not say which.

    `source` is the source for which the try was counted, `browser` the secret of the browser's cookie,
    `password_hash` the stored hash.
    """

    email: str
    person: Person | None
    source: str = ""
    browser: str = field(default="", repr=False)
    password_hash: str = field(default="", repr=False)
    renewed: str = field(default="", repr=False)  # the hash to store instead, with today's settings


def check_password(store: Store, email: str, password: str, *, address: str = "", browser: str = "") -> CheckedPassword:
    """Counts a try to log in, then checks it. Takes as long for an unknown address as for a wrong password.

    `address` is the client's IP address, `browser` the secret of the browser's cookie. Call it outside of transactions.
    Raises `TooMany` if too many tries of this network or browser failed lately, whether the account exists or not;
    `Busy`.
    """
    parsed = read_email(email)
    account_email = "" if isinstance(parsed, Problem) else parsed
    with store.write() as tx:
        source = source_of(tx, account_email, address=address, browser=browser)
        count_try(tx, account_email, source)
    with store.read() as tx:
        row = tx.first(select(*COLUMNS, person.c.password_hash).where(person.c.email == account_email))
    account = dict(row) if row is not None else {}
    password_hash = account.pop("password_hash", None)
    wrong = CheckedPassword(email=account_email, person=None, source=source, browser=browser)
    if not password_matches(password, password_hash) or account["disabled_at"] is not None:
        return wrong
    return replace(
        wrong, person=Person(**account), password_hash=password_hash, renewed=renewed_hash(password, password_hash)
    )


@dataclass(frozen=True)
class CodeWanted:
    """The password is right, and a code of the second factor is still needed."""


def log_in(
    tx: Transaction, checked: CheckedPassword, *, code: str = "", agent: str = "", replaces: str | None = None
) -> NewSession | CodeWanted | None:
    """Begins a session with a new secret, and ends `replaces`, the former session of this browser.

    Returns `CodeWanted` if the person has a second factor and `code` is empty: ask for the code, and log in again with
    it, or use `await_code`. Returns None if password or code are wrong: commit then too, since the try of a code is
    counted, and a mail to the owner may be enqueued. `wrong_password` is the error to show.
    """
    if checked.person is None or not _lock_unchanged(tx, checked):
        warn_owner(tx, checked.email, checked.source)
        person_id = tx.value(select(person.c.id).where(person.c.email == checked.email))
        tx.trace("log-in failed", "person", person_id or "")
        return None
    if checked.renewed:
        tx.execute(update(person).where(person.c.id == checked.person.id).values(password_hash=checked.renewed))
    forget_tries(tx, checked.email, checked.source)
    if has_second_factor(tx, checked.person.id):
        if not code:
            return CodeWanted()
        if not _code_is_right(tx, checked.person, code, checked.browser):
            return None
    return _start_session(tx, checked.person, agent, replaces, checked.browser)


def log_in_proven(
    tx: Transaction,
    owner: Person,
    elsewhere: ProviderSession,
    *,
    agent: str = "",
    replaces: str | None = None,
    browser: str = "",
) -> NewSession | CodeWanted:
    """As `log_in`, for a person whom a provider has proved. The second factor of their account here is asked for all
    the same: whether the provider asked for one is not known here, and how is not ours to judge."""
    if has_second_factor(tx, owner.id):
        return CodeWanted()
    return _start_session(tx, owner, agent, replaces, browser, elsewhere)


def await_code(tx: Transaction, person_id: str, elsewhere: ProviderSession = BY_PASSWORD) -> str:
    """Returns a secret with which `finish_log_in` needs no password for ten minutes, for a page that asks for the code.

    Only for persons for whom `log_in` or `log_in_proven` returned `CodeWanted`.
    """
    secret = tx.ids.secret()
    values = {"hash": fingerprint(secret), "person_id": person_id, "expires_at": tx.now + LASTS, **asdict(elsewhere)}
    tx.execute(insert(log_in_begun).values(values))
    return secret


def finish_log_in(
    tx: Transaction, begun: str, code: str, *, agent: str = "", replaces: str | None = None, browser: str = ""
) -> NewSession | None:
    """Begins the session for which `await_code` returned the secret `begun`.

    Returns None if the code is wrong: the failure is counted, so commit. Raises `Refused` after ten minutes or a change
    of the password; `TooMany`.
    """
    row = log_in_begun.c
    query = select(row.person_id, row.provider, row.provider_session).join(person, person.c.id == row.person_id)
    is_open = (person.c.disabled_at.is_(None), row.hash == fingerprint(begun), row.expires_at > tx.now)
    waiting = tx.first(query.where(*is_open))
    if waiting is None:
        raise Refused("log_in_again", "This took too long. Please log in again from the start.")
    owner = person_by_id(tx, waiting["person_id"])
    if not _code_is_right(tx, owner, code, browser):
        return None
    tx.execute(delete(log_in_begun).where(row.person_id == owner.id))
    elsewhere = ProviderSession(provider=waiting["provider"], provider_session=waiting["provider_session"])
    return _start_session(tx, owner, agent, replaces, browser, elsewhere)


def _code_is_right(tx: Transaction, owner: Person, code: str, browser: str) -> bool:
    is_known = browser and knows_browser(tx, owner.email, browser)
    return prove_second_factor(tx, owner.id, code, source=f"{CODES} {fingerprint(browser)}" if is_known else CODES)


def _start_session(
    tx: Transaction,
    owner: Person,
    agent: str,
    replaces: str | None,
    browser: str,
    elsewhere: ProviderSession = BY_PASSWORD,
) -> NewSession:
    if replaces is not None:
        log_out(tx, replaces)
    tx.trace("logged in", "person", owner.id)
    session = begin_session(tx, owner, agent=agent, elsewhere=elsewhere)
    return replace(session, browser=remember_browser(tx, owner.id, browser))


def wrong_password() -> Unauthorised:
    """The error to show for a failed log-in; the same for every reason."""
    return Unauthorised("log_in", "The e-mail address or the password is not right.")


def code_wanted() -> Unauthorised:
    """The error for an API client that sent the right password without a code."""
    return Unauthorised("code_wanted", "Add the code of your second factor.")


def _lock_unchanged(tx: Transaction, checked: CheckedPassword) -> bool:
    """Locks the person's row; returns whether password and account are still those that were checked.

    So a change of the password at the same moment either prevents this session or ends it.
    """
    assert checked.person is not None
    query = select(person.c.id).where(person.c.id == checked.person.id, person.c.password_hash == checked.password_hash)
    return tx.value(query.where(person.c.disabled_at.is_(None)).with_for_update(key_share=True)) is not None


# Authentication by a session's or token's secret, one statement each. Ended, expired and disabled ones are refused.

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
